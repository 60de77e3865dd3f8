/* conf/load.h: the state of one conf_load, shared by conf's own files alone.
 *
 * First ini.c reads all files into sections with their entries. Then load.c gives every section its
 * place in the arrays of struct config and has each value parsed into it (values.c, checks.c,
 * names.c). Last, what needs the whole is made and checked: orders, defaults that depend on others,
 * sums. Errors never stop a pass, so that all are found; the arrays are used only if there was none.
 */
#ifndef CONF_LOAD_H
#define CONF_LOAD_H

#include "conf/conf.h"
#include "conf/findings.h"
#include "conf/keys.h"

struct entry {
    struct entry *next;
    const char *text;
    uint32_t line;
    uint16_t key;
    bool said;             /* parsed once: a default of [lastcall] says only once what is wrong */
};

struct section {
    struct section *next;  /* in the order of the files */
    const char *name;      /* "" for [lastcall] */
    struct place where;
    unsigned kind;
    uint16_t index;        /* of its service or step */
    struct entry *entries; /* in the file's order */
    struct entry **last;
    bool damaged;          /* a line of it could not be used: what it lacks may have stood there */
};

/* A value and where it was said, for findings. */
struct value {
    const char *text;
    const char *origin;    /* "--grace", "LASTCALL_GRACE"; NULL: a file's key */
    struct place where;
};

struct step_after;

struct load {
    struct voice voice;
    const struct options *options;
    const struct facts *facts;
    const struct source *sources;
    uint32_t n_sources;
    struct config *config;
    struct section *sections, **last_section, *lastcall; /* lastcall NULL: not written */
    /* What config will point to. */
    struct service *services;
    struct service_spec *service_specs;
    struct unit_policy *units;
    struct check_policy *checks;
    struct command *check_commands;
    struct step_policy *steps;
    struct step_spec *step_specs;
    struct checkpoint_policy *checkpoints;
    struct checkpoint_spec *checkpoint_specs;
    struct section **of_service, **of_step; /* by index */
    struct step_after *step_afters;         /* parallel to steps */
    uint16_t n_services, n_steps, n_drains, n_checkpoints, n_checks;
    struct place checkpoint_signal;         /* of `signals`, where one means a checkpoint; else line 0 */
    bool single, ports_known, net_checks;
};

/* What a step's `after` names; not written: the step above it. */
struct step_after { const uint16_t *v; uint16_t n; bool written; };

/* One value on its way into a field. */
struct spot {
    struct load *load;
    const struct key *key;
    const struct value *value;
    struct section *section;       /* NULL: an option, a single command */
    void *into;
    uint16_t index;                /* of the service or step */
};

/* What a parser returns: NULL if all is well; else why not ("" if "write …" says it all). REPORTED if it
 * has said so itself. */
extern const char REPORTED[];
typedef const char *parser(struct spot *spot, const char *text);
#define TYPE(id, name, ...) parser parse_##name;
#include "conf/types.def"
#undef TYPE
struct type { parser *parse; const char *write; };
extern const struct type types[T_N];

/* Parses one value into its field and says what is wrong with it. */
bool spot_parse(struct spot *spot);

/* say.c */
#define error_at(load, where, ...) say(&(load)->voice, where, LEVEL_ERROR, __VA_ARGS__)
#define warning_at(load, where, ...) say(&(load)->voice, where, LEVEL_WARNING, __VA_ARGS__)
void too_large(struct load *load);

/* ini.c: one file into sections. */
void ini_read(struct load *load, const struct source *source);

/* words of a value: blanks and commas part them. */
struct piece { const char *text; size_t n; };
/* The next piece, n 0 at the end. commas: one parts pieces too; where one stands alone it is a piece, so that
 * an empty item is noticed. */
struct piece piece_next(const char **at, bool commas);
bool piece_is(struct piece piece, const char *word);
bool piece_span(struct piece piece, span *into);
bool piece_number(struct piece piece, uint32_t most, uint32_t *into);

/* names.c */
struct section *section_find(const struct load *load, unsigned kinds, const char *name, size_t n);
bool name_is_good(const char *name, size_t n);
static inline struct step_after *step_after_of(const struct load *load, uint16_t step) { return &load->step_afters[step]; }

/* order.c: the longest `after` path below each of n nodes into level. after(context, node, i) is the i-th
 * name that a node waits for, NONE behind the last. false: there is a cycle; *cycle is one of its nodes. */
typedef uint16_t after_of(const void *context, uint16_t node, uint16_t i);
bool order_levels(after_of *waits_for, const void *context, uint16_t n, uint16_t *level, uint8_t *mark, uint16_t *cycle);

/* The text of a key of [lastcall] or of an option, if it was given. */
bool value_of(const struct load *load, enum key_id id, struct value *into);
struct place where_of(const struct section *section, enum key_id id);
const struct entry *entry_of(const struct section *section, enum key_id id);

/* services.c, steps.c, checkpoints.c, policy.c: what needs the whole. */
void finish_services(struct load *load);
void finish_steps(struct load *load);
void finish_checkpoints(struct load *load);
void finish_policy(struct load *load);
/* A cycle's nodes by name, "a -> b -> a". */
typedef const char *node_name(const void *context, uint16_t node);
const char *order_cycle(struct arena *arena, after_of *waits_for, node_name *name, const void *context,
                        const uint8_t *mark, uint16_t start);

/* advice.c: what only `check` says, when all is known. */
void advise(struct load *load);

struct words;
/* unset.c: warnings about variables that nothing sets. What an env-file will bring is not known. */
void unset_in_commands(struct load *load, const struct surroundings *in, const struct command *const *commands, size_t n);
/* n_before: how many of in->env come before those of this section. */
void unset_in_values(struct load *load, const struct surroundings *in, const struct section *section, enum key_id id,
                     size_t n_before);
size_t unset_values_of(const struct section *section, enum key_id id);
/* lint.c: warnings about a command that swallows signals. */
void lint_command(struct load *load, const struct command *command);
/* A command's words, as they were written. */
bool lint_words(struct words *words, const struct command *command);
/* The word at which the program stands, behind env, gosu, an image's entry script and their like. */
size_t lint_program(const struct words *words);
/* Where the script of a shell at that word names what it becomes by exec; NULL: it does not. */
const char *lint_becomes(const struct words *words, size_t at);

#endif
