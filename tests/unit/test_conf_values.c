/* Values of keys, checks among them: what is good, what is meant, and what to write instead. */
#include "conf_support.h"

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
