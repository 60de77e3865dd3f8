/* What is right or wrong with checkpoints only when all sections are known, and where their stores are. */
#include <string.h>

#include "conf/load.h"
#include "model/checkpoint.h"

_Static_assert(MAX_STORE + CHECKPOINT_ID + 24 <= CHECKPOINT_PATH, "an attempt's directory has room in a result");

static struct step_policy *step_of(const struct load *load, uint16_t i) { return &load->steps[load->checkpoints[i].step]; }
static const struct section *section_of(const struct load *load, uint16_t i) { return load->of_step[load->checkpoints[i].step]; }
static bool is_damaged(const struct load *load, uint16_t i) { return section_of(load, i)->damaged; }

/* ---- stores ---- */

/* `dir`, or NAME in `checkpoint-dir`. */
static void set_store(struct load *load, uint16_t i) {
    struct checkpoint_spec *spec = &load->checkpoint_specs[i];
    struct value value = {.text = key_text(keys[K_CHECKPOINT_DIR].fallback), .where = step_of(load, i)->where};
    struct out out;
    size_t n;
    if (spec->dir)
        value = (struct value){.text = spec->dir, .where = where_of(section_of(load, i), K_DIR)};
    else
        value_of(load, K_CHECKPOINT_DIR, &value);
    n = strlen(value.text);
    out = text_open(load->voice.arena);
    out_bytes(&out, value.text, n - (n > 0 && value.text[n - 1] == '/'));
    if (!spec->dir) {
        out_char(&out, '/');
        out_text(&out, step_of(load, i)->name);
    }
    spec->dir = text_close(load->voice.arena, &out);
    if (strlen(spec->dir) > MAX_STORE)
        error_at(load, value.where, "the store of [checkpoint %s] would have a name of more than 200 bytes; a shorter dir",
                 step_of(load, i)->name);
}

static bool is_within(const char *path, const char *dir) {
    size_t n = strlen(dir);
    return strncmp(path, dir, n) == 0 && (!path[n] || path[n] == '/');
}

/* Each cleans its own up. */
static void check_store(struct load *load, uint16_t i) {
    const char *dir = load->checkpoint_specs[i].dir;
    for (uint16_t j = 0; j < i; j++) {
        const char *other = load->checkpoint_specs[j].dir;
        if (is_damaged(load, i) || is_damaged(load, j) || (!is_within(dir, other) && !is_within(other, dir)))
            continue;
        error_at(load, where_of(section_of(load, i), K_DIR), strcmp(dir, other) == 0
                 ? "%s is the store of [checkpoint %s] already; another dir"
                 : "the stores %s and that of [checkpoint %s] lie one within the other; another dir",
                 dir, step_of(load, j)->name);
        return;
    }
}

/* ---- keys that need each other ---- */

struct reason { const char *about, *instead; };

static void refuse(struct load *load, uint16_t i, const enum key_id *ids, size_t n, struct reason reason) {
    const struct section *section = section_of(load, i);
    for (size_t k = 0; k < n; k++)
        if (entry_of(section, ids[k]))
            error_at(load, where_of(section, ids[k]), "%s is about %s; %s", key_name(&keys[ids[k]]), reason.about, reason.instead);
}

#define REFUSE(load, i, ids, ...) refuse(load, i, ids, sizeof(ids) / sizeof *(ids), (struct reason){__VA_ARGS__})

static const enum key_id of_save[] = {K_EVERY, K_KEEP, K_HASH, K_STDOUT, K_TIMEOUT};
static const enum key_id of_restore[] = {K_RESTORE_IF_MISSING, K_RESTORE_ONLY_IF, K_RESTORE_ON, K_RESTORE_FAILURE};
static const enum key_id of_stop[] = {K_STEP_AFTER, K_STEP_GUARANTEE, K_REQUIRED};

static void check_keys(struct load *load, uint16_t i) {
    const struct checkpoint_policy *checkpoint = &load->checkpoints[i];
    const struct step_policy *step = step_of(load, i);
    bool never = step->phase == PH_N, restores_only = never && checkpoint->has_restore && !checkpoint->has_save;
    if (!checkpoint->has_save && !restores_only && !is_damaged(load, i))
        error_at(load, step->where, "[checkpoint %s] has no command; command = what saves%s", step->name,
                 checkpoint->has_restore ? ", or when = never if it only restores" : "");
    if (restores_only)
        REFUSE(load, i, of_save, "the command, and there is none", "command = what saves");
    if (!checkpoint->has_restore)
        REFUSE(load, i, of_restore, "the restore, and there is none", "restore = a command");
    if (never)
        REFUSE(load, i, of_stop, "the stop, and when = never", "before-stop or after-stop there");
}

static void check_after(struct load *load, uint16_t i) {
    const struct step_policy *step = step_of(load, i);
    const struct step_after *after = step_after_of(load, load->checkpoints[i].step);
    for (uint16_t k = 0; k < after->n && step->phase != PH_N; k++) {
        const struct step_policy *other = &load->steps[after->v[k]];
        if (other->phase != step->phase)
            error_at(load, where_of(section_of(load, i), K_STEP_AFTER),
                     "[checkpoint %s] has another when, and after is between those with the same; after without it", other->name);
    }
}

static void check_service(struct load *load, uint16_t i) {
    const struct checkpoint_policy *checkpoint = &load->checkpoints[i];
    uint16_t service = step_of(load, i)->for_service;
    if (service == NONE && checkpoint->on_restart && !is_damaged(load, i))
        error_at(load, where_of(section_of(load, i), K_RESTORE_ON), "a restart is one of a service; for = SERVICE");
    if (service != NONE && load->services[service].type == TYPE_ONESHOT && !is_forever(checkpoint->every))
        error_at(load, where_of(section_of(load, i), K_EVERY),
                 "%s is a oneshot, and is not ready before it has ended; type = service there, or no every", load->services[service].name);
}

static void check_times(struct load *load, uint16_t i) {
    const struct checkpoint_policy *checkpoint = &load->checkpoints[i];
    const struct step_policy *step = step_of(load, i);
    if (checkpoint->every.ns < SEC(1).ns)
        error_at(load, where_of(section_of(load, i), K_EVERY), "every must be 1s at least; as every = 10m");
    if (checkpoint->has_save && is_forever(step->timeout))
        warning_at(load, step->where, "[checkpoint %s] has no timeout: it may use all the time there is; timeout = 5s", step->name);
}

/* ---- all ---- */

static void finish_checkpoint(struct load *load, uint16_t i) {
    struct checkpoint_policy *checkpoint = &load->checkpoints[i];
    const struct checkpoint_spec *spec = &load->checkpoint_specs[i];
    checkpoint->has_save = load->step_specs[checkpoint->step].act.text != NULL;
    checkpoint->has_restore = spec->restore.text != NULL;
    set_store(load, i);
    check_store(load, i);
    check_keys(load, i);
    check_after(load, i);
    check_service(load, i);
    check_times(load, i);
}

void finish_checkpoints(struct load *load) {
    bool any = false;
    for (uint16_t i = 0; i < load->n_checkpoints; i++) {
        finish_checkpoint(load, i);
        any = any || load->checkpoints[i].has_save || is_damaged(load, i);
    }
    if (load->checkpoint_signal.line && !any)
        error_at(load, load->checkpoint_signal, "there is no [checkpoint] that could be taken; one with a command, or another meaning");
}
