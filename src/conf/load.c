/* From sections to the arrays of struct config. */
#include <string.h>

#include "conf/load.h"

const struct entry *entry_of(const struct section *section, enum key_id id) {
    const struct entry *entry = section ? section->entries : NULL;
    while (entry && entry->key != id)
        entry = entry->next;
    return entry;
}

struct place where_of(const struct section *section, enum key_id id) {
    const struct entry *entry = entry_of(section, id);
    return entry ? (struct place){section->where.file, entry->line} : section ? section->where : (struct place){0};
}

static struct value option_value(const struct load *load, enum key_id id) {
    return (struct value){load->options->given[id], load->options->origin[id], {0}};
}

bool value_of(const struct load *load, enum key_id id, struct value *into) {
    const struct entry *entry = entry_of(load->lastcall, id);
    if (load->options->given[id]) {
        *into = option_value(load, id);
        return true;
    }
    if (entry)
        *into = (struct value){entry->text, NULL, {load->lastcall->where.file, entry->line}};
    return entry != NULL;
}

/* What one section's keys fill in. */
struct filling {
    void *in[AT_N];
    struct section *section;
    uint16_t index;
    bool options;   /* those for the main service count */
};

static void apply_value(struct load *load, const struct filling *filling, enum key_id id, struct value value) {
    char *base = filling->in[keys[id].in];
    struct spot spot = {
        .load = load, .key = &keys[id], .value = &value, .section = filling->section,
        .into = base ? base + keys[id].at : NULL, .index = filling->index,
    };
    spot_parse(&spot);
}

/* All entries of a key in one section; those of [lastcall] are applied to many, and complain once. */
static bool apply_entries(struct load *load, const struct filling *filling, enum key_id id, struct section *section) {
    bool any = false;
    for (struct entry *entry = section ? section->entries : NULL; entry; entry = entry->next) {
        uint32_t n = load->voice.findings->n, errors = load->voice.findings->errors;
        if (entry->key != id)
            continue;
        apply_value(load, filling, id, (struct value){entry->text, NULL, {section->where.file, entry->line}});
        if (entry->said) {
            load->voice.findings->n = n;
            load->voice.findings->errors = errors;
        }
        entry->said = any = true;
    }
    return any;
}

/* Command line over environment over file over default. */
static void apply_key(struct load *load, const struct filling *filling, enum key_id id) {
    struct section *own = filling->section, *general = own == load->lastcall ? NULL : load->lastcall;
    bool any = false;
    if ((keys[id].flags & KEY_OPTION) && filling->options && load->options->given[id]) {
        apply_value(load, filling, id, option_value(load, id));
        return;
    }
    if ((keys[id].flags & KEY_ADD) && general)
        any = apply_entries(load, filling, id, general);
    any |= apply_entries(load, filling, id, own);
    if (!any && general && filling->in[AT_SERVICE] && id != K_SERVICE_LOG)
        any = apply_entries(load, filling, id, general);
    if (!any && *key_text(keys[id].fallback))
        apply_value(load, filling, id, (struct value){.text = key_text(keys[id].fallback)});
}

static void apply_kind(struct load *load, const struct filling *filling, unsigned kind) {
    for (enum key_id id = 0; id < K_N; id++)
        if (keys[id].sections & kind)
            apply_key(load, filling, id);
}

static void apply_globals(struct load *load) {
    struct filling filling = {.in = {[AT_CONFIG] = load->config}, .section = load->lastcall, .options = true};
    apply_kind(load, &filling, IN_LASTCALL);
    for (enum key_id id = 0; id < K_N; id++) /* options alone; after `signals`, which they override */
        if (keys[id].sections == 0)
            apply_key(load, &filling, id);
}

enum { RESTART_UNSET = 0xff };

static void apply_service(struct load *load, uint16_t index, struct section *section, const char *name, bool main) {
    struct service *service = &load->services[index];
    struct unit_policy *unit = &load->units[index];
    struct filling filling = {
        .in = {[AT_SERVICE] = service, [AT_SPEC] = &load->service_specs[index], [AT_UNIT] = unit},
        .section = section, .index = index, .options = main,
    };
    *service = (struct service){
        .name = name, .where = section ? section->where : (struct place){0}, .restart = RESTART_UNSET,
        .first_unit = index, .n_units = 1, .success_codes = {1},
        .stop_timeout = FOREVER, .guarantee = FOREVER, .ready_timeout = FOREVER,
    };
    *unit = (struct unit_policy){.name = name, .service = index, .ready = NONE, .live = NONE};
    load->service_specs[index].in.umask = -1;
    load->of_service[index] = section;
    apply_kind(load, &filling, IN_SERVICE);
    bool general = !entry_of(section, K_STOP_TIMEOUT) && entry_of(load->lastcall, K_STOP_TIMEOUT);
    service->stop_where = where_of(general ? load->lastcall : section, K_STOP_TIMEOUT);
    if (main) {
        load->config->model.main = index;
        service->main = true;
    }
    if (service->restart == RESTART_UNSET)
        service->restart = service->main || service->type == TYPE_ONESHOT ? RESTART_NO : RESTART_ON_FAILURE;
}

