/* What is right or wrong with services only when all of them are known. */
#include <string.h>

#include "conf/load.h"
#include "text/duration.h"

static uint16_t waits_for(const void *context, uint16_t node, uint16_t i) {
    const struct service *service = &((const struct load *)context)->services[node];
    return i < service->n_after ? service->after[i] : NONE;
}

static const char *name_of(const void *context, uint16_t node) { return ((const struct load *)context)->services[node].name; }

static void set_levels(struct load *load) {
    uint16_t n = load->n_services, cycle;
    uint16_t *level = arena_take(load->voice.arena, (n + 1u) * sizeof *level);
    uint8_t *mark = arena_take(load->voice.arena, n + 1u);
    if (!level || !mark) {
        too_large(load);
        return;
    }
    if (!order_levels(waits_for, load, n, level, mark, &cycle)) {
        error_at(load, where_of(load->of_service[cycle], K_AFTER), "services wait for each other: %s; one of these after less",
                 order_cycle(load->voice.arena, waits_for, name_of, load, mark, cycle));
        return;
    }
    for (uint16_t i = 0; i < n; i++)
        load->services[i].level = level[i];
}

static void check_oneshot(struct load *load, const struct service *service, const struct section *section) {
    const struct unit_policy *unit = &load->units[service->first_unit];
    if (unit->ready != NONE)
        error_at(load, where_of(section, K_READY), "a oneshot is ready once it has exited 0; type = service, or no ready");
    if (unit->live != NONE)
        error_at(load, where_of(section, K_LIVE), "a oneshot ends by itself; type = service, or no live");
    if (service->restart == RESTART_ALWAYS)
        error_at(load, where_of(section, K_RESTART), "a oneshot that is always restarted never ends; restart = on-failure or no");
}

static void check_escalations(struct load *load, const struct service *service, const struct section *section) {
    const struct escalation *last = &service->stop[service->n_stop ? service->n_stop - 1 : 0];
    if (!is_forever(service->stop_timeout) && service->n_stop > 1 && last->after.ns >= service->stop_timeout.ns)
        warning_at(load, where_of(section, K_STOP_SIGNAL), "stop-timeout comes before the last of stop-signal; a longer stop-timeout");
}

static void finish_service(struct load *load, uint16_t index) {
    struct service *service = &load->services[index];
    struct service_spec *spec = &load->service_specs[index];
    const struct section *section = load->of_service[index];
    service->has_stop_command = spec->stop.text != NULL;
    service->has_reload_command = spec->reload.text != NULL;
    if (!spec->run.text && !spec->run.argv && !(section && section->damaged))
        error_at(load, service->where, "[service %s] has no command; command = and the program", service->name);
    if (service->reload_signal && service->has_reload_command)
        error_at(load, where_of(section, K_RELOAD_SIGNAL), "reload-signal and reload-command exclude each other; one of them");
    if (service->type == TYPE_ONESHOT)
        check_oneshot(load, service, section);
    if (spec->in.env_pass && !spec->in.env_clear)
        warning_at(load, where_of(section, K_ENV_PASS), "env-pass changes nothing unless the rest is cleared; env-clear = yes");
    check_escalations(load, service, section);
}

/* One terminal has one reader. */
static void check_terminal(struct load *load) {
    const struct service *first = NULL;
    for (uint16_t i = 0; i < load->n_services; i++) {
        if (!load->service_specs[i].in.tty)
            continue;
        if (first)
            error_at(load, where_of(load->of_service[i], K_TTY), "[service %s] has the terminal already; tty = yes once", first->name);
        else
            first = &load->services[i];
    }
}

static const enum key_id of_main[] = {K_PORTS, K_READY, K_STOP_SIGNAL, K_KILL_MODE};

/* Options that speak of the command need one. */
static void check_main_options(struct load *load) {
    if (load->config->model.main != NONE)
        return;
    for (size_t i = 0; i < sizeof of_main / sizeof *of_main; i++)
        if (load->options->given[of_main[i]])
            error_at(load, (struct place){0}, "%s is about the main service, and there is none; main = yes in its section",
                     load->options->origin[of_main[i]]);
}

void finish_services(struct load *load) {
    for (uint16_t i = 0; i < load->n_services; i++)
        finish_service(load, i);
    if (load->n_services == 0) {
        struct place where = {load->n_sources ? load->sources[0].name : load->options->n_paths ? load->options->paths[0] : NULL, 0};
        if (load->facts->phases_only && load->voice.findings->errors == 0)
            warning_at(load, where, "there is no service: this can only be used by prestop; [service NAME]");
        else if (!load->facts->phases_only)
            error_at(load, where, "there is no service; [service NAME] with a command");
    }
    check_main_options(load);
    check_terminal(load);
    set_levels(load);
}
