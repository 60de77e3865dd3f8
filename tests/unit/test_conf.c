/* Files into a configuration, or into findings that name the line and what to write instead. */
#include "conf_support.h"

/* ---- lines ---- */

Test(lines, comments_stand_at_a_lines_start_or_behind_a_blank) {
    clean("; one\n# two\n  ; three\n[lastcall] ; four\ngrace = 5s ; five\n[service a]\ncommand = x;y z\t; six\n");
    is_span(policy->grace, SEC(5));
    cr_assert_str_eq(spec("a")->run.text, "x;y z");
}

Test(lines, a_semicolon_in_quotes_is_text) {
    good("[service a]\ncommand = sh -c \"exec a ; b\" 'c ; d' \\; ; but this is none\n");
    cr_assert_str_eq(spec("a")->run.text, "sh -c \"exec a ; b\" 'c ; d' \\;");
    good("[service a]\ncommand = a \"\\\" ; b\" ; c\n");
    cr_assert_str_eq(spec("a")->run.text, "a \"\\\" ; b\"");
    bad("[service a]\ncommand = echo \"a ; b\n", 2, "a quote is not closed");
}

Test(lines, ends_and_marks_of_other_systems) {
    clean("\xEF\xBB\xBF[service a]\r\ncommand = x\r\n");
    cr_assert_str_eq(spec("a")->run.text, "x");
    clean("[service a]\ncommand = x");
    clean("\n\n[service a]\n\tcommand\t=\tx\t\n");
}

Test(lines, indentation_means_nothing) {
    clean("[service a]\n    command = x\n    env = A=1\n");
    bad("[service a]\ncommand = x\n  --more\n", 3, "the line has no =; write NAME = VALUE, all in one line");
    bad("[service a]\ncommand = x\n  --more=1\n", 3, "there is no key --more");
}

Test(lines, none_is_cut_in_silence) {
    static char text[6000];
    int n = sprintf(text, "[service a]\ncommand = ");
    memset(text + n, 'x', 5000);
    strcpy(text + n + (4096 - 10), "\n"); /* the line has 4096 bytes */
    good(text);
    cr_assert_eq(strlen(spec("a")->run.text), 4096 - 10);
    strcpy(text + n + (4096 - 10), "x\n");
    bad(text, 2, "the line is longer than 4096 bytes");
    cr_assert_eq(config.model.n_services, 1);
    cr_assert_null(spec("a")->run.text, "its head counts for nothing");
    memset(text + n, 'x', 5000);
    strcpy(text + n + 300, "\n");
    good(text); /* inih's own default would be 200 */
    cr_assert_eq(strlen(spec("a")->run.text), 300);
}

Test(lines, an_overlong_comment_is_an_error_too) {
    static char text[6000] = "[service a]\ncommand = x\n;";
    memset(text + strlen(text), 'x', 4200);
    bad(text, 3, "longer than 4096");
}

Test(lines, nul_and_control_bytes) {
    const char nul[] = "[service a]\ncommand = x\0y\n", *text = nul;
    load_all((struct world){0}, 1, &text, (size_t[]){sizeof nul - 1});
    expect_error(2, "control byte (NUL)");
    bad("[service a]\ncommand = x\033[31m\n", 2, "control byte");
    bad("[service a]\ncommand = x\ry\n", 2, "control byte");
    bad("[service a]\ncommand = x\x01y\n", 2, "control byte");
    good("[service a]\ncommand = caf\xc3\xa9\n");
}

Test(lines, equals_parts_name_and_value_and_a_colon_does_not) {
    bad("[service a]\ncommand: x\n", 2, "the line has no =");
    bad("[service a]\ncommand: a=b\n", 2, "does not begin with the name of a key");
    bad("[service a]\n= x\n", 2, "does not begin with the name of a key");
    clean("[lastcall]\nhttp = :9180\n[service a]\ncommand = x a=b:c\n");
    cr_assert_str_eq(config.http, ":9180");
    cr_assert_str_eq(spec("a")->run.text, "x a=b:c");
    bad("[service a]\ncommand = x\nenv =\n", 3, "it is empty");
    bad("[service a]\ncommand =\n", 2, "it is empty");
}

Test(lines, before_any_section) {
    bad("command = x\n[service a]\ncommand = x\n", 1, "before any section");
}

/* ---- sections ---- */

Test(sections, names_are_whole) {
    char text[200];
    sprintf(text, "[service %s]\ncommand = x\n", "a23456789-123456789-123456789-123456789-12345678");
    clean(text);
    cr_assert_eq(strlen(config.model.services[0].name), 48);
    sprintf(text, "[service %s]\ncommand = x\n", "a23456789-123456789-123456789-123456789-123456789");
    load(text);
    cr_assert_not_null(find(1, "at most 48 bytes"));
    clean("[ service   a-1 ]\ncommand = x\n[service 9]\ncommand = x\n");
    cr_assert_str_eq(config.model.services[0].name, "a-1");
}

Test(sections, two_long_names_that_differ_at_their_ends_are_two) {
    clean("[service a23456789-123456789-123456789-123456789-123456-x]\ncommand = x\n"
          "[service a23456789-123456789-123456789-123456789-123456-y]\ncommand = y\n");
    cr_assert_eq(config.model.n_services, 2);
    cr_assert_str_eq(config.services[0].run.text, "x");
    cr_assert_str_eq(config.services[1].run.text, "y");
}

