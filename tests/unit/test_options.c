/* The command line and the variables. */
#include <criterion/criterion.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/keys.h"

static char memory[1 << 20];
static struct arena arena;
static struct findings findings;
static struct options options;
static struct config config;

enum { MOST = 40 };

/* lastcall with these words; envp: NULL for none. Both lists end with NULL. */
static bool given(const char *const *words, const char *const *envp) {
    static const char *const none[] = {NULL};
    static const char *argv[MOST];
    int argc = 1;
    memset(memory, 0, sizeof memory);
    arena = (struct arena){memory, memory + sizeof memory};
    findings = (struct findings){0};
    argv[0] = "lastcall";
    while (words[argc - 1]) {
        argv[argc] = words[argc - 1];
        argc++;
    }
    argv[argc] = NULL;
    return conf_options(argc, (char *const *)argv, (char *const *)(envp ? envp : none), &arena, &options, &findings);
}
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define good(...) cr_assert(given(WORDS(__VA_ARGS__), NULL), "%s", findings.v[0].text)
#define good_env(env, ...) cr_assert(given(WORDS(__VA_ARGS__), env), "%s", findings.v[0].text)

static bool load(void) {
    struct facts facts = {0};
    return conf_load(&options, NULL, 0, &facts, &arena, &config, &findings);
}

/* One error, and it says this. */
#define bad(says, ...) do { \
        cr_assert_not(given(WORDS(__VA_ARGS__), NULL)); \
        cr_assert_eq(findings.errors, 1, "%u errors", findings.errors); \
        cr_assert_not_null(strstr(findings.v[0].text, says), "%s", findings.v[0].text); \
        cr_assert_null(findings.v[0].file); \
    } while (0)
/* The same of a value, which is looked at when all is loaded. */
#define bad_value(says, ...) do { \
        good(__VA_ARGS__); \
        cr_assert_not(load()); \
        cr_assert_eq(findings.errors, 1, "%u errors", findings.errors); \
        cr_assert_not_null(strstr(findings.v[0].text, says), "%s", findings.v[0].text); \
    } while (0)
#define loads(...) do { good(__VA_ARGS__); cr_assert(load(), "%s", findings.v[0].text); } while (0)

Test(options, the_command_begins_at_the_first_word_that_is_no_option) {
    good("nginx", "-g", "--help");
    cr_assert_str_eq(options.command[0], "nginx");
    cr_assert_str_eq(options.command[2], "--help");
    cr_assert_null(options.command[3]);
    cr_assert_eq(options.n_paths, 0);
    cr_assert_not(options.help);
    good("--", "-x");
    cr_assert_str_eq(options.command[0], "-x");
    good("-v", "--", "--");
    cr_assert_str_eq(options.command[0], "--");
}

Test(options, values_stand_beside_or_behind) {
    good("--grace", "5s", "x");
    cr_assert_str_eq(options.given[K_GRACE], "5s");
    cr_assert_str_eq(options.origin[K_GRACE], "--grace");
    good("--grace=5s", "x");
    cr_assert_str_eq(options.given[K_GRACE], "5s");
    cr_assert_str_eq(options.origin[K_GRACE], "--grace");
    good("-g", "5s", "x");
    cr_assert_str_eq(options.given[K_GRACE], "5s");
    good("-g5s", "x");
    cr_assert_str_eq(options.given[K_GRACE], "5s");
    good("-vg5s", "x");
    cr_assert_str_eq(options.given[K_GRACE], "5s");
    cr_assert_str_eq(options.given[K_VERBOSE], "yes");
    cr_assert_str_eq(options.command[0], "x");
}

Test(options, files_repeat_and_a_command_with_them_needs_two_dashes) {
    good("-c", "a", "--config=b", "-cc", "--", "x", "y");
    cr_assert_eq(options.n_paths, 3);
    cr_assert_str_eq(options.paths[0], "a");
    cr_assert_str_eq(options.paths[1], "b");
    cr_assert_str_eq(options.paths[2], "c");
    cr_assert_str_eq(options.command[0], "x");
    good("-c", "a");
    cr_assert_null(options.command);
    bad("write -- before a command", "-c", "a", "b");
    good("-c", "1", "-c", "2", "-c", "3", "-c", "4", "-c", "5");
    cr_assert_str_eq(options.paths[4], "5");
}

Test(options, what_may_repeat_is_joined) {
    good("--rewrite", "TERM:QUIT", "--rewrite", "HUP:0", "--expect-exit", "143", "--expect-exit", "3", "x");
    cr_assert_str_eq(options.given[K_REWRITE], "TERM:QUIT,HUP:0");
    cr_assert_str_eq(options.given[K_EXPECT_EXIT], "143,3");
    bad("--grace stands twice", "--grace", "1s", "--grace", "2s", "x");
}

