/* model/spec.h: what exec needs, and the settings that only the doing side reads.
 *
 * Command texts are kept as written and are split and expanded in the child, at each spawn. All
 * strings live in the configuration's arena.
 */
#ifndef MODEL_SPEC_H
#define MODEL_SPEC_H

#include "model/personality.h"
#include "model/policy.h"

struct command {
    const char *text;       /* as written, NULL if there is none or argv is set */
    char *const *argv;      /* the command line's COMMAND: taken as it is */
    struct place where;
};

/* Where a command runs. Lists end with NULL; NULL: none. */
struct surroundings {
    const char *cwd;              /* NULL: lastcall's own */
    const char *const *env;       /* NAME=text, expanded at the spawn */
    const char *const *env_file;  /* a leading '-': may be missing */
    const char *const *env_pass;  /* names kept under env-clear */
    bool env_clear;
    bool tty;                     /* keeps stdin and may have the terminal */
    int16_t umask;                /* -1: lastcall's own */
};

struct service_spec { struct surroundings in; struct command run, stop, reload; };
struct step_spec { struct surroundings in; struct command act, only_if, undo; };

/* A checkpoint's store, and its way back; its command and where that runs stand in its step_spec. */
struct checkpoint_spec {
    struct command restore, only_if; /* only_if: guards the restore */
    const char *dir;            /* of the store: `dir`, or NAME in checkpoint-dir */
    const char *if_missing;     /* restore-if-missing: no restore where it exists; NULL: none */
    const char *output;         /* stdout = FILE, within the checkpoint's directory; NULL: none */
    uint16_t keep;              /* 1 at least */
    bool hash;
};

enum log_format { LOG_TEXT, LOG_JSON };

struct config {
    struct model model;
    const struct service_spec *services; /* parallel to model.services */
    const struct step_spec *steps;       /* parallel to model.steps */
    const struct checkpoint_spec *checkpoints; /* parallel to model.checkpoints */
    const struct command *checks;        /* parallel to model.checks; text NULL unless CHECK_EXEC */
    const char *grace_from;              /* for the first line: "Kubernetes default, not set: write grace =" */
    const char *http;                    /* ADDR as written, NULL: off */
    const char *http_prestop;            /* token, NULL: off */
    const char *control;                 /* path, "@abstract"; NULL: the default; "off" */
    const char *report;                  /* path; NULL: /dev/termination-log if it exists; "off" */
    uint8_t log;                         /* enum log_format */
    int8_t verbosity;                    /* -1 quiet, 0, 1 verbose */
    uint8_t pdeathsig;                   /* 0: none */
    struct manners manners;              /* of the init that lastcall is called as */
};

#endif
