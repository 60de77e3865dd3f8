/* Whole files into a configuration: what its parts mean together, the grace, steps, capacities. */
#include "conf_support.h"

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