Test(sections, bad_names_and_kinds) {
    static const struct { const char *line, *says; } cases[] = {
        {"[service A]", "no good name"}, {"[service a_b]", "no good name"}, {"[service -a]", "no good name"},
        {"[service]", "no good name"}, {"[service a b]", "no good name"}, {"[lastcall x]", "takes no name"},
        {"[servise x]", "write [service NAME]"}, {"[lastcal]", "write [lastcall]"}, {"[]", "there is no section []"},
        {"[http x]", "there is no section [http]"}, {"[service x", "must end with ]"}, {"[service x] y", "must end with ]"},
        {"[chekpoint x]", "write [checkpoint NAME]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200];
        sprintf(text, "[service a]\ncommand = x\n%s\nwhat = ever\n", cases[i].line);
        bad(text, 3, cases[i].says); /* and its keys are not complained about */
    }
}

Test(sections, twice_is_an_error_that_names_both_places) {
    bad("[service a]\ncommand = x\n[drain a]\nsleep = 1s\n[service a]\ncommand = y\n", 5, "[service a] stands twice, first in a.ini:1");
    load_two("[lastcall]\n[service a]\ncommand = x\n", "\n[lastcall]\ngrace = 1s\n");
    cr_assert_eq(findings.errors, 1);
    cr_assert_str_eq(findings.v[0].file, "b.ini");
    cr_assert_eq(findings.v[0].line, 2);
    cr_assert_not_null(strstr(findings.v[0].text, "first in a.ini:1"));
}

Test(sections, several_files_make_one_configuration) {
    cr_assert(load_two("[service a]\ncommand = x\nafter = b\n[drain one]\nsleep = 1s\n", "[service b]\ncommand = y\n[drain two]\nsleep = 1s\n"));
    cr_assert_eq(config.model.n_services, 2);
    cr_assert_eq(service("a")->level, 1);
    cr_assert_eq(step("two")->stage, 1, "behind the one above it, in whatever file");
    cr_assert_str_eq(service("b")->where.file, "b.ini");
}

/* ---- keys ---- */

Test(keys, unknown_ones_come_with_the_nearest) {
    bad_in_service("comand = x", "there is no key comand; write command");
    bad_in_service("stop-timeut = 1s", "write stop-timeout");
    bad_in_service("stop_timeout = 1s", "write stop-timeout");
    bad_in_service("frobnicate = x", "there is no key frobnicate in [service]");
    bad_in_service("grace = 5s", "grace is no key of [service]; write it in [lastcall]");
    bad_in_service("undo = x", "undo is no key of [service]; write it in [drain]");
    bad_in_drain("main = yes", "main is no key of [drain]; write it in [service]");
    bad_in_service("rewrite = TERM:INT", "there is no key rewrite");
    bad("[service a]\ncommand = x\n[finish f]\ncommand = x\nundo = x\n", 5, "undo is no key of [finish]");
}

Test(keys, twice_unless_a_list) {
    bad("[service a]\ncommand = x\nstop-timeout = 1s\nstop-timeout = 2s\n", 4, "stop-timeout stands twice, first in a.ini:3");
    clean("[service a]\ncommand = x\nenv = A=1\nenv = B=1\n");
}

Test(keys, known_but_later) {
    static const char *const service_keys[] = {"user = a", "group = a", "groups = a", "capabilities = all", "no-new-privileges = yes",
                                               "limit-nofile = 3", "nice = 3", "oom-score-adj = 3", "listen = :80"};
    for (size_t i = 0; i < sizeof service_keys / sizeof *service_keys; i++) {
        char text[100];
        sprintf(text, "[service a]\ncommand = x\n%s\n", service_keys[i]);
        bad(text, 3, "not in this version yet");
    }
    bad_in_service("replicas = 2", "not in this version yet");
    bad_in_service("log = prefix", "write inherit");
    clean("[service a]\ncommand = x\nreplicas = 1\nlog = inherit\n");
}

Test(keys, known_but_later_steps) {
    static const char *const step_keys[] = {"http = POST http://127.0.0.1/", "wait-connections = 80", "wait-holds = yes"};
    for (size_t i = 0; i < sizeof step_keys / sizeof *step_keys; i++) {
        char text[200];
        sprintf(text, "[service a]\ncommand = x\n[drain d]\n%s\n", step_keys[i]);
        bad(text, 4, "not in this version yet");
    }
    bad("[service a]\ncommand = x\n[drain d]\nsleep = 1s\nuser = a\n", 5, "not in this version yet");
}

Test(keys, all_errors_are_found_in_one_go_in_the_order_of_the_lines) {
    load("[lastcall]\ngrace = 30\n[service a]\nfoo = 1\ncommand = x\nready = maybe\nafter = b\n[drain d]\n");
    cr_assert_eq(findings.errors, 5);
    for (uint32_t i = 1; i < findings.n; i++)
        cr_assert_leq(findings.v[i - 1].line, findings.v[i].line);
}

Test(keys, every_default_of_the_table_is_good) {
    clean("[lastcall]\n[service a]\ncommand = x\n[drain d]\nsleep = 1s\n[finish f]\ncommand = x\n");
    cr_assert(policy->sweep);
    cr_assert_not(policy->keep_ready);
    cr_assert_not(policy->parallel);
    is_span(policy->quiet, SEC(1));
    const struct service *a = service("a");
    cr_assert_eq(a->type, TYPE_SERVICE);
    cr_assert_eq(a->restart, RESTART_ON_FAILURE);
    cr_assert(a->essential);
    cr_assert_not(a->main);
    cr_assert_not(a->kill_main);
    cr_assert_eq(a->n_stop, 1);
    cr_assert_eq(a->stop[0].signal, 15);
    is_span(a->stop[0].after, NO_TIME);
    is_span(a->restart_min, MS(100));
    is_span(a->restart_max, SEC(10));
    is_span(a->restart_window, SEC(60));
    cr_assert_eq(a->restart_limit, 5);
    is_span(a->stop_timeout, FOREVER);
    is_span(a->guarantee, FOREVER);
    is_span(a->ready_timeout, FOREVER);
    cr_assert_eq(a->success_codes[0], 1);
    cr_assert_eq(spec("a")->in.umask, -1);
    cr_assert_eq(config.model.units[0].ready, NONE);
    cr_assert_eq(config.model.main, NONE);
    cr_assert_eq(step("d")->on_failure, FAILURE_CONTINUE);
    is_span(step("f")->timeout, FOREVER);
    cr_assert_eq(config.log, LOG_TEXT);
    cr_assert_null(config.http);
    cr_assert_null(config.control);
    cr_assert(policy->net, "the control socket is open by default");
}

/* ---- values ---- */

Test(values, bare_numbers_are_no_durations) {
    bad_in_service("stop-timeout = 10", "stop-timeout = 10: the unit is missing; write a duration with its unit");
    bad_in_service("stop-timeout = ten", "write a duration");
    bad_in_service("restart-delay = 1s..", "it is empty");
    bad_in_service("restart-delay = 2s..1s", "the second is shorter");
    bad("[lastcall]\ngrace = 25h\n[service a]\ncommand = x\n", 2, "more than a day");
    bad("[lastcall]\ngrace = 5x\nannounce = 3s\nreserve = 2s\n[service a]\ncommand = x\nguarantee = 2s\n", 2, "there is no such unit");
    bad("[lastcall]\ngrace = 0s\n[service a]\ncommand = x\n", 2, "with no time nothing can be stopped");
}

Test(values, words_name_their_choice) {
    bad_in_service("restart = sometimes", "restart = sometimes: write no, on-failure, on-abnormal or always");
    bad_in_service("main = true", "write no or yes");
    bad_in_service("type = daemon", "write service or oneshot");
    bad_in_service("kill-mode = all", "write group or main");
}

Test(values, stop_signals_escalate) {
    good("[service a]\ncommand = x\nstop-signal = TERM, INT after 2s, RTMIN+3 after 8s500ms\n");
    const struct service *a = service("a");
    cr_assert_eq(a->n_stop, 3);
    cr_assert_eq(a->stop[0].signal, 15);
    cr_assert_eq(a->stop[2].signal, 37);
    is_span(a->stop[1].after, SEC(2));
    is_span(a->stop[2].after, MS(8500));
    bad_in_service("stop-signal = TERM, QUIT", "does not say after which time");
    bad_in_service("stop-signal = TERM after 2s", "there is no such signal");
    bad_in_service("stop-signal = TERM, INT after 3s, QUIT after 2s", "the times must rise");
    bad_in_service("stop-signal = TERM, INT after 1s, INT after 2s, INT after 3s, QUIT after 4s", "more than 4 signals");
    bad_in_service("stop-signal = TREM", "there is no such signal");
    bad_in_service("stop-signal = TERM, QUIT after 2s,", "there is no such signal");
    bad_in_service("stop-signal = ,TERM", "there is no such signal");
    warns("[service a]\ncommand = x\nstop-timeout = 5s\nstop-signal = TERM, QUIT after 8s\n", 4, "longer stop-timeout");
}

Test(values, success_exits) {
    good("[service a]\ncommand = x\nsuccess-exit = 143, 3 TERM\nsuccess-exit = 255\n");
    const struct service *a = service("a");
    cr_assert_eq(a->success_codes[0], 1 | 1 << 3);
    cr_assert_eq(a->success_codes[2], UINT64_C(1) << (143 - 128));
    cr_assert_eq(a->success_codes[3], UINT64_C(1) << 63);
    cr_assert_eq(a->success_signals, signal_bit(15));
    bad_in_service("success-exit = 256", "write exit codes and signals");
    bad_in_service("success-exit = FOO", "write exit codes and signals");
}

Test(values, an_empty_item_of_a_list_is_noticed) {
    bad_in_service("ports = 80,,81", "a port is a number");
    bad_in_service("ports = ,80", "a port is a number");
    bad_in_service("ports = 80,", "a port is a number");
    bad_in_service("after = ,", "there is no [service ,]");
    bad_in_service("env-pass = A, ,B", "write names of variables");
    bad_in_service("success-exit = 1,", "write exit codes");
    clean("[service a]\ncommand = x\nports = 80 81,82 , 83\n");
}

Test(values, restart_limit_and_umask) {
    good("[service a]\ncommand = x\nrestart-limit = 3 in 10s\numask = 027\n");
    cr_assert_eq(service("a")->restart_limit, 3);
    is_span(service("a")->restart_window, SEC(10));
    cr_assert_eq(spec("a")->in.umask, 027);
    bad_in_service("restart-limit = 3", "write a number and a duration, as 5 in 1m");
    bad_in_service("restart-limit = 3 in 10", "write a number and a duration");
    bad_in_service("umask = 9", "write an octal number");
    bad_in_service("umask = 1000", "more than 777");
}

Test(values, commands_are_checked_and_kept_as_written) {
    good("[service a]\ncommand = ./x --slot ${LASTCALL_REPLICA} 'a b'\nstop-command = y\nreload-command = z\n");
    cr_assert_str_eq(spec("a")->run.text, "./x --slot ${LASTCALL_REPLICA} 'a b'");
    cr_assert_str_eq(spec("a")->run.where.file, "a.ini");
    cr_assert_eq(spec("a")->run.where.line, 2);
    cr_assert(service("a")->has_stop_command && service("a")->has_reload_command);
    bad_in_service("stop-command = x ${A", "a ${ is not closed");
    bad_in_service("stop-command = x \\", "a backslash ends it");
    bad("[service a]\nstop-command = x\n", 1, "[service a] has no command");
    bad_in_service("reload-signal = HUP\nreload-command = x", "exclude each other");
}

Test(values, surroundings) {
    good("[service a]\ncommand = x\ncwd = /srv\nenv = A=1\nenv = B=\"two words\"\nenv = C=${A}\nenv-file = -/etc/a\nenv-file = /b\n"
         "env-clear = yes\nenv-pass = HOME, PATH\ntty = yes\n");
    const struct surroundings *in = &spec("a")->in;
    cr_assert_str_eq(in->cwd, "/srv");
    cr_assert_str_eq(in->env[0], "A=1");
    cr_assert_str_eq(in->env[2], "C=${A}");
    cr_assert_null(in->env[3]);
    cr_assert_str_eq(in->env_file[0], "-/etc/a");
    cr_assert_str_eq(in->env_file[1], "/b");
    cr_assert_null(in->env_file[2]);
    cr_assert_str_eq(in->env_pass[1], "PATH");
    cr_assert_null(in->env_pass[2]);
    cr_assert(in->env_clear && in->tty);
    bad_in_service("env = 1A=2", "write NAME=value");
    bad_in_service("env = A", "write NAME=value");
    bad_in_service("env = A=${", "is not closed");
    bad_in_service("cwd = \"/a b\"", "write a path, without quotes");
    warns("[service a]\ncommand = x\nenv-pass = A\n", 3, "write env-clear = yes");
    bad("[service a]\ncommand = x\ntty = yes\n[service b]\ncommand = x\ntty = yes\n", 6, "[service a] has the terminal already");
}

Test(values, long_lists_keep_all) {
    char text[4096] = "[service a]\ncommand = x\n";
    for (int i = 0; i < 100; i++)
        sprintf(text + strlen(text), "env = N%d=%d\n", i, i);
    good(text);
    for (int i = 0; i < 100; i++) {
        char expected[40];
        sprintf(expected, "N%d=%d", i, i);
        cr_assert_str_eq(spec("a")->in.env[i], expected);
    }
    cr_assert_null(spec("a")->in.env[100]);
}

Test(values, addresses_and_sockets) {
    static const char *const addresses[] = {":9180", "127.0.0.1:9180", "[::1]:9180", "localhost:80"};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        char text[100];
        sprintf(text, "[lastcall]\nhttp = %s\n[service a]\ncommand = x\n", addresses[i]);
        clean(text);
        cr_assert_str_eq(config.http, addresses[i]);
    }
    bad("[lastcall]\nhttp = 9180\n[service a]\ncommand = x\n", 2, "http = 9180");
    bad("[lastcall]\nhttp = example.com:80\n[service a]\ncommand = x\n", 2, "http = ");
    bad("[lastcall]\ncontrol = x\n[service a]\ncommand = x\n", 2, "write a path of at most 107 bytes, @NAME or off");
    bad("[lastcall]\nhttp-prestop = a b\n[service a]\ncommand = x\n", 2, "http-prestop");
    good("[lastcall]\nhttp-prestop = 0123456789\ncontrol = @x\nreport = off\n[service a]\ncommand = x\n");
    cr_assert_str_eq(config.http_prestop, "0123456789");
    cr_assert_str_eq(config.control, "@x");
    cr_assert_str_eq(config.report, "off");
}

