/* conf/keys.h: the keys of a file and the options, from keys.def; their types, from types.def.
 */
#ifndef CONF_KEYS_H
#define CONF_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum key_id {
#define KEY(id, ...) K_##id,
#include "conf/keys.def"
#undef KEY
    K_N
};

enum type_id {
#define TYPE(id, ...) T_##id,
#include "conf/types.def"
#undef TYPE
    T_N
};

/* Kinds of section, as bits; steps in the order of the model. */
enum { IN_LASTCALL = 1, IN_SERVICE = 2, IN_DRAIN = 4, IN_CHECKPOINT = 8, IN_FINISH = 16 };

/* Which struct a key fills in. */
enum place_in { AT_NOTHING, AT_CONFIG, AT_SERVICE, AT_SPEC, AT_UNIT, AT_STEP, AT_ACT, AT_CHECKPOINT, AT_STORE, AT_N };

enum { KEY_LIST = 1, KEY_ADD = 2, KEY_AUTO = 4, KEY_OPTION = 8, KEY_NO_ENV = 16, KEY_NO_VALUE = 32 };

/* Texts are places in one pool, which is half the size of a table of pointers. */
struct key {
    uint16_t name, fallback, argument, help;
    uint16_t at;                      /* bytes into the struct that `in` names */
    uint8_t sections, type, in, flags;
    char letter;                      /* 0: none */
};
extern const struct key keys[K_N];
const char *key_text(uint16_t place); /* "" where keys.def has none */
static inline const char *key_name(const struct key *key) { return key_text(key->name); }

enum { VARIABLE_ROOM = 40 };
/* The option's variable: "LASTCALL_STOP_SIGNAL". Returns buffer. */
const char *key_variable(const struct key *key, char buffer[static VARIABLE_ROOM]);
/* The option whose variable an assignment sets; K_N if it is none of ours. */
enum key_id key_of_variable(const char *assignment);
/* The option with this name or this letter; K_N if there is none. */
enum key_id key_of_option(const char *name, size_t n);
enum key_id key_of_letter(char letter);
/* The key that may stand in a section of this kind ([lastcall] takes those of services too). */
enum key_id key_of_section(unsigned kind, const char *name);
/* The nearest of what may stand in such a section (kind), or of the options (kind 0); K_N if none is
 * near enough to be what was meant. */
enum key_id key_nearest(unsigned kind, const char *name, size_t n);
/* Edits that make a out of b, at most `limit` + 1. */
unsigned edits(const char *a, size_t na, const char *b, size_t nb, unsigned limit);

/* "lastcall", "service", … to its bit, 0 if it is none; and back. */
unsigned section_kind(const char *word, size_t n);
const char *section_kind_name(unsigned kind);

#endif
