/* The command lines of other inits, as lastcall's own words and manners; and getopt's way of reading. */
#include <criterion/criterion.h>
#include <string.h>

#include "conf/personality.h"
#include "conf/scan.h"

static char memory[1 << 18];
static struct calling calling;
static struct arena arena;
static struct config config;

enum { MOST = 40, TSTP = 20 };

static void call(const char *name, const char *const *words, const char *const *envp) {
    static const char *argv[MOST];
    static const char *const none[] = {NULL};
    int argc = 1;
    argv[0] = name;
    for (; words[argc - 1]; argc++)
        argv[argc] = words[argc - 1];
    argv[argc] = NULL;
    memset(memory, 0, sizeof memory);
    arena = (struct arena){memory, memory + sizeof memory};
    calling = (struct calling){
        .argc = argc, .argv = (char *const *)argv, .envp = (char *const *)(envp ? envp : none), .pid = 7,
        .mask = signal_bit(12),
    };
    cr_assert(personality_call(personality_of(name), &calling, &arena));
}
#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Lastcall's own command line, its words parted by spaces. */
static void becomes(const char *wanted) {
    char text[512] = "";
    cr_assert_null(calling.text, "%s", calling.text);
    for (int i = 1; i < calling.own_argc; i++) {
        strcat(text, i > 1 ? " " : "");
        strcat(text, calling.own_argv[i]);
    }
    cr_assert_str_eq(text, wanted);
}

static void says(int stream, int code, const char *part) {
    cr_assert_not_null(calling.text);
    cr_assert_not_null(strstr(calling.text, part), "%s", calling.text);
    cr_assert_eq(calling.stream, stream);
    cr_assert_eq(calling.exit, code);
}

static void answers(const char *name, const char *const *words, int stream, int code, const char *part) {
    call(name, words, NULL);
    says(stream, code, part);
}

/* The configuration that comes of it. */
static const struct policy *loaded(bool pid1) {
    struct findings findings = {0};
    struct options options;
    struct facts facts = {.envp = calling.envp, .pid1 = pid1};
    cr_assert(conf_options(calling.own_argc, calling.own_argv, calling.envp, &arena, &options, &findings));
    cr_assert(conf_load(&options, NULL, 0, &facts, &arena, &config, &findings));
    personality_apply(&calling, &config);
    return &config.model.policy;
}

Test(personality, is_told_by_the_last_part_of_the_name) {
    cr_assert_eq(personality_of("tini"), AS_TINI);
    cr_assert_eq(personality_of("/usr/bin/tini-static"), AS_TINI);
    cr_assert_eq(personality_of("/sbin/docker-init"), AS_TINI);
    cr_assert_eq(personality_of("./dumb-init"), AS_DUMB_INIT);
    cr_assert_eq(personality_of("catatonit"), AS_CATATONIT);
    cr_assert_eq(personality_of("/run/podman-init"), AS_CATATONIT);
    cr_assert_eq(personality_of("lastcall"), AS_LASTCALL);
    cr_assert_eq(personality_of("/tini/lastcall"), AS_LASTCALL);
    cr_assert_eq(personality_of("tini-static-amd64"), AS_TINI);
    cr_assert_eq(personality_of("dumb-init_1.2.5_x86_64"), AS_DUMB_INIT);
    cr_assert_eq(personality_of("catatonit.x86_64"), AS_CATATONIT);
    cr_assert_eq(personality_of("tinier"), AS_N);
    cr_assert_eq(personality_of(""), AS_N);
}

Test(tini, options_become_ours) {
    call("tini", LIST("-gvv", "-e", "143", "-e3", "-pSIGKILL", "--", "prog", "-l"), NULL);
    becomes("--expect-exit=143 --expect-exit=3 --kill-mode=group --pdeathsig=SIGKILL -- prog -l");
    cr_assert_eq(calling.manners.chatter, 3);
    cr_assert(calling.manners.no_subreaper);
    cr_assert_eq(calling.manners.blocked, signal_bit(12));
}

Test(tini, takes_options_from_behind_the_command_unless_posix_is_asked_for) {
    call("tini", LIST("prog", "-g", "x", "-s"), NULL);
    becomes("--kill-mode=group -- prog x");
    cr_assert_not(calling.manners.no_subreaper);
    call("tini", LIST("prog", "-g", "x"), LIST("POSIXLY_CORRECT="));
    becomes("--kill-mode=main -- prog -g x");
}

