#include "conf/keys.h"

#include <string.h>

#include "conf/conf.h"
#include "model/spec.h"
#include "text/out.h"

/* What "where" of keys.def stands for. */
struct nothing { char none; };
#define TYPE_OF_NOTHING struct nothing
#define TYPE_OF_CONFIG struct config
#define TYPE_OF_SERVICE struct service
#define TYPE_OF_SPEC struct service_spec
#define TYPE_OF_UNIT struct unit_policy
#define TYPE_OF_STEP struct step_policy
#define TYPE_OF_ACT struct step_spec
#define TYPE_OF_CHECKPOINT struct checkpoint_policy
#define TYPE_OF_STORE struct checkpoint_spec

enum { LASTCALL = IN_LASTCALL, SERVICE = IN_SERVICE, DRAIN = IN_DRAIN, CHECKPOINT = IN_CHECKPOINT, FINISH = IN_FINISH };
enum { LIST = KEY_LIST, ADD = KEY_ADD, AUTO = KEY_AUTO, OPTION = KEY_OPTION, NO_ENV = KEY_NO_ENV, NO_VALUE = KEY_NO_VALUE };

struct pool {
#define KEY(id, sections_, name_, type_, where, field, default_, flags_, letter_, argument_, help_) \
    char id##_name[sizeof name_], id##_default[sizeof default_], id##_argument[sizeof argument_], id##_help[sizeof help_];
#include "conf/keys.def"
#undef KEY
};
static const struct pool pool = {
#define KEY(id, sections_, name_, type_, where, field, default_, flags_, letter_, argument_, help_) \
    name_, default_, argument_, help_,
#include "conf/keys.def"
#undef KEY
};
_Static_assert(sizeof(struct pool) <= UINT16_MAX, "a place fits into 16 bits");

const char *key_text(uint16_t place) { return (const char *)&pool + place; }

#define KEY(id, sections_, name_, type_, where, field, default_, flags_, letter_, argument_, help_)            \
    [K_##id] = {.name = offsetof(struct pool, id##_name), .fallback = offsetof(struct pool, id##_default),      \
                .argument = offsetof(struct pool, id##_argument), .help = offsetof(struct pool, id##_help),     \
                .at = offsetof(TYPE_OF_##where, field), .sections = sections_, .type = T_##type_,               \
                .in = AT_##where, .flags = flags_, .letter = letter_},
const struct key keys[K_N] = {
#include "conf/keys.def"
};
#undef KEY

#define KEY(id, sections_, name_, ...) \
    _Static_assert(sizeof(name_) <= 24 && sizeof(name_) + 9 <= VARIABLE_ROOM, "the name " name_ " is too long");
#include "conf/keys.def"
#undef KEY

static const struct { char name[12]; uint8_t kind; } kinds[] = {
    {"lastcall", IN_LASTCALL}, {"service", IN_SERVICE}, {"drain", IN_DRAIN}, {"checkpoint", IN_CHECKPOINT},
    {"finish", IN_FINISH},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

unsigned section_kind(const char *word, size_t n) {
    for (size_t i = 0; i < KINDS; i++)
        if (strlen(kinds[i].name) == n && memcmp(kinds[i].name, word, n) == 0)
            return kinds[i].kind;
    return 0;
}

const char *section_kind_name(unsigned kind) {
    for (size_t i = 0; i < KINDS; i++)
        if (kinds[i].kind & kind)
            return kinds[i].name;
    return "";
}

static const char prefix[] = "LASTCALL_";

static char in_variable(char c) { return c == '-' ? '_' : (char)(c - 'a' + 'A'); }

const char *key_variable(const struct key *key, char buffer[static VARIABLE_ROOM]) {
    struct out out = out_on(buffer, VARIABLE_ROOM);
    out_text(&out, prefix);
    for (const char *c = key_name(key); *c; c++)
        out_char(&out, in_variable(*c));
    return buffer;
}

enum key_id key_of_variable(const char *assignment) {
    if (strncmp(assignment, prefix, sizeof prefix - 1) != 0)
        return K_N;
    assignment += sizeof prefix - 1;
    for (enum key_id id = 0; id < K_N; id++) {
        const char *name = key_name(&keys[id]);
        size_t n = 0;
        if (!(keys[id].flags & KEY_OPTION) || (keys[id].flags & KEY_NO_ENV))
            continue;
        while (name[n] && in_variable(name[n]) == assignment[n])
            n++;
        if (!name[n] && (assignment[n] == '=' || !assignment[n]))
            return id;
    }
    return K_N;
}

bool conf_is_own_variable(const char *assignment) { return key_of_variable(assignment) != K_N; }

enum key_id key_of_option(const char *name, size_t n) {
    enum key_id id = 0;
    while (id < K_N && (!(keys[id].flags & KEY_OPTION) || strncmp(key_name(&keys[id]), name, n) != 0 || key_name(&keys[id])[n]))
        id++;
    return id;
}

enum key_id key_of_letter(char letter) {
    enum key_id id = 0;
    while (id < K_N && (keys[id].letter != letter || !letter))
        id++;
    return id;
}

enum key_id key_of_section(unsigned kind, const char *name) {
    /* [lastcall]'s own keys first: its `log` is not the services'. */
    unsigned wanted[2] = {kind, kind == IN_LASTCALL ? IN_SERVICE : 0};
    for (size_t i = 0; i < 2; i++)
        for (enum key_id id = 0; id < K_N; id++) {
            const char *text = key_name(&keys[id]);
            bool family = id == K_LIMIT_NAME && strncmp(name, text, strlen(text)) == 0;
            if ((keys[id].sections & wanted[i]) && (family || strcmp(text, name) == 0))
                return id;
        }
    return K_N;
}

enum { EDIT_ROOM = 24 }; /* longer than any key */

unsigned edits(const char *a, size_t na, const char *b, size_t nb, unsigned limit) {
    unsigned row[EDIT_ROOM + 1];
    if (nb > EDIT_ROOM || na > nb + limit || nb > na + limit)
        return limit + 1;
    for (size_t j = 0; j <= nb; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= na; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= nb; j++) {
            unsigned best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[nb] <= limit ? row[nb] : limit + 1;
}

enum key_id key_nearest(unsigned kind, const char *name, size_t n) {
    enum key_id best = K_N;
    unsigned limit = n < 4 ? 1 : n < 8 ? 2 : 3, least = limit + 1;
    if (kind == IN_LASTCALL)
        kind |= IN_SERVICE;
    for (enum key_id id = 0; id < K_N; id++) {
        unsigned distance;
        if (kind ? !(keys[id].sections & kind) : !(keys[id].flags & KEY_OPTION))
            continue;
        distance = edits(name, n, key_name(&keys[id]), strlen(key_name(&keys[id])), limit);
        if (distance < least) {
            least = distance;
            best = id;
        }
    }
    return best;
}
