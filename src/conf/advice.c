/* Advice: what is no mistake in itself, and yet hardly what somebody meant. Given by `check` alone, not at
 * every start. */
#include <string.h>

#include "conf/load.h"
#include "conf/spawnwords.h"
#include "text/duration.h"
#include "text/signame.h"

static const char *seconds(struct load *load, span time) {
    struct out out = text_open(load->voice.arena);
    duration_print(&out, time);
    return text_close(load->voice.arena, &out);
}

/* ---- the platform ---- */

/* most 0: no limit. Limits of the platforms' own documents, as of 2026. */
static const struct limit { char name[11]; uint16_t given, most; const char *set; } limits[] = {
    {"kubernetes", 30, 0, "terminationGracePeriodSeconds in the pod"},
    {"docker", 10, 0, "docker run --stop-timeout, or stop_grace_period in Compose"},
    {"ecs", 30, 0, "ECS_CONTAINER_STOP_TIMEOUT, or stopTimeout in the task"},
    {"fargate", 30, 120, "stopTimeout in the task"},
    {"cloud-run", 10, 10, ""},
    {"heroku", 30, 30, ""},
    {"nomad", 5, 30, "kill_timeout in the task"},
};

bool conf_knows_platform(const char *name) {
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (strcmp(limits[i].name, name) == 0)
            return true;
    return false;
}

static void advise_grace(struct load *load, const struct limit *limit) {
    span grace = load->config->model.policy.grace;
    struct place where = where_of(load->lastcall, K_GRACE);
    if (load->options->given[K_GRACE])
        where = (struct place){0};
    else if (!load->lastcall && load->n_sources > 0)
        where = (struct place){load->sources[0].name, 1};
    if (is_forever(grace))
        return;
    if (limit->most != 0 && grace.ns > SEC(limit->most).ns)
        warning_at(load, where, "grace = %s, and %s kills after %s; no more than that", seconds(load, grace), limit->name,
                   seconds(load, SEC(limit->most)));
    else if (grace.ns > SEC(limit->given).ns)
        warning_at(load, where, "grace = %s, and %s kills after %s unless it is told; the same there: %s", seconds(load, grace),
                   limit->name, seconds(load, SEC(limit->given)), limit->set);
}

static void advise_platform(struct load *load) {
    for (size_t i = 0; i < sizeof limits / sizeof *limits && load->facts->platform; i++)
        if (strcmp(limits[i].name, load->facts->platform) == 0)
            advise_grace(load, &limits[i]);
}

/* ---- the sharing of the grace ---- */

/* One promise that leaves the others less than a quarter. */
static void advise_crowd(struct load *load, struct place where, const char *name, span guarantee) {
    const struct policy *policy = &load->config->model.policy;
    span all = minus(policy->grace, policy->reserve);
    bool alone = load->n_services + load->n_steps == 1;
    if (alone || is_forever(guarantee) || is_forever(policy->grace) || guarantee.ns <= all.ns / 4 * 3)
        return;
    warning_at(load, where, "%s is promised %s of the %s that there are, which crowds out the rest; less, or a longer grace",
               name, seconds(load, guarantee), seconds(load, all));
}

/* ---- stop signals that well-known programs take otherwise than one thinks ---- */

static const struct program { char name[10]; uint8_t signal, better; const char *does; } programs[] = {
    {"nginx", 15, 3, "cuts its connections on"},  {"nginx", 2, 3, "cuts its connections on"},
    {"httpd", 15, 28, "cuts its connections on"}, {"apache2", 15, 28, "cuts its connections on"},
    {"php-fpm", 15, 3, "cuts its requests on"},   {"php-fpm", 2, 3, "cuts its requests on"},
    {"haproxy", 15, 10, "cuts its connections on"}, {"haproxy", 2, 10, "cuts its connections on"},
    {"postgres", 15, 2, "waits for all of its clients to leave on"},
    {"postgres", 3, 2, "aborts, and has to recover when it starts again, on"},
};

/* "/usr/sbin/php-fpm8.2" is php-fpm, and so is what an image calls php-fpm-foreground; the word ends at a blank. */
static bool is_program(const char *word, const char *name) {
    size_t n = strcspn(word, " \t\n;"), length = strlen(name);
    const char *base = word;
    for (size_t i = 0; i < n; i++)
        if (word[i] == '/')
            base = word + i + 1;
    n -= (size_t)(base - word);
    if (n < length || memcmp(base, name, length) != 0)
        return false;
    base += length;
    n -= length;
    return strspn(base, "0123456789.") >= n || (n == strlen("-foreground") && memcmp(base, "-foreground", n) == 0);
}