Test(tini, variables_count_by_being_there) {
    call("tini", LIST("prog"), LIST("TINI_SUBREAPER=", "TINI_KILL_PROCESS_GROUP=", "TINI_VERBOSITY=3"));
    becomes("--kill-mode=group -- prog");
    cr_assert_not(calling.manners.no_subreaper);
    cr_assert_eq(calling.manners.chatter, 3);
    call("tini", LIST("-vvv", "prog"), LIST("TINI_VERBOSITY=0"));
    cr_assert_eq(calling.manners.chatter, 0);
    call("tini", LIST("prog"), LIST("TINI_VERBOSITY=many"));
    cr_assert_eq(calling.manners.chatter, 0);
    call("tini", LIST("prog"), LIST("TINI_VERBOSITY=400"));
    cr_assert_eq(calling.manners.chatter, 4);
    call("tini", LIST("prog"), LIST("TINI_VERBOSITY=-1"));
    cr_assert_eq(calling.manners.chatter, 4);
    call("tini", LIST("prog"), LIST("TINI_VERBOSITY=2x"));
    cr_assert_eq(calling.manners.chatter, 2);
}

Test(tini, says_what_it_does_not_take) {
    answers("tini", LIST("-e", "256", "prog"), 2, 1, "[FATAL tini (7)] Not a valid option for -e: 256\n");
    answers("tini", LIST("-e", "-1", "prog"), 2, 1, "option for -e");
    answers("tini", LIST("-p", "KILL", "prog"), 2, 1, "option for -p: KILL\n");
    answers("tini", LIST("-x", "prog"), 2, 1, "tini: invalid option -- 'x'\ntini (tini version 0.19.0)\nUsage: tini ");
    answers("tini", LIST("--version", "prog"), 2, 1, "invalid option -- '-'");
    answers("tini", LIST("-e"), 2, 1, "option requires an argument -- 'e'\n");
    answers("tini", (const char *const[]){NULL}, 2, 1, "supervision of a valid init process");
    answers("/sbin/docker-init", LIST("-g", "--"), 2, 1, "Usage: docker-init ");
}

Test(tini, help_version_and_licence_go_to_stdout) {
    answers("tini", LIST("--version"), 1, 0, "tini version 0.19.0\n");
    answers("tini", LIST("prog", "-lh"), 1, 0, "MIT licence");
    answers("tini", LIST("-h"), 1, 0, "more verbose");
}

Test(tini, forwards_all_but_what_a_fault_or_a_terminal_sends) {
    call("tini", LIST("prog"), NULL);
    const struct policy *policy = loaded(true);
    static const int dropped[] = {4, 5, 6, 7, 8, 11, 21, 22, 31};
    for (int sig = 1, i = 0; sig <= SIGNAL_MAX; sig++) {
        bool none = i < 9 && dropped[i] == sig;
        i += none;
        cr_assert_eq(policy->signals[sig].to, none ? 0 : sig, "%d", sig);
    }
    cr_assert(policy->sweep);
    cr_assert_not(loaded(false)->sweep); /* orphans are somebody else's there */
}

Test(dumb_init, stops_at_the_first_word_and_knows_short_long_names) {
    call("dumb-init", LIST("--rew=15:3", "-r", "2:0", "prog", "-c"), NULL);
    becomes("--rewrite=15:3 --rewrite=2:0 --kill-mode=group -- prog -c");
    cr_assert(calling.manners.lends_terminal);
    call("dumb-init", LIST("--single", "-v", "--", "-x"), NULL);
    becomes("--kill-mode=main -- -x");
    cr_assert_not(calling.manners.lends_terminal);
    cr_assert_eq(calling.manners.chatter, 1);
}

Test(dumb_init, variables_count_by_their_very_value) {
    call("dumb-init", LIST("prog"), LIST("DUMB_INIT_DEBUG=1", "DUMB_INIT_SETSID=0"));
    cr_assert_eq(calling.manners.chatter, 1);
    cr_assert_not(calling.manners.lends_terminal);
    call("dumb-init", LIST("prog"), LIST("DUMB_INIT_DEBUG=yes", "DUMB_INIT_SETSID="));
    cr_assert_eq(calling.manners.chatter, 0);
    cr_assert(calling.manners.lends_terminal);
}

Test(dumb_init, a_rewrite_with_zeros_in_front) {
    call("dumb-init", LIST("-r", "015:003", "prog"), NULL);
    becomes("--rewrite=15:3 --kill-mode=group -- prog");
}