Test(options, errors_say_what_to_write) {
    bad("there is no option --grase; write --grace", "--grase", "5s", "x");
    bad("there is no option --grase; write --grace", "--grase=5s", "x");
    bad("there is no option --frobnicate; write --", "--frobnicate", "x");
    bad("there is no option -z", "-z", "x");
    bad("--grace needs a value; write --grace DUR|auto", "--grace");
    bad("-g needs a value", "-v", "-g");
}

Test(options, errors_of_values_and_words) {
    bad("has an empty value", "--grace", "", "x");
    bad("--help takes no value", "--help=yes");
    bad("the command is an empty word", "");
    cr_assert_not(given((const char *const[]){NULL}, NULL));
    cr_assert_not_null(strstr(findings.v[0].text, "write lastcall -- COMMAND"));
}

Test(options, all_errors_are_found_at_once) {
    cr_assert_not(given(WORDS("--nonsense", "--grace=", "-z", "x"), NULL));
    cr_assert_eq(findings.errors, 3);
}

Test(options, help_and_version_need_no_command) {
    good("--help");
    cr_assert(options.help);
    good("-V");
    cr_assert(options.version);
    good("-h", "x");
    cr_assert(options.help);
}

Test(options, variables_come_after_the_command_line) {
    const char *const env[] = {"LASTCALL_GRACE=60s", "LASTCALL_STOP_SIGNAL=QUIT", "LASTCALL_PORTS=", "PATH=/bin", NULL};
    good_env(env, "--grace", "5s", "x");
    cr_assert_str_eq(options.given[K_GRACE], "5s");
    cr_assert_str_eq(options.given[K_STOP_SIGNAL], "QUIT");
    cr_assert_str_eq(options.origin[K_STOP_SIGNAL], "LASTCALL_STOP_SIGNAL");
    cr_assert_null(options.given[K_PORTS], "an empty variable is none");
    cr_assert_eq(findings.n, 0);
}

Test(options, a_variable_names_files_parted_by_colons) {
    const char *const env[] = {"LASTCALL_CONFIG=/a.ini:/b", NULL};
    good_env(env, "nginx");
    cr_assert_eq(options.n_paths, 2);
    cr_assert_str_eq(options.paths[1], "/b");
    cr_assert_str_eq(options.command[0], "nginx");
    good_env(env, "-c", "x");
    cr_assert_eq(options.n_paths, 1, "the command line's instead");
}

Test(options, every_option_has_its_variable_and_no_other_name_is_one) {
    for (enum key_id id = 0; id < K_N; id++) {
        char buffer[VARIABLE_ROOM];
        bool is = (keys[id].flags & KEY_OPTION) && !(keys[id].flags & KEY_NO_ENV);
        key_variable(&keys[id], buffer);
        if (is)
            cr_assert_eq(key_of_variable(buffer), id, "%s", buffer);
        if (is)
            cr_assert(conf_is_own_variable(buffer));
    }
    cr_assert_not(conf_is_own_variable("LASTCALL_VERSION=1"));
    cr_assert_not(conf_is_own_variable("LASTCALL_"));
    cr_assert_not(conf_is_own_variable("LASTCALL_GRACE_=1"));
    cr_assert_not(conf_is_own_variable("GRACE=1"));
    cr_assert_not(conf_is_own_variable("LASTCALL_ESSENTIAL=no"), "a key of a file alone");
}

Test(options, the_help_names_every_option_in_80_columns) {
    char text[8192];
    struct out out = out_on(text, sizeof text);
    conf_help(&out);
    cr_assert_not(out.cut);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        cr_assert_lt(strlen(line), 80, "%s", line);
    out = out_on(text, sizeof text);
    conf_help(&out);
    for (enum key_id id = 0; id < K_N; id++)
        if (keys[id].flags & KEY_OPTION)
            cr_assert_not_null(strstr(text, key_name(&keys[id])), "%s", key_name(&keys[id]));
}

/* ---- a single command ---- */

Test(single, a_lone_command_is_left_alone) {
    const struct policy *policy = &config.model.policy;
    loads("/usr/sbin/nginx", "-g");
    cr_assert(policy->single);
    cr_assert(is_forever(policy->grace));
    cr_assert_eq(policy->reserve.ns, 0);
    cr_assert_eq(policy->announce_max.ns, 0);
    cr_assert_not(policy->net);
    cr_assert(policy->sweep);
    cr_assert_eq(policy->stop_signal, 0);
    cr_assert_null(config.grace_from);
    cr_assert_str_eq(config.control, "off");
    cr_assert_eq(config.model.n_services, 1);
    cr_assert_eq(config.model.n_units, 1);
    cr_assert_eq(config.model.main, 0);
    cr_assert_str_eq(config.model.services[0].name, "nginx");
    cr_assert_str_eq(config.model.units[0].name, "nginx");
    cr_assert(config.model.services[0].main && config.model.services[0].essential);
    cr_assert_eq(config.model.services[0].restart, RESTART_NO);
    cr_assert_eq(config.model.services[0].stop[0].signal, 15);
    cr_assert_str_eq(config.services[0].run.argv[1], "-g");
    cr_assert_null(config.services[0].run.text);
    for (int sig = 1; sig <= SIGNAL_MAX; sig++) {
        cr_assert_eq(policy->signals[sig].meaning, SIGNAL_FORWARD);
        cr_assert_eq(policy->signals[sig].to, sig);
    }
}