Test(values, signals_get_meanings) {
    clean("[lastcall]\nsignals = HUP reload, USR1 QUIT, USR2 ignore\nsignals = TERM forward, INT hurry, RTMIN+1 stop\n[service a]\ncommand = x\n");
    cr_assert_eq(policy->signals[1].meaning, SIGNAL_RELOAD);
    cr_assert_eq(policy->signals[10].meaning, SIGNAL_FORWARD);
    cr_assert_eq(policy->signals[10].to, 3);
    cr_assert_eq(policy->signals[12].meaning, SIGNAL_IGNORE);
    cr_assert_eq(policy->signals[15].meaning, SIGNAL_FORWARD);
    cr_assert_eq(policy->signals[15].to, 15);
    cr_assert_eq(policy->signals[2].meaning, SIGNAL_HURRY);
    cr_assert_eq(policy->signals[35].meaning, SIGNAL_STOP);
    static const uint8_t stops[] = {3, 30, 37, 28};
    for (size_t i = 0; i < sizeof stops; i++) {
        cr_assert_eq(policy->signals[stops[i]].meaning, SIGNAL_STOP);
        cr_assert_eq(policy->signals[stops[i]].to, stops[i]);
    }
    bad("[lastcall]\nsignals = HUP\n[service a]\ncommand = x\n", 2, "write a signal and its meaning");
    bad("[lastcall]\nsignals = HUP explode\n[service a]\ncommand = x\n", 2, "write a signal and its meaning");
    bad("[lastcall]\nsignals = KILL stop\n[service a]\ncommand = x\n", 2, "fixed meaning");
}