Test(dumb_init, refuses_a_rewrite_that_is_none) {
    static const char *const bad[] = {"", "herp", "herp:derp", "15", "15::12", "15:derp", "0", "0:1", "1:32", "32:1", "1:"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        answers("dumb-init", LIST("-r", bad[i], "prog"), 2, 1, "Usage: -r option takes <signum>:<signum>");
    }
    call("dumb-init", LIST("-r", "9:1", "-r", "17:1", "prog"), NULL);
    becomes("--kill-mode=group -- prog");
}

Test(dumb_init, a_terminals_stop_becomes_one_that_an_orphaned_group_obeys) {
    call("dumb-init", LIST("-r", "20:1", "-r", "15:2", "prog"), NULL);
    const struct policy *policy = loaded(true);
    cr_assert_eq(policy->signals[TSTP].to, 1);
    cr_assert_eq(policy->signals[21].to, 19);
    cr_assert_eq(policy->parting, 2);
    cr_assert(config.manners.stops_on & signal_bit(TSTP));
    call("dumb-init", LIST("-c", "prog"), NULL);
    policy = loaded(true);
    cr_assert_eq(policy->signals[TSTP].to, TSTP);
    cr_assert_eq(policy->parting, 0);
}

Test(dumb_init, speaks_on_stderr) {
    answers("./dumb-init", LIST("-V"), 2, 0, "dumb-init v1.2.5\n");
    answers("dumb-init", LIST("--help"), 2, 0, "Optional arguments:");
    answers("dumb-init", LIST("--ver"), 2, 1, "dumb-init: option '--ver' is ambiguous\n");
    answers("dumb-init", LIST("--yolo"), 2, 1, "dumb-init: unrecognized option '--yolo'\n");
    answers("dumb-init", LIST("--version=1"), 2, 1, "dumb-init: option '--version' doesn't allow an argument\n");
    answers("dumb-init", LIST("--rewrite"), 2, 1, "option '--rewrite' requires an argument\n");
    answers("./dumb-init", LIST("-v"),
            2, 1, "Usage: ./dumb-init [option] program [args]\nTry ./dumb-init --help for full usage.\n");
}

Test(catatonit, options_become_ours) {
    call("catatonit", LIST("-g", "--", "ls", "-l"), LIST("CATATONIT_DEBUG="));
    becomes("--kill-mode=group -- ls -l");
    cr_assert_eq(calling.manners.chatter, 1);
    cr_assert_eq(calling.manners.blocked, signal_bit(12) | signal_bit(20) | signal_bit(21) | signal_bit(22));
    answers("catatonit", LIST("ls", "-l"), 2, 1, "invalid option -- 'l'\nusage: catatonit ");
    answers("catatonit", LIST("x", "--vers"), 1, 0, "tini version 0.1.7_catatonit\n");
    call("catatonit", LIST("prog"), LIST("CATATONIT_LOG="));
    says(2, 1, "CATATONIT_LOG is reserved");
    answers("catatonit", LIST("-g"), 2, 1, "ERROR (catatonit:7): missing program name\nusage: ");
}

Test(catatonit, pause_runs_nothing_and_ends_by_term_or_int) {
    call("catatonit", LIST("-P", "ignored"), NULL);
    const struct policy *policy = loaded(true);
    cr_assert_eq(config.model.n_units, 0);
    for (int sig = 1; sig <= SIGNAL_MAX; sig++)
        cr_assert_eq(policy->signals[sig].meaning, sig == 2 || sig == 15 ? SIGNAL_STOP : SIGNAL_IGNORE);
}

Test(personality, is_mute_unless_a_variable_of_ours_is_set) {
    call("tini", LIST("prog"), LIST("HOME=/"));
    loaded(true);
    cr_assert_lt(config.verbosity, -1);
    call("tini", LIST("prog"), LIST("LASTCALL_GRACE=5s"));
    cr_assert_eq(loaded(true)->grace.ns, SEC(5).ns);
    cr_assert_eq(config.verbosity, 0);
}

Test(personality, an_empty_command_is_one_that_is_not_found) {
    answers("tini", LIST("--", ""), 2, 127, "[FATAL tini (7)] exec  failed: No such file or directory\n");
    answers("dumb-init", LIST(""), 2, 2, "[dumb-init] : No such file or directory\n");
    answers("catatonit", LIST(""), 2, 1, "ERROR (catatonit:7): failed to exec pid1: No such file or directory\n");
}

Test(personality, says_when_the_arena_is_full) {
    const char *const argv[] = {"tini", "prog", NULL}, *const envp[] = {NULL};
    char little[8] = "";
    struct arena full = {little, little + sizeof little};
    calling = (struct calling){.argc = 2, .argv = (char *const *)argv, .envp = (char *const *)envp};
    cr_assert_not(personality_call(AS_TINI, &calling, &full));
}