/* By the words of `when`. */
static const uint8_t whens[] = {PH_SAVE, PH_SETTLE, PH_N};

/* What a checkpoint has beyond its step. */
static void apply_checkpoint(struct load *load, uint16_t index, struct filling *filling) {
    struct step_policy *step = filling->in[AT_STEP];
    load->checkpoints[index] = (struct checkpoint_policy){.step = filling->index, .every = FOREVER};
    filling->in[AT_CHECKPOINT] = &load->checkpoints[index];
    filling->in[AT_STORE] = &load->checkpoint_specs[index];
    step->checkpoint = index;
    step->action = DO_CHECKPOINT;
    step->phase = 0;
    apply_kind(load, filling, IN_CHECKPOINT);
    step->phase = whens[step->phase];
}

static void apply_step(struct load *load, struct section *section) {
    uint16_t index = section->index;
    struct step_policy *step = &load->steps[index];
    struct filling filling = {
        .in = {[AT_STEP] = step, [AT_ACT] = &load->step_specs[index]}, .section = section, .index = index,
    };
    *step = (struct step_policy){
        .name = section->name, .where = section->where, .timeout_where = where_of(section, K_TIMEOUT),
        .phase = section->kind == IN_DRAIN ? PH_DRAIN : PH_FINISH, .action = DO_COMMAND,
        .target = NONE, .for_service = NONE, .run_if_step = NONE, .every = SEC(1),
        .timeout = FOREVER, .guarantee = FOREVER,
    };
    load->step_specs[index].in.umask = -1;
    load->of_step[index] = section;
    if (section->kind == IN_CHECKPOINT)
        apply_checkpoint(load, (uint16_t)(index - load->n_drains), &filling);
    else
        apply_kind(load, &filling, section->kind);
}

static bool says_main(const struct load *load, const struct section *section) {
    const struct entry *entry = entry_of(section, K_MAIN);
    if (!entry)
        entry = entry_of(load->lastcall, K_MAIN);
    return entry && strcmp(entry->text, "yes") == 0;
}

/* The one section with main = yes, and a finding for every other. */
static struct section *find_main(struct load *load) {
    struct section *main = NULL;
    for (struct section *section = load->sections; section; section = section->next) {
        if (section->kind != IN_SERVICE || !says_main(load, section))
            continue;
        if (main)
            error_at(load, where_of(section, K_MAIN), "[service %s] is main, but so is [service %s] in %s; main = yes once",
                     section->name, main->name, place_text(load->voice.arena, main->where));
        else
            main = section;
    }
    return main;
}

/* Numbers the sections: services; drains, checkpoints, finishes; each in the order of the files. */
static void number_sections(struct load *load) {
    static const struct { uint16_t most; const char *text; } limits[] = {
        {MAX_SERVICES, "500 services"}, {MAX_STEPS, "250 drain, checkpoint and finish sections"},
    };
    for (unsigned kind = IN_SERVICE; kind <= IN_FINISH; kind <<= 1) {
        uint16_t *n = kind == IN_SERVICE ? &load->n_services : &load->n_steps;
        for (struct section *section = load->sections; section; section = section->next)
            if (section->kind == kind) {
                section->index = (*n)++;
                if (section->index == limits[kind != IN_SERVICE].most)
                    error_at(load, section->where, "there are more than %s; fewer", limits[kind != IN_SERVICE].text);
                if (kind == IN_CHECKPOINT && section->index - load->n_drains == MAX_CHECKPOINTS)
                    error_at(load, section->where, "there are more than 32 checkpoint sections; fewer");
            }
        if (kind == IN_DRAIN)
            load->n_drains = load->n_steps;
        else if (kind == IN_CHECKPOINT)
            load->n_checkpoints = (uint16_t)(load->n_steps - load->n_drains);
    }
}