Test(single, its_options) {
    const struct policy *policy = &config.model.policy;
    loads("--grace", "30s", "--announce", "2s..4s", "--stop-signal", "QUIT", "--kill-mode", "main", "--rewrite", "TERM:INT",
          "--rewrite=HUP:0", "--expect-exit", "143", "--sweep", "off", "--pdeathsig", "KILL", "-q", "--log=json", "x");
    cr_assert_eq(policy->grace.ns, 30 * NS_PER_S);
    cr_assert_eq(policy->reserve.ns, NS_PER_S);
    cr_assert_eq(policy->announce_min.ns, 2 * NS_PER_S);
    cr_assert_eq(policy->announce_max.ns, 4 * NS_PER_S);
    cr_assert_eq(policy->stop_signal, 3);
    cr_assert(config.model.services[0].kill_main);
    cr_assert_eq(policy->signals[15].to, 2);
    cr_assert_eq(policy->signals[1].to, 0);
    cr_assert_eq(policy->expect_codes[143 / 64], UINT64_C(1) << 143 % 64);
    cr_assert_not(policy->sweep);
    cr_assert_eq(config.pdeathsig, 9);
    cr_assert_eq(config.verbosity, -1);
    cr_assert_eq(config.log, LOG_JSON);
}

Test(single, a_helper_only_where_it_is_asked_for) {
    const struct policy *policy = &config.model.policy;
    loads("--http", ":9180", "x");
    cr_assert(policy->net);
    cr_assert_str_eq(config.http, ":9180");
    loads("--http", "off", "--control", "off", "x");
    cr_assert_not(policy->net);
    cr_assert_null(config.http);
    loads("--control", "/run/a.sock", "x");
    cr_assert(policy->net);
    loads("--ready", "tcp 127.0.0.1:80 every 2s", "x");
    cr_assert(policy->net);
    cr_assert_eq(config.model.n_checks, 1);
    cr_assert_eq(config.model.units[0].ready, 0);
    cr_assert_eq(config.model.checks[0].every.ns, 2 * NS_PER_S);
    loads("--ready", "exec test -e /x", "x");
    cr_assert_not(policy->net, "the core's own kind");
    cr_assert_str_eq(config.checks[0].text, "test -e /x");
}

Test(single, nothing_is_timed_that_was_not_asked_for) {
    const char *const kubernetes[] = {"KUBERNETES_SERVICE_HOST=10.0.0.1", NULL};
    struct facts facts = {.envp = (char *const *)kubernetes};
    good("--ports", "3000", "x");
    cr_assert(conf_load(&options, NULL, 0, &facts, &arena, &config, &findings));
    cr_assert_eq(config.model.policy.announce_max.ns, 0);
    cr_assert(is_forever(config.model.policy.grace));
    good("--ports", "3000", "--grace", "auto", "--announce", "auto", "x");
    cr_assert(conf_load(&options, NULL, 0, &facts, &arena, &config, &findings));
    cr_assert_eq(config.model.policy.grace.ns, 30 * NS_PER_S);
    cr_assert_eq(config.model.policy.announce_min.ns, 5 * NS_PER_S);
    cr_assert_eq(config.model.policy.announce_max.ns, 15 * NS_PER_S);
}

Test(single, bad_values_name_the_option) {
    bad_value("--grace 30: the unit is missing; write a duration", "--grace", "30", "x");
    bad_value("--grace 0s", "--grace", "0s", "x");
    bad_value("--stop-signal FOO: ", "--stop-signal", "FOO", "x");
    bad_value("takes one signal", "--stop-signal", "TERM, QUIT after 8s", "x");
    bad_value("--rewrite TERM: write two signals", "--rewrite", "TERM", "x");
    bad_value("--rewrite KILL:TERM: that signal cannot be rewritten", "--rewrite", "KILL:TERM", "x");
    bad_value("--expect-exit 256", "--expect-exit", "256", "x");
    bad_value("--kill-mode both: write group or main", "--kill-mode", "both", "x");
    bad_value("--http 9180", "--http", "9180", "x");
    bad_value("--ready http://x", "--ready", "http://x", "x");
    bad_value("--ports 0", "--ports", "0", "x");
    bad_value("--ports 1,65536", "--ports", "1,65536", "x");
    bad_value("--sweep maybe: write off or on", "--sweep", "maybe", "x");
    bad_value("--control relative", "--control", "relative", "x");
    bad_value("announce and reserve do not fit", "--grace", "10s", "--announce", "10s", "x");
    bad_value("reserve leaves nothing", "--grace", "10s", "--reserve", "10s", "x");
    bad_value("the second is shorter", "--announce", "5s..4s", "x");
}
