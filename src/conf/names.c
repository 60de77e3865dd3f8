/* Names of sections, and the values that name other sections. */
#include <string.h>

#include "conf/load.h"
#include "text/signame.h"

bool name_is_good(const char *name, size_t n) {
    if (n == 0 || n > MAX_NAME || *name == '-')
        return false;
    for (size_t i = 0; i < n; i++)
        if (!(name[i] >= 'a' && name[i] <= 'z') && !(name[i] >= '0' && name[i] <= '9') && name[i] != '-')
            return false;
    return true;
}

struct section *section_find(const struct load *load, unsigned kinds, const char *name, size_t n) {
    struct section *section = load->sections;
    while (section && (!(section->kind & kinds) || strlen(section->name) != n || memcmp(section->name, name, n) != 0))
        section = section->next;
    return section;
}

/* The nearest name among sections of these kinds. */
static const char *nearest(const struct load *load, unsigned kinds, struct piece name) {
    const char *best = NULL;
    unsigned least = name.n < 3 ? 2 : 3;
    for (const struct section *section = load->sections; section; section = section->next) {
        unsigned distance;
        if (!(section->kind & kinds))
            continue;
        distance = edits(name.text, name.n, section->name, strlen(section->name), least);
        if (distance < least) {
            least = distance;
            best = section->name;
        }
    }
    return best;
}

/* The section that a value names, or a finding. `kind`: of the section, for the message. */
static const struct section *named(struct spot *spot, unsigned kinds, struct piece name) {
    struct load *load = spot->load;
    const struct section *section = section_find(load, kinds, name.text, name.n);
    const char *near, *text;
    if (section)
        return section;
    near = nearest(load, kinds, name);
    text = copy_text(load->voice.arena, name.text, name.n);
    error_at(load, spot->value->where, "%s = %s: there is no [%s %s]; %s", key_name(spot->key), spot->value->text,
             section_kind_name(kinds), text ? text : "", near ? near : "the name of a section that stands in the files");
    return NULL;
}

/* Appends to a list of at most MAX_AFTER. */
static const char *append(struct spot *spot, const uint16_t **list, uint16_t *n, uint16_t index) {
    for (uint16_t i = 0; i < *n; i++)
        if ((*list)[i] == index)
            return "a name stands twice";
    if (*n == MAX_AFTER)
        return "it has more than 32 names";
    if (!*list)
        *list = arena_take(spot->load->voice.arena, MAX_AFTER * sizeof **list);
    if (!*list)
        return "the configuration is too large";
    ((uint16_t *)*list)[(*n)++] = index;
    return NULL;
}

const char *parse_after_service(struct spot *spot, const char *text) {
    struct service *service = spot->into;
    const char *why = NULL;
    for (struct piece name; !why && (name = piece_next(&text, true)).n;) {
        const struct section *section = named(spot, IN_SERVICE, name);
        why = section ? append(spot, &service->after, &service->n_after, section->index) : REPORTED;
    }
    return why;
}

/* `none` leaves the list empty; load.c gives a step without `after` the one above it. */
const char *parse_after_step(struct spot *spot, const char *text) {
    const char *at = text, *why = NULL;
    struct step_after *after = step_after_of(spot->load, spot->index);
    after->written = true;
    if (piece_is(piece_next(&at, true), "none") && !piece_next(&at, true).n)
        return NULL;
    for (struct piece name; !why && (name = piece_next(&text, true)).n;) {
        const struct section *section = named(spot, spot->section->kind, name);
        why = section ? append(spot, &after->v, &after->n, section->index) : REPORTED;
    }
    return why;
}

static const char *one_service(struct spot *spot, const char *text, uint16_t *into) {
    struct piece name = piece_next(&text, true);
    const struct section *section;
    if (piece_next(&text, true).n)
        return "only one may stand here";
    section = named(spot, IN_SERVICE, name);
    if (!section)
        return REPORTED;
    *into = section->index;
    return NULL;
}

const char *parse_service(struct spot *spot, const char *text) { return one_service(spot, text, spot->into); }

const char *parse_wait_exit(struct spot *spot, const char *text) {
    struct step_policy *step = spot->into;
    step->action = DO_WAIT_EXIT;
    return one_service(spot, text, &step->target);
}

const char *parse_signal_to(struct spot *spot, const char *text) {
    struct step_policy *step = spot->into;
    struct piece name = piece_next(&text, false), sig = piece_next(&text, false);
    const struct section *section;
    step->action = DO_SIGNAL;
    step->signal = (uint8_t)signame_parse(sig.text, sig.n);
    if (!step->signal || piece_next(&text, false).n)
        return "";
    section = named(spot, IN_SERVICE, name);
    if (!section)
        return REPORTED;
    step->target = section->index;
    return NULL;
}

static const struct { char word[8]; uint8_t run_if; } endings[] = {
    {"done", RUN_IF_DONE}, {"failed", RUN_IF_FAILED}, {"timeout", RUN_IF_TIMEOUT},
};
enum { ENDINGS = sizeof endings / sizeof *endings };

/* "STEP done": a section of its own kind first, a finish may name a drain or a checkpoint as well. */
const char *parse_run_if(struct spot *spot, const char *text) {
    struct step_policy *step = spot->into;
    struct piece name = piece_next(&text, false), ending = piece_next(&text, false);
    unsigned kind = spot->section->kind;
    const struct section *section;
    size_t i = 0;
    while (i < ENDINGS && !piece_is(ending, endings[i].word))
        i++;
    if (i == ENDINGS || piece_next(&text, false).n)
        return "";
    if (kind == IN_FINISH && !section_find(spot->load, IN_FINISH, name.text, name.n))
        kind = section_find(spot->load, IN_DRAIN, name.text, name.n) ? IN_DRAIN : IN_CHECKPOINT;
    if (kind == IN_CHECKPOINT && !section_find(spot->load, IN_CHECKPOINT, name.text, name.n))
        kind = IN_DRAIN; /* for the message */
    section = named(spot, kind, name);
    if (!section)
        return REPORTED;
    step->run_if = endings[i].run_if;
    step->run_if_step = section->index;
    return NULL;
}