/* ---- checks ---- */

static const struct check_policy *ready_of(const char *name) {
    return &config.model.checks[config.model.units[service(name)->first_unit].ready];
}

Test(checks, every_kind) {
    good("[service a]\ncommand = x\nready = http http://127.0.0.1:8080/healthz every 2s timeout 3s successes 2 failures 4\n"
         "live = exec test -e /x every 5s then fail\n[service b]\ncommand = x\nready = notify\n[service c]\ncommand = x\nready = fd 3\n"
         "[service d]\ncommand = x\nready = file /run/ready\n[service e]\ncommand = x\nready = delay 2s\n"
         "[service f]\ncommand = x\nready = tcp [::1]:80\nlive = tcp localhost:80\n");
    const struct check_policy *check = ready_of("a"), *live = &config.model.checks[config.model.units[0].live];
    cr_assert_eq(check->kind, CHECK_HTTP);
    cr_assert_str_eq(check->target, "http://127.0.0.1:8080/healthz");
    is_span(check->every, SEC(2));
    is_span(check->timeout, SEC(3));
    cr_assert_eq(check->successes, 2);
    cr_assert_eq(check->failures, 4);
    cr_assert(live->live && live->kind == CHECK_EXEC && live->then == THEN_FAIL);
    cr_assert_str_eq(config.checks[live - config.model.checks].text, "test -e /x");
    is_span(live->every, SEC(5));
    cr_assert_eq(ready_of("b")->kind, CHECK_NOTIFY);
    cr_assert_eq(ready_of("c")->fd, 3);
    cr_assert_str_eq(ready_of("d")->target, "/run/ready");
    is_span(ready_of("e")->every, SEC(2));
    is_span(ready_of("f")->every, SEC(1));
    is_span(ready_of("f")->timeout, SEC(1));
    cr_assert_eq(ready_of("f")->failures, 3);
    live = &config.model.checks[config.model.units[service("f")->first_unit].live];
    is_span(live->every, SEC(10));
    cr_assert_eq(live->then, THEN_RESTART);
    cr_assert_eq(live->unit, service("f")->first_unit);
    cr_assert(policy->net);
}

