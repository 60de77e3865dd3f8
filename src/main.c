/* main.c: the phases in order: who is called, parse, prepare, point of no return, loop, exit. */
#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "conf/personality.h"
#include "net/net.h"
#include "run/load.h"
#include "run/run.h"
#include "sys/fd.h"
#include "sys/sigmask.h"
#include "sys/stderr.h"
#include "text/out.h"
#include "verbs/loading.h"
#include "verbs/verb.h"

enum { EXIT_USAGE = 2, ARENA_BYTES = 32 << 20 };

/* All memory there is, zero and untouched: only what is used is ever paid for. */
static _Alignas(16) char memory[ARENA_BYTES];

static int say_needs_running(const char *word) {
    char text[256];
    struct out out = out_on(text, sizeof text);
    out_text(&out, "lastcall: error: \"");
    out_text(&out, word);
    out_text(&out, "\" talks to a running lastcall, and there is none in this container yet. To run a program of that "
                   "name: lastcall -- ");
    out_text(&out, word);
    out_char(&out, '\n');
    struct stderr_out err = {0};
    stderr_patient_line(&err, text, out.n);
    return EXIT_USAGE;
}

static int run_verb(const struct verb *verb, int argc, char **argv, char **envp) {
    struct verb_call call = {.argc = argc - 1, .argv = argv + 1, .envp = envp};
    fd_hold_standard();
    if (verb->needs_running && getpid() == 1)
        return say_needs_running(argv[1]);
    if (argc == 3 && (strcmp(argv[2], "-h") == 0 || strcmp(argv[2], "--help") == 0))
        return verb_print(verb);
    return verb->run(&call);
}

/* By the name of another init: its command line in our own words, or all there is to do. */
static bool take_place(enum personality as, struct calling *calling, struct arena *arena) {
    int subreaper = 0;
    prctl(PR_GET_CHILD_SUBREAPER, &subreaper, 0, 0, 0);
    calling->pid = getpid();
    calling->subreaper = subreaper != 0;
    if (!personality_call(as, calling, arena))
        calling->text = "lastcall: error: too many arguments\n", calling->stream = 2, calling->exit = EXIT_USAGE;
    return calling->text == NULL;
}

/* Whoever runs the file may call it anything, even nothing: then the file's own name counts. Of a script whose
 * interpreter we are that would be the script's. */
static enum personality called_as(const char *argv0) {
    const char *file = (const char *)getauxval(AT_EXECFN);
    enum personality as = personality_of(argv0);
    as = as == AS_N && file != NULL ? personality_of(file) : as;
    return as == AS_N ? AS_LASTCALL : as;
}

static int run_command(enum personality as, int argc, char **argv, char **envp) {
    struct arena arena = {.at = memory, .end = memory + ARENA_BYTES};
    struct calling calling = {.argc = argc, .argv = argv, .envp = envp};
    struct findings findings = {0};
    struct options options = {0};
    struct config config;
    sigmask_set(ALL_SIGNALS, &calling.mask); /* from here on every signal waits for the loop */
    if (as != AS_LASTCALL && !take_place(as, &calling, &arena)) {
        write_text(calling.stream, calling.text);
        return calling.exit;
    }
    if (as != AS_LASTCALL)
        argc = calling.own_argc, argv = calling.own_argv;
    if (!conf_options(argc, argv, envp, &arena, &options, &findings)) {
        load_print(&findings, false, load_wants_json(&options));
        return EXIT_USAGE;
    }
    if (options.help)
        return help_print();
    if (options.version)
        return version_print();
    struct facts facts = {.envp = envp, .pid1 = getpid() == 1, .terminal = isatty(0) == 1};
    int error = load_config(&options, &facts, &arena, &config, &findings);
    bool json = error == 0 ? config.log == LOG_JSON : load_wants_json(&options);
    if (error == 0)
        personality_apply(&calling, &config);
    load_print(&findings, error == 0 && config.verbosity >= 0, json);
    return error != 0 ? error : run(&config, &arena, envp);
}

int main(int argc, char **argv, char **envp) {
    enum personality as = argc > 0 ? called_as(argv[0]) : AS_LASTCALL;
    const struct verb *verb = argc > 1 && as == AS_LASTCALL ? verb_find(argv[1]) : NULL;
    if (argc > 0 && strcmp(argv[0], NET_ARGV0) == 0)
        net_main();
    if (verb != NULL)
        return run_verb(verb, argc, argv, envp);
    return run_command(as, argc, argv, envp);
}