static bool make_arrays(struct load *load) {
    struct arena *arena = load->voice.arena;
    size_t services = load->n_services + 1u, steps = load->n_steps + 1u; /* one more: the command line's */
    load->services = arena_take(arena, services * sizeof *load->services);
    load->service_specs = arena_take(arena, services * sizeof *load->service_specs);
    load->units = arena_take(arena, services * sizeof *load->units);
    load->checks = arena_take(arena, 2 * services * sizeof *load->checks);
    load->check_commands = arena_take(arena, 2 * services * sizeof *load->check_commands);
    load->of_service = arena_take(arena, services * sizeof *load->of_service);
    load->steps = arena_take(arena, steps * sizeof *load->steps);
    load->step_specs = arena_take(arena, steps * sizeof *load->step_specs);
    load->checkpoints = arena_take(arena, steps * sizeof *load->checkpoints);
    load->checkpoint_specs = arena_take(arena, steps * sizeof *load->checkpoint_specs);
    load->of_step = arena_take(arena, steps * sizeof *load->of_step);
    load->step_afters = arena_take(arena, steps * sizeof *load->step_afters);
    return load->services && load->service_specs && load->units && load->checks && load->check_commands &&
           load->of_service && load->steps && load->step_specs && load->checkpoints && load->checkpoint_specs &&
           load->of_step && load->step_afters;
}

/* COMMAND as the main service: in the section that says so, or in one of its own. */
static void apply_command(struct load *load, const struct section *main) {
    char *const *argv = load->options->command;
    const char *slash = strrchr(argv[0], '/'), *name = load->single ? slash && slash[1] ? slash + 1 : argv[0] : "main";
    const struct section *twin;
    uint16_t index = load->n_services;
    if (main) {
        if (load->service_specs[main->index].run.text)
            error_at(load, where_of(main, K_RUN),
                     "[service %s] is main and has a command, and the command line has another; one of them", main->name);
        load->service_specs[main->index].run = (struct command){.argv = argv};
        return;
    }
    twin = load->single ? NULL : section_find(load, IN_SERVICE, name, strlen(name));
    if (twin)
        error_at(load, twin->where, "the command line's command is the service main; main = yes in [service main] or another name");
    load->n_services++;
    apply_service(load, index, NULL, name, true);
    load->service_specs[index].run = (struct command){.argv = argv};
}

static void apply_sections(struct load *load) {
    struct section *main = find_main(load);
    for (struct section *section = load->sections; section; section = section->next) {
        if (section->kind == IN_SERVICE)
            apply_service(load, section->index, section, section->name, section == main);
        else if (section->kind != IN_LASTCALL)
            apply_step(load, section);
    }
    if (load->options->command)
        apply_command(load, main);
}

/* The signals' meanings before `signals` and --rewrite. */
static void default_signals(struct load *load) {
    static const uint8_t stops[] = {15, 2, 3, 30, RTMIN_BASE + 3, 28}; /* TERM INT QUIT PWR RTMIN+3 WINCH */
    struct signal_rule *rules = load->config->model.policy.signals;
    for (uint8_t sig = 1; sig <= SIGNAL_MAX; sig++)
        rules[sig] = (struct signal_rule){SIGNAL_FORWARD, sig};
    for (size_t i = 0; i < sizeof stops && !load->single; i++)
        rules[stops[i]].meaning = SIGNAL_STOP;
}

static void hand_over(struct load *load) {
    struct config *config = load->config;
    config->services = load->service_specs;
    config->steps = load->step_specs;
    config->checkpoints = load->checkpoint_specs;
    config->checks = load->check_commands;
    config->model.services = load->services;
    config->model.units = load->units;
    config->model.checks = load->checks;
    config->model.steps = load->steps;
    config->model.n_services = config->model.n_units = load->n_services;
    config->model.n_checks = load->n_checks;
    config->model.n_steps = load->n_steps;
    config->model.checkpoints = load->checkpoints;
    config->model.n_checkpoints = load->n_checkpoints;
}

static void load_all(struct load *load) {
    load->last_section = &load->sections;
    for (uint32_t i = 0; i < load->n_sources; i++)
        ini_read(load, &load->sources[i]);
    number_sections(load);
    if (load->n_services > MAX_SERVICES || load->n_steps > MAX_STEPS || load->n_checkpoints > MAX_CHECKPOINTS)
        return;
    if (!make_arrays(load)) {
        too_large(load);
        return;
    }
    default_signals(load);
    apply_globals(load);
    apply_sections(load);
    finish_services(load);
    finish_steps(load);
    finish_checkpoints(load);
    finish_policy(load);
    hand_over(load);
    advise(load);
}

bool conf_load(const struct options *options, const struct source *sources, uint32_t n_sources,
               const struct facts *facts, struct arena *arena, struct config *config,
               struct findings *findings) {
    struct load load = {
        .voice = {arena, findings}, .options = options, .facts = facts, .sources = sources,
        .n_sources = n_sources, .config = config, .single = options->n_paths == 0 && n_sources == 0,
    };
    *config = (struct config){0};
    config->model.main = NONE;
    config->model.policy.single = load.single;
    config->model.policy.pid1 = facts->pid1;
    load_all(&load);
    findings_sort(findings, sources, n_sources);
    return findings->errors == 0;
}