Test(checks, a_commands_own_words_are_its_own) {
    good("[service a]\ncommand = x\nready = exec ./probe every timeout 5 --every 3s timeout 2s\n");
    cr_assert_str_eq(config.checks[0].text, "./probe every timeout 5 --every 3s");
    is_span(ready_of("a")->timeout, SEC(2));
    is_span(ready_of("a")->every, SEC(1));
    good("[service a]\ncommand = x\nready = exec sh -c 'a every 3s'\n");
    cr_assert_str_eq(config.checks[0].text, "sh -c 'a every 3s'");
}

Test(checks, what_is_wrong_with_them) {
    bad_in_service("ready = ping 127.0.0.1", "write http URL, tcp ADDR:PORT");
    bad_in_service("ready = http", "the target is missing");
    bad_in_service("ready = exec", "the target is missing");
    bad_in_service("ready = exec every 5s", "the target is missing");
    bad_in_service("ready = http http://example.com/", "ready = http http://example.com/");
    bad_in_service("ready = http https://127.0.0.1/", "ready = http https");
    bad_in_service("ready = tcp 8080", "ready = tcp 8080");
    bad_in_service("ready = tcp 127.0.0.1:80 every 5", "an option has a bad value; write every 1s");
    bad_in_service("ready = tcp 127.0.0.1:80 every 0s", "an option has a bad value; write every 1s");
    bad_in_service("ready = tcp 127.0.0.1:80 failures 0", "an option has a bad value; write every 1s");
    bad_in_service("ready = tcp 127.0.0.1:80 every 5s every 6s", "stands twice");
    bad_in_service("ready = tcp 127.0.0.1:80 sometimes", "behind the target only");
    bad_in_service("ready = tcp 127.0.0.1:80 then fail", "then belongs to live");
    bad_in_service("live = tcp 127.0.0.1:80 then explode", "then restart, fail or shutdown");
    bad_in_service("live = notify", "can only be ready");
    bad_in_service("ready = fd 2", "from 3 to 255");
    bad_in_service("ready = notify me", "nothing but options");
    bad_in_service("ready = delay soon", "write delay 2s");
    bad("[service a]\ncommand = x\ntype = oneshot\nready = notify\n", 4, "a oneshot is ready once it has exited 0");
}

/* ---- the whole ---- */

Test(whole, levels_are_the_longest_paths) {
    good("[service d]\ncommand = x\nafter = b, c\n[service c]\ncommand = x\nafter = b\n[service b]\ncommand = x\nafter = a\n"
         "[service a]\ncommand = x\n[service e]\ncommand = x\nafter = a\nafter = b\n");
    cr_assert_eq(service("a")->level, 0);
    cr_assert_eq(service("b")->level, 1);
    cr_assert_eq(service("c")->level, 2);
    cr_assert_eq(service("d")->level, 3);
    cr_assert_eq(service("e")->level, 2);
    cr_assert_eq(service("d")->n_after, 2);
    cr_assert_str_eq(config.model.services[service("d")->after[1]].name, "c");
}

Test(whole, cycles_are_named_in_full) {
    bad("[service x]\ncommand = x\nafter = a\n[service a]\ncommand = x\nafter = d, b\n[service d]\ncommand = x\n"
        "[service b]\ncommand = x\nafter = c\n[service c]\ncommand = x\nafter = a\n", 6, "a -> b -> c -> a");
    bad("[service a]\ncommand = x\nafter = a\n", 3, "a -> a");
    bad("[service s]\ncommand = x\n[drain a]\nsleep = 1s\nafter = b\n[drain b]\nsleep = 1s\n", 5, "a -> b -> a");
}

Test(whole, unknown_names_come_with_the_nearest) {
    bad("[service web]\ncommand = x\n[service a]\ncommand = x\nafter = wbe\n", 5, "there is no [service wbe]; write web");
    bad("[service web]\ncommand = x\n[drain d]\nsignal = wob USR1\n", 4, "there is no [service wob]; write web");
    bad("[service web]\ncommand = x\n[drain d]\nsleep = 1s\nfor = zzzzzz\n", 5, "write the name of a section that stands");
}

Test(whole, one_main_service) {
    good("[service a]\ncommand = x\n[service b]\ncommand = x\nmain = yes\n");
    cr_assert_eq(config.model.main, 1);
    cr_assert(service("b")->main);
    cr_assert_eq(service("b")->restart, RESTART_NO);
    bad("[service a]\ncommand = x\nmain = yes\n[service b]\ncommand = x\nmain = yes\n", 6, "[service b] is main, but so is [service a] in a.ini:1");
}

Test(whole, restart_defaults_depend_on_what_it_is) {
    good("[service a]\ncommand = x\nmain = yes\nrestart = always\n[service b]\ncommand = x\ntype = oneshot\n[service c]\ncommand = x\n");
    cr_assert_eq(service("a")->restart, RESTART_ALWAYS);
    cr_assert_eq(service("b")->restart, RESTART_NO);
    cr_assert_eq(service("c")->restart, RESTART_ON_FAILURE);
    bad("[service a]\ncommand = x\ntype = oneshot\nrestart = always\n", 4, "never ends");
}

Test(whole, lastcall_holds_defaults_for_all_services) {
    good("[lastcall]\nstop-timeout = 3s\nenv = A=1\nstop-signal = QUIT\n[service a]\ncommand = x\n[service b]\ncommand = x\nstop-timeout = 4s\nenv = B=2\n");
    is_span(service("a")->stop_timeout, SEC(3));
    is_span(service("b")->stop_timeout, SEC(4));
    cr_assert_eq(service("b")->stop[0].signal, 3);
    cr_assert_str_eq(spec("b")->in.env[0], "A=1");
    cr_assert_str_eq(spec("b")->in.env[1], "B=2");
    bad("[lastcall]\nstop-timeout = 3\n[service a]\ncommand = x\n[service b]\ncommand = x\n", 2, "the unit is missing");
    bad("[lastcall]\nlog = prefix\n[service a]\ncommand = x\n", 2, "write text or json");
}