static void advise_signal(struct load *load, const struct service *service, const struct service_spec *spec,
                          const struct section *section) {
    struct words words;
    char name[SIGNAME_ROOM], better[SIGNAME_ROOM];
    if (service->has_stop_command || service->type == TYPE_ONESHOT || !lint_words(&words, &spec->run))
        return;
    size_t at = lint_program(&words);
    const char *becomes = lint_becomes(&words, at), *word = becomes ? becomes : words.argv[at];
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        const struct program *program = &programs[i];
        if (service->stop[0].signal != program->signal || !is_program(word, program->name))
            continue;
        warning_at(load, where_of(section, K_STOP_SIGNAL), "%s %s %s; stop-signal = %s", program->name, program->does,
                   signame(program->signal, name), signame(program->better, better));
    }
}

/* ---- services and each other ---- */

static void advise_after(struct load *load, const struct service *service, const struct section *section) {
    for (uint16_t i = 0; i < service->n_after; i++) {
        const struct service *first = &load->services[service->after[i]];
        struct place where = where_of(section, K_AFTER);
        if (first->main && first->type == TYPE_ONESHOT)
            warning_at(load, where, "%s never starts: it comes after %s, whose end is the end of all; after = another, or no main there",
                       service->name, first->name);
        else if (!first->essential && first->restart == RESTART_NO)
            warning_at(load, where, "%s never starts if %s fails, for nothing starts that again; restart = on-failure in [service %s]",
                       service->name, first->name, first->name);
    }
}

/* The port at the end of "127.0.0.1:8080", or of a URL's host, where 80 need not be written; "" if there is none. */
static struct piece port_of(const struct check_policy *check) {
    const char *host = strstr(check->target, "://"), *colon;
    host = host ? host + 3 : check->target;
    size_t n = strcspn(host, "/");
    for (colon = host + n; colon > host && colon[-1] >= '0' && colon[-1] <= '9'; colon--)
        continue;
    if (strncmp(host, "unix:", 5) == 0)
        return (struct piece){0};
    if (colon > host && colon[-1] == ':')
        return (struct piece){colon, (size_t)(host + n - colon)};
    return check->kind == CHECK_HTTP ? (struct piece){"80", 2} : (struct piece){0};
}

static bool lists(const struct section *section, struct piece port) {
    uint32_t number, other;
    for (const struct entry *entry = section ? section->entries : NULL; entry; entry = entry->next) {
        const char *ports = entry->key == K_PORTS ? entry->text : "";
        for (struct piece piece; (piece = piece_next(&ports, true)).n;)
            if (piece_number(port, UINT16_MAX, &number) && piece_number(piece, UINT16_MAX, &other) && number == other)
                return true;
    }
    return false;
}

/* Only where ports are written: else that of `ready` is the service's. */
static void advise_port(struct load *load, const struct service *service, const struct section *section) {
    uint16_t ready = load->units[service->first_unit].ready;
    const struct check_policy *check = ready == NONE ? NULL : &load->checks[ready];
    bool written = entry_of(section, K_PORTS) || entry_of(load->lastcall, K_PORTS);
    if (!written || !check || !check->target || (check->kind != CHECK_HTTP && check->kind != CHECK_TCP) ||
        (service->main && load->options->given[K_PORTS]))
        return;
    struct piece port = port_of(check);
    bool known = port.n == 0 || lists(load->lastcall, port);
    for (uint16_t i = 0; i < load->n_services && !known; i++)
        known = lists(load->of_service[i], port);
    if (!known)
        warning_at(load, where_of(section, K_READY), "it is ready when %s answers, and no service names that port in its ports; "
                   "it there too", check->target);
}

/* ---- checkpoints ---- */

static const char vanishing[][9] = {"/tmp", "/run", "/var/run", "/dev/shm"};

static void advise_store(struct load *load, struct place where, const char *dir) {
    for (size_t i = 0; i < sizeof vanishing / sizeof *vanishing; i++) {
        size_t n = strlen(vanishing[i]);
        if (strncmp(dir, vanishing[i], n) == 0 && (!dir[n] || dir[n] == '/'))
            warning_at(load, where, "%s is gone when the container is; a directory on a volume", dir);
    }
}

