/* Lines, sections and keys of files: findings that name the line and what to write instead. */
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