Test(whole, options_over_variables_over_files) {
    const char *const env[] = {"LASTCALL_GRACE=20s", "LASTCALL_HTTP=:1", NULL};
    const char *const words[] = {"--http", ":2", NULL};
    cr_assert(load_in((struct world){.words = words, .envp = env}, "[lastcall]\ngrace = 10s\nhttp = :3\nreserve = 2s\n[service a]\ncommand = x\n"));
    is_span(policy->grace, SEC(20));
    is_span(policy->reserve, SEC(2));
    cr_assert_str_eq(config.http, ":2");
    const char *const off[] = {"--http", "off", NULL};
    cr_assert(load_in((struct world){.words = off}, "[lastcall]\nhttp = :3\n[service a]\ncommand = x\n"));
    cr_assert_null(config.http);
}

Test(whole, options_about_the_command_are_about_the_main_service) {
    const char *const words[] = {"--stop-signal", "INT", "--kill-mode", "main", "--ready", "notify", NULL};
    cr_assert(load_in((struct world){.words = words}, "[service a]\ncommand = x\nmain = yes\nstop-signal = QUIT\n[service b]\ncommand = x\n"));
    cr_assert_eq(service("a")->stop[0].signal, 2);
    cr_assert(service("a")->kill_main);
    cr_assert_eq(service("b")->stop[0].signal, 15);
    cr_assert_eq(config.model.n_checks, 1);
    cr_assert_not(load_in((struct world){.words = (const char *const[]){"--ready", "notify", NULL}}, "[service a]\ncommand = x\n"));
    cr_assert_not_null(find(0, "--ready is about the main service"));
    cr_assert_eq(findings.usage, 1);
    cr_assert_not(load_in((struct world){.words = (const char *const[]){"--log", "xml", NULL}}, "[service a]\ncommand = x\nfoo = 1\n"));
    cr_assert_eq(findings.errors, 2);
    cr_assert_eq(findings.usage, 1);
}

Test(whole, the_command_lines_command_is_the_main_service) {
    const char *const words[] = {"--", "nginx", "-g", NULL};
    struct world world = {.words = words};
    cr_assert(load_in(world, "[service a]\ncommand = x\n"));
    cr_assert_eq(config.model.n_services, 2);
    cr_assert_str_eq(config.model.services[config.model.main].name, "main");
    cr_assert_str_eq(spec("main")->run.argv[1], "-g");
    cr_assert_eq(service("main")->restart, RESTART_NO);
    cr_assert_not(policy->single);
    cr_assert(load_in(world, "[service web]\nmain = yes\nstop-signal = QUIT\n"));
    cr_assert_eq(config.model.n_services, 1);
    cr_assert_str_eq(spec("web")->run.argv[0], "nginx");
    cr_assert_eq(service("web")->stop[0].signal, 3);
    cr_assert_not(load_in(world, "[service web]\nmain = yes\ncommand = x\n"));
    expect_error(3, "the command line has another");
    cr_assert_not(load_in(world, "[service main]\ncommand = x\n"));
    expect_error(1, "write main = yes");
    cr_assert(load_in(world, "[lastcall]\ngrace = 3s\n"));
    cr_assert_eq(config.model.n_services, 1);
}

Test(whole, no_service_will_do_for_prestop_alone) {
    load("[lastcall]\ngrace = 3s\n");
    cr_assert_eq(findings.errors, 1);
    cr_assert_not_null(find(0, "there is no service"));
    cr_assert_eq(findings.usage, 0);
    load_all((struct world){.words = (const char *const[]){"-c", "/empty", NULL}}, 0, NULL, NULL);
    cr_assert_eq(findings.errors, 1);
    cr_assert_eq(findings.usage, 0, "an empty directory is no error of usage");
    cr_assert_str_eq(findings.v[0].file, "/empty");
    load("");
    cr_assert_eq(findings.errors, 1);
    cr_assert(load_in((struct world){.phases_only = true}, "[drain d]\nsleep = 1s\n"));
    cr_assert_eq(findings.n, 1);
}

/* ---- the grace ---- */

#define WITH(variable) ((struct world){.envp = (const char *const[]){variable, NULL}})
static const char plain[] = "[service a]\ncommand = x\n", serving[] = "[service a]\ncommand = x\nports = 80\n";

