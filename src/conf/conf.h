/* conf/conf.h: from words, variables and files to a configuration that is whole, or to findings.
 *
 * Pure: the caller reads the files and passes their bytes. Everything is checked before anything is
 * used; all that is wrong is found in one go, each with its place and what to write instead. All
 * memory comes from the caller's arena, strings are copied there or point into argv, envp and sources.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "model/arena.h"
#include "model/spec.h"
#include "text/out.h"

enum level { LEVEL_ERROR, LEVEL_WARNING };

struct finding {
    const char *file;  /* NULL: the command line or the environment */
    uint32_t line;     /* 0: none */
    uint8_t level;
    const char *text;  /* one sentence, says what to write instead */
};
/* Zeroed before its first use; v grows in the arena, room is its own business. */
struct findings {
    struct finding *v; /* in the order of file and line */
    uint32_t n, errors, room;
    uint32_t usage;    /* errors of the command line or a variable: exit 2 rather than 78 */
};

/* Options as given, before any file has been read. */
struct options {
    const char *const *paths; /* of -c, as given; n_paths 0: a single command */
    uint32_t n_paths;
    char *const *command;     /* argv of COMMAND, ends with NULL; NULL: none */
    bool help, version;
    const char **given;       /* by enum key_id (conf/keys.h): value of the option, or of its variable; what
                               * may repeat is joined with commas; NULL: neither */
    const char **origin;      /* by key: "--grace" or "LASTCALL_GRACE", for messages */
};

/* Reads argv[1..] and LASTCALL_*; stops at the first word that is no option. false: findings has
 * errors (usage: exit 2). */
bool conf_options(int argc, char *const *argv, char *const *envp, struct arena *arena,
                  struct options *options, struct findings *findings);

struct source { const char *name; const char *text; size_t bytes; };

struct facts {
    char *const *envp;     /* for `auto` and for the children's environment */
    bool pid1, terminal;   /* terminal: stdin is one */
    bool advise;           /* find what is no mistake, and yet hardly meant; platform: NULL, or one that conf_knows */
    const char *platform;
    bool phases_only;      /* prestop by itself, check, plan: a configuration without services will do */
};

bool conf_knows_platform(const char *name);

/* Sources in the order of their paths. false: findings has errors (exit 2 if some are of usage, else 78),
 * and config must not be used. Warnings alone leave true. */
bool conf_load(const struct options *options, const struct source *sources, uint32_t n_sources,
               const struct facts *facts, struct arena *arena, struct config *config,
               struct findings *findings);

/* The options, one a line, at most 79 columns. */
void conf_help(struct out *out);

/* Whether NAME (up to '=') is one of lastcall's own variables, which no child inherits:
 * every option's LASTCALL_<NAME>. */
bool conf_is_own_variable(const char *assignment);

#endif