static void advise_restore(struct load *load, const struct checkpoint_policy *checkpoint, const struct checkpoint_spec *spec,
                           const struct section *section) {
    if (!checkpoint->has_restore || spec->if_missing || spec->only_if.text)
        return;
    if (checkpoint->on_restart)
        warning_at(load, where_of(section, K_RESTORE_ON), "each restart brings back what was before, and nothing guards what is newer; "
                   "restore-if-missing = what the restore makes, or only-if");
    else
        warning_at(load, where_of(section, K_RESTORE), "nothing guards what is newer than the checkpoint; "
                   "restore-if-missing = what the restore makes, or only-if");
}

static void advise_save(struct load *load, const struct step_policy *step, const struct section *section) {
    const struct service *service = step->for_service == NONE ? NULL : &load->services[step->for_service];
    if (step->phase == PH_SAVE && service && service->type == TYPE_ONESHOT)
        warning_at(load, where_of(section, K_FOR), "nothing is taken at the stop: %s is a oneshot, and does not run any more or has "
                   "not done its work; when = after-stop", service->name);
    if (step->phase != PH_N && is_forever(step->guarantee))
        advise_crowd(load, step->timeout_where, step->name, step->timeout);
}

static void advise_checkpoint(struct load *load, uint16_t i) {
    const struct checkpoint_policy *checkpoint = &load->checkpoints[i];
    const struct checkpoint_spec *spec = &load->checkpoint_specs[i];
    const struct section *section = load->of_step[checkpoint->step];
    const struct command *commands[] = {&spec->restore, &spec->only_if};
    advise_restore(load, checkpoint, spec, section);
    advise_save(load, &load->steps[checkpoint->step], section);
    unset_in_commands(load, &load->step_specs[checkpoint->step].in, commands, sizeof commands / sizeof *commands);
    if (entry_of(section, K_DIR))
        advise_store(load, where_of(section, K_DIR), spec->dir);
    if (spec->keep == 1)
        warning_at(load, where_of(section, K_KEEP), "there is no other one if the latest turns out damaged; keep = 2");
}

static void advise_checkpoints(struct load *load) {
    struct value dir;
    for (uint16_t i = 0; i < load->n_checkpoints; i++)
        advise_checkpoint(load, i);
    if (load->n_checkpoints > 0 && value_of(load, K_CHECKPOINT_DIR, &dir))
        advise_store(load, dir.where, dir.text);
}

/* ---- all ---- */

/* Those of [lastcall] are the same in all. */
static void advise_variables(struct load *load, uint16_t i, const struct section *section) {
    const struct service_spec *spec = &load->service_specs[i];
    const struct unit_policy *unit = &load->units[i];
    const struct command *commands[] = {
        &spec->run, &spec->stop, &spec->reload, unit->ready == NONE ? &spec->run : &load->check_commands[unit->ready],
        unit->live == NONE ? &spec->run : &load->check_commands[unit->live],
    };
    unset_in_commands(load, &spec->in, commands, sizeof commands / sizeof *commands);
    if (i == 0)
        unset_in_values(load, &spec->in, load->lastcall, K_ENV, 0);
    unset_in_values(load, &spec->in, section, K_ENV, unset_values_of(load->lastcall, K_ENV));
}

static void advise_service(struct load *load, uint16_t i) {
    const struct service *service = &load->services[i];
    const struct service_spec *spec = &load->service_specs[i];
    const struct section *section = load->of_service[i];
    advise_crowd(load, where_of(section, K_GUARANTEE), service->name, service->guarantee);
    if (!spec->run.text)
        lint_command(load, &spec->run); /* the command line's */
    advise_signal(load, service, spec, section);
    advise_after(load, service, section);
    advise_port(load, service, section);
    advise_variables(load, i, section);
}

static void advise_step(struct load *load, uint16_t i) {
    const struct step_spec *spec = &load->step_specs[i];
    const struct command *commands[] = {&spec->act, &spec->only_if, &spec->undo};
    advise_crowd(load, where_of(load->of_step[i], K_STEP_GUARANTEE), load->steps[i].name, load->steps[i].guarantee);
    unset_in_commands(load, &spec->in, commands, sizeof commands / sizeof *commands);
    unset_in_values(load, &spec->in, load->of_step[i], K_STEP_ENV, 0);
}

void advise(struct load *load) {
    if (load->voice.findings->errors || !load->facts->advise)
        return;
    advise_platform(load);
    for (uint16_t i = 0; i < load->n_services; i++)
        advise_service(load, i);
    for (uint16_t i = 0; i < load->n_steps; i++)
        advise_step(load, i);
    advise_checkpoints(load);
}