Test(grace, auto_comes_from_the_platform) {
    static const struct { const char *variable; int seconds; const char *from; } cases[] = {
        {"KUBERNETES_SERVICE_HOST=1", 30, "Kubernetes default, not set: write grace ="},
        {"ECS_CONTAINER_METADATA_URI_V4=1", 30, "ECS"}, {"K_SERVICE=1", 10, "Cloud Run"}, {"DYNO=1", 30, "Heroku"},
        {"NOMAD_ALLOC_ID=1", 5, "Nomad"}, {"FLY_APP_NAME=1", 5, "Fly"}, {"K_SERVICES=1", 10, "default, not set"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_assert(load_in(WITH(cases[i].variable), plain));
        is_span(policy->grace, SEC(cases[i].seconds));
        cr_assert_eq(strncmp(config.grace_from, cases[i].from, strlen(cases[i].from)), 0, "%s", config.grace_from);
    }
    good("[lastcall]\ngrace = auto\n[service a]\ncommand = x\n");
    is_span(policy->grace, SEC(10));
    good("[lastcall]\ngrace = 7s\n[service a]\ncommand = x\n");
    cr_assert_null(config.grace_from);
}

Test(grace, the_reserve_is_a_tenth_and_a_second_at_most) {
    good("[lastcall]\ngrace = 30s\n[service a]\ncommand = x\n");
    is_span(policy->reserve, SEC(1));
    good("[lastcall]\ngrace = 3s\n[service a]\ncommand = x\n");
    is_span(policy->reserve, MS(300));
    bad("[lastcall]\ngrace = 3s\nreserve = 3s\n[service a]\ncommand = x\n", 3, "the reserve leaves nothing");
}

Test(grace, announce_is_automatic_where_a_balancer_is_slow) {
    cr_assert(load_in(WITH("KUBERNETES_SERVICE_HOST=1"), serving));
    is_span(policy->announce_min, SEC(5));
    is_span(policy->announce_max, SEC(15));
    cr_assert(load_in(WITH("KUBERNETES_SERVICE_HOST=1"), "[service a]\ncommand = x\nready = http http://127.0.0.1:80/\n"));
    is_span(policy->announce_min, SEC(5));
    cr_assert(load_in(WITH("KUBERNETES_SERVICE_HOST=1"), plain));
    is_span(policy->announce_max, NO_TIME);
    cr_assert(load_in(WITH("DYNO=1"), serving));
    is_span(policy->announce_max, NO_TIME);
    struct world terminal = WITH("KUBERNETES_SERVICE_HOST=1");
    terminal.terminal = true;
    cr_assert(load_in(terminal, serving));
    is_span(policy->announce_max, NO_TIME);
    cr_assert(load_in(WITH("NOMAD_ALLOC_ID=1"), serving));
    is_span(policy->announce_min, MS(2250)); /* half of what 5 s less the reserve can bear */
    is_span(policy->announce_max, MS(4500));
    cr_assert(load_in(WITH("KUBERNETES_SERVICE_HOST=1"), "[lastcall]\nannounce = 2s\n[service a]\ncommand = x\nports = 80\n"));
    is_span(policy->announce_min, SEC(2));
    is_span(policy->announce_max, SEC(2));
}

Test(grace, written_guarantees_must_fit) {
    static const char text[] =
        "[lastcall]\ngrace = 10s\nreserve = 1s\n[service a]\ncommand = x\nguarantee = 3s\n[service b]\ncommand = x\nguarantee = 2s\n"
        "[service c]\ncommand = x\nafter = a\nguarantee = 1s\n[drain d]\nsleep = 1s\nguarantee = 2s\n"
        "[drain e]\nsleep = 1s\nafter = none\nguarantee = 3s\n[finish f]\ncommand = x\nguarantee = %s\n";
    char full[400];
    sprintf(full, text, "2s"); /* 3 and 1 of the services, 3 of the drains, 2: 9 s */
    good(full);
    sprintf(full, text, "2001ms");
    bad(full, 2, "the guarantees and the reserve add up to 10s1ms");
    bad("[lastcall]\ngrace = 10s\nannounce = 10s\n[service a]\ncommand = x\n", 3, "announce and reserve do not fit");
    good("[lastcall]\ngrace = 10s\norder = parallel\n[service a]\ncommand = x\nguarantee = 6s\n[service b]\ncommand = x\nafter = a\nguarantee = 6s\n");
}

/* ---- steps ---- */

Test(steps, every_action_and_key) {
    good("[service web]\ncommand = x\n[drain a]\ncommand = x y\ntimeout = 5s\nundo = z\nretry = 3 every 500ms\non-failure = skip-rest\n"
         "required = yes\nonly-if = test\ncwd = /\nenv = A=1\nguarantee = 1s\nfor = web\n[drain b]\nsignal = web USR1\n"
         "[drain c]\nsleep = 3s\n[drain d]\nwait-exit = web\ntimeout = 1s\n[finish e]\ncommand = x\nrun-if = a failed\n");
    const struct step_policy *a = step("a");
    cr_assert_eq(config.model.n_steps, 5);
    cr_assert_eq(a->phase, PH_DRAIN);
    cr_assert_eq(a->action, DO_COMMAND);
    cr_assert(a->has_undo && a->has_only_if && a->required);
    cr_assert_eq(a->on_failure, FAILURE_SKIP_REST);
    cr_assert_eq(a->retries, 3);
    is_span(a->every, MS(500));
    is_span(a->timeout, SEC(5));
    is_span(a->guarantee, SEC(1));
    cr_assert_eq(a->for_service, 0);
    cr_assert_eq(a->timeout_where.line, 5);
    cr_assert_str_eq(act("a")->act.text, "x y");
    cr_assert_str_eq(act("a")->undo.text, "z");
    cr_assert_str_eq(act("a")->in.env[0], "A=1");
    cr_assert_eq(step("b")->action, DO_SIGNAL);
    cr_assert_eq(step("b")->signal, 10);
    cr_assert_eq(step("b")->target, 0);
    cr_assert_eq(step("c")->action, DO_SLEEP);
    is_span(step("c")->sleep, SEC(3));
    cr_assert_eq(step("d")->action, DO_WAIT_EXIT);
    cr_assert_eq(step("e")->phase, PH_FINISH);
    cr_assert_eq(step("e")->run_if, RUN_IF_FAILED);
    cr_assert_eq(step("e")->run_if_step, 0);
    cr_assert_eq(step("e")->stage, 0);
}

Test(steps, stages_follow_after) {
    good("[service s]\ncommand = x\n[finish z]\nsleep = 1s\n[drain a]\nsleep = 1s\n[drain b]\nsleep = 1s\n[drain c]\nsleep = 1s\nafter = none\n"
         "[drain d]\nsleep = 1s\nafter = a, c\n[drain e]\nsleep = 1s\n");
    cr_assert_eq(step("a")->stage, 0);
    cr_assert_eq(step("b")->stage, 1);
    cr_assert_eq(step("c")->stage, 0);
    cr_assert_eq(step("d")->stage, 1);
    cr_assert_eq(step("e")->stage, 2);
    cr_assert_eq(step("z")->stage, 0);
    cr_assert_str_eq(config.model.steps[5].name, "z", "drains come first");
}

Test(steps, exactly_one_action) {
    bad("[service s]\ncommand = x\n[drain d]\ntimeout = 1s\n", 3, "[drain d] has no action; write one of command, signal, sleep or wait-exit");
    bad("[service s]\ncommand = x\n[drain d]\nsleep = 1s\ncommand = x\ntimeout = 1s\n", 3, "more than one action");
}

Test(steps, what_is_wrong_with_them) {
    bad_in_drain("sleep = 5", "the unit is missing");
    bad_in_drain("signal = a", "write a service and a signal");
    bad_in_drain("signal = a TREM", "write a service and a signal");
    bad_in_drain("wait-exit = a, b", "only one");
    bad("[service a]\ncommand = x\n[drain d]\nsleep = 1s\nretry = 3 every 1s\n", 5, "only a command can be tried again");
    bad("[service a]\ncommand = x\n[drain d]\ncommand = x\ntimeout = 1s\nretry = 3\n", 6, "as 3 every 500ms");
    bad("[service a]\ncommand = x\n[drain d]\nsleep = 1s\nrun-if = d done\n", 5, "has not ended when d begins");
    bad("[service a]\ncommand = x\n[drain d]\nsleep = 1s\nrun-if = e done\n[drain e]\nsleep = 1s\n", 5, "write after = e");
    bad("[service a]\ncommand = x\n[drain d]\nsleep = 1s\nrun-if = f done\n[finish f]\nsleep = 1s\n", 5, "there is no [drain f]");
    bad("[service a]\ncommand = x\n[drain d]\nsleep = 1s\n[drain e]\nsleep = 1s\nrun-if = d maybe\n", 7, "as broker failed");
    bad("[service a]\ncommand = x\n[finish f]\nsleep = 1s\nafter = d\n[drain d]\nsleep = 1s\n", 5, "there is no [finish d]");
}

Test(steps, a_drain_without_a_timeout_is_warned_about) {
    warns("[service a]\ncommand = x\n[drain d]\ncommand = x\n", 3, "write timeout = 5s");
    clean("[service a]\ncommand = x\n[drain d]\ncommand = x\ntimeout = 1s\n[drain e]\nsleep = 1s\n[drain f]\nsignal = a USR1\n");
}

/* ---- warnings about commands ---- */

Test(lint, shells_that_stay) {
    static const char *const stay[] = {"sh -c \"x; y\"", "/bin/bash -c 'a && b'", "sh -ec 'a | b'", "busybox sh -c 'a; b'", "npm start",
                                       "/usr/bin/yarn start", "pnpm run x", "npx x"};
    static const char *const go[] = {"sh -c 'exec x'", "sh -c 'a; exec b'", "sh -c x", "sh -c 'x 2>&1'", "sh -c 'echo \"a;b\"'",
                                     "sh script.sh", "./npm-like", "bash", "node server.js", "sh -c 'a && exec b --x'"};
    char text[200];
    for (size_t i = 0; i < sizeof stay / sizeof *stay; i++) {
        sprintf(text, "[service a]\ncommand = %s\n", stay[i]);
        warns(text, 2, "hand");
    }
    for (size_t i = 0; i < sizeof go / sizeof *go; i++) {
        sprintf(text, "[service a]\ncommand = %s\n", go[i]);
        clean(text);
    }
}

/* ---- capacities ---- */

static char *many(unsigned n, const char *format) {
    char *text = calloc(n, 64), *at = text;
    for (unsigned i = 0; i < n; i++)
        at += sprintf(at, format, i);
    return text;
}

Test(capacity, services_and_steps) {
    char *text = many(500, "[service s%u]\ncommand = x\n");
    good(text);
    cr_assert_eq(config.model.n_services, 500);
    free(text);
    text = many(501, "[service s%u]\ncommand = x\n");
    bad(text, 1001, "more than 500 services");
    free(text);
    text = many(252, "[drain s%u]\nsleep = 1s\n");
    load(text);
    cr_assert_not_null(find(501, "more than 250 drain, checkpoint and finish sections"));
    free(text);
}

Test(capacity, a_chain_of_all_services_and_a_cycle_of_all) {
    char *text = calloc(500, 64), *at = text;
    for (unsigned i = 0; i < 500; i++)
        at += sprintf(at, "[service s%u]\ncommand = x\nafter = s%u\n", i, (i + 1) % 500);
    bad(text, 3, "s0 -> s1 -> s2");
    cr_assert_not_null(find(3, "s498 -> s499 -> s0; write"));
    *strstr(text, "after = s0\n") = ';';
    good(text);
    cr_assert_eq(service("s0")->level, 499);
    free(text);
}

Test(capacity, names_in_one_after) {
    char *text = many(40, "[service s%u]\ncommand = x\n"), full[4000];
    int n = sprintf(full, "%s[service t]\ncommand = x\nafter = ", text);
    for (int i = 0; i < 33; i++)
        n += sprintf(full + n, "s%d ", i);
    bad(full, 83, "more than 32 names");
    free(text);
}

/* With whatever little memory: a finding, never a fault. */
Test(capacity, a_full_arena_is_an_error) {
    static const char text[] = "[lastcall]\ngrace = 5s\n[service a]\ncommand = x\nenv = A=1\nenv-pass = B\nready = notify\nafter = b\n[service b]\ncommand = y\n"
                               "[drain d]\nsleep = 1s\n[drain e]\nsleep = x\n";
    const char *const argv[] = {"lastcall", "-c", "a.ini", NULL};
    const char *const none[] = {NULL};
    struct source source = {"a.ini", text, sizeof text - 1};
    struct facts facts = {.envp = (char *const *)none};
    for (size_t bytes = 0; bytes < 8000; bytes += 8) {
        char *room = calloc(1, bytes + 8);
        struct arena small = {room, room + bytes};
        findings = (struct findings){0};
        if (conf_options(3, (char *const *)argv, (char *const *)none, &small, &options, &findings))
            cr_assert_not(conf_load(&options, &source, 1, &facts, &small, &config, &findings), "%zu", bytes);
        cr_assert_gt(findings.errors, 0);
        free(room);
    }
}

Test(capacity, a_finding_has_room_for_many) {
    char *text = many(3000, "[service a]\nfoo%u = x\n");
    load(text);
    cr_assert_geq(findings.errors, 3000);
    cr_assert_leq(findings.n, 1024);
    free(text);
}
