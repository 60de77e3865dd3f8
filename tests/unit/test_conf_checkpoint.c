/* [checkpoint] sections: what they become, and what is found wrong with them. */
#include "conf_support.h"

#define SERVICE "[service a]\ncommand = a\n"
#define bad_key(key, says) bad(SERVICE "[checkpoint c]\ncommand = x\nrestore = y\ntimeout = 1s\n" key "\n", 7, says)

static const struct checkpoint_policy *checkpoint(const char *name) {
    uint16_t i = step(name)->checkpoint;
    cr_assert_lt(i, config.model.n_checkpoints);
    cr_assert_eq(&config.model.steps[config.model.checkpoints[i].step], step(name));
    return &config.model.checkpoints[i];
}
static const struct checkpoint_spec *store(const char *name) { return &config.checkpoints[step(name)->checkpoint]; }

Test(checkpoint, says_everything) {
    clean("[lastcall]\ngrace = 60s\n" SERVICE "[service b]\ncommand = b\n"
          "[checkpoint c]\nfor = b\ncommand = ./save ${X}\nrestore = ./load\nrestore-if-missing = /data/x\nonly-if = test -e /y\n"
          "restore-on = restart\non-failure = continue\nwhen = after-stop\nevery = 10m\nkeep = 7\nstdout = point\ntimeout = 4s\n"
          "guarantee = 3s\nrequired = yes\nhash = no\ndir = /state/c/\ncwd = /w\nenv = A=1\nenv = B=2\n");
    cr_assert_eq(config.model.n_checkpoints, 1);
    cr_assert_eq(step("c")->action, DO_CHECKPOINT);
    cr_assert_eq(step("c")->phase, PH_SETTLE);
    cr_assert_eq(step("c")->for_service, service("b") - config.model.services);
    is_span(step("c")->timeout, SEC(4));
    is_span(step("c")->guarantee, SEC(3));
    cr_assert(step("c")->required);
    cr_assert_not(step("c")->has_only_if, "it guards the restore, not the save");
    cr_assert(checkpoint("c")->has_save);
    cr_assert(checkpoint("c")->has_restore);
    cr_assert(checkpoint("c")->on_restart);
    cr_assert(checkpoint("c")->may_fail);
    is_span(checkpoint("c")->every, SEC(600));
    cr_assert_str_eq(act("c")->act.text, "./save ${X}");
    cr_assert_str_eq(act("c")->in.cwd, "/w");
    cr_assert_str_eq(act("c")->in.env[1], "B=2");
    cr_assert_str_eq(store("c")->restore.text, "./load");
    cr_assert_str_eq(store("c")->only_if.text, "test -e /y");
    cr_assert_str_eq(store("c")->if_missing, "/data/x");
    cr_assert_str_eq(store("c")->output, "point");
    cr_assert_str_eq(store("c")->dir, "/state/c");
    cr_assert_eq(store("c")->keep, 7);
    cr_assert_not(store("c")->hash);
}

Test(checkpoint, says_next_to_nothing) {
    clean(SERVICE "[checkpoint c]\ncommand = x\ntimeout = 1s\n");
    cr_assert_eq(step("c")->phase, PH_SAVE);
    cr_assert_eq(step("c")->for_service, NONE);
    cr_assert_eq(step("c")->guarantee.ns, FOREVER.ns, "the plan makes it from the timeout");
    cr_assert_not(checkpoint("c")->has_restore);
    cr_assert_not(checkpoint("c")->may_fail);
    cr_assert_eq(checkpoint("c")->every.ns, FOREVER.ns);
    cr_assert_eq(store("c")->keep, 3);
    cr_assert(store("c")->hash);
    cr_assert_null(store("c")->if_missing);
    cr_assert_null(store("c")->output);
    cr_assert_str_eq(store("c")->dir, "/var/lib/lastcall/c");
    clean("[lastcall]\ncheckpoint-dir = /state/\n" SERVICE "[checkpoint c]\ncommand = x\ntimeout = 1s\n");
    cr_assert_str_eq(store("c")->dir, "/state/c");
}

Test(checkpoint, stands_between_drains_and_finishes) {
    clean(SERVICE "[finish f]\nsleep = 1s\n[checkpoint c]\ncommand = x\ntimeout = 1s\n[drain d]\nsleep = 1s\n[checkpoint e]\ncommand = x\n"
          "timeout = 1s\n[drain f]\nsleep = 2s\n");
    static const char *const names[] = {"d", "f", "c", "e", "f"};
    cr_assert_eq(config.model.n_steps, 5);
    for (size_t i = 0; i < 5; i++)
        cr_assert_str_eq(config.model.steps[i].name, names[i]);
    cr_assert_eq(config.model.steps[4].phase, PH_FINISH);
    cr_assert_eq(config.model.steps[4].stage, 0, "a finish does not wait for a checkpoint");
    cr_assert_eq(config.model.checkpoints[1].step, 3);
}

Test(checkpoint, those_of_one_phase_run_at_the_same_time_unless_after_says_otherwise) {
    clean(SERVICE "[checkpoint c]\ncommand = x\ntimeout = 1s\n[checkpoint d]\ncommand = x\ntimeout = 1s\n"
          "[checkpoint e]\ncommand = x\ntimeout = 1s\nafter = c, d\n[checkpoint f]\ncommand = x\ntimeout = 1s\nwhen = after-stop\n"
          "[checkpoint g]\ncommand = x\ntimeout = 1s\nafter = none\n");
    cr_assert_eq(step("c")->stage, 0);
    cr_assert_eq(step("d")->stage, 0);
    cr_assert_eq(step("e")->stage, 1);
    cr_assert_eq(step("f")->stage, 0);
    cr_assert_eq(step("g")->stage, 0);
    bad(SERVICE "[checkpoint c]\ncommand = x\ntimeout = 1s\n[checkpoint d]\ncommand = x\ntimeout = 1s\nwhen = after-stop\nafter = c\n", 10,
        "[checkpoint c] has another when");
    bad(SERVICE "[checkpoint c]\ncommand = x\ntimeout = 1s\nafter = d\n[drain d]\nsleep = 1s\n", 6, "there is no [checkpoint d]");
    bad(SERVICE "[checkpoint c]\ncommand = x\ntimeout = 1s\nafter = c\n", 6, "steps wait for each other: c -> c");
}

Test(checkpoint, needs_a_command_unless_it_only_restores) {
    bad(SERVICE "[checkpoint c]\n", 3, "[checkpoint c] has no command; write command = what saves");
    bad(SERVICE "[checkpoint c]\nrestore = x\n", 3, "or when = never if it only restores");
    bad(SERVICE "[checkpoint c]\nwhen = never\n", 3, "has no command");
    clean(SERVICE "[checkpoint c]\nrestore = x\nwhen = never\n");
    cr_assert_not(checkpoint("c")->has_save);
    cr_assert_eq(step("c")->phase, PH_N);
    static const char *const lines[] = {"every = 1m", "keep = 2", "hash = no", "stdout = x", "timeout = 1s"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char text[200];
        sprintf(text, SERVICE "[checkpoint c]\nrestore = x\nwhen = never\n%s\n", lines[i]);
        bad(text, 6, "is about the command, and there is none");
    }
    bad(SERVICE "[checkpoint c]\ncomand = x\n", 4, "write command"); /* and that is all */
}

Test(checkpoint, keys_of_the_restore_need_one) {
    static const char *const lines[] = {"restore-if-missing = /x", "restore-on = start", "only-if = x", "on-failure = continue"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char text[200];
        sprintf(text, SERVICE "[checkpoint c]\ncommand = x\ntimeout = 1s\n%s\n", lines[i]);
        bad(text, 6, "is about the restore, and there is none; write restore = a command");
    }
    bad_key("restore-on = restart", "write for = SERVICE");
}

Test(checkpoint, keys_of_the_stop_need_one) {
    static const char *const lines[] = {"after = none", "guarantee = 1s", "required = yes"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char text[200];
        sprintf(text, SERVICE "[checkpoint c]\ncommand = x\ntimeout = 1s\nwhen = never\n%s\n", lines[i]);
        bad(text, 7, "is about the stop, and when = never");
    }
    clean(SERVICE "[checkpoint c]\ncommand = x\ntimeout = 1s\nwhen = never\nevery = 1s\n");
}

Test(checkpoint, values_that_are_none) {
    bad_key("keep = 0", "write a number from 1 to 1000");
    bad_key("keep = 1001", "write a number from 1 to 1000");
    bad_key("keep = all", "write a number from 1 to 1000");
    bad_key("every = 999ms", "must be 1s at least");
    bad_key("every = 10", "10s");
    bad_key("when = later", "write before-stop, after-stop or never");
    bad_key("restore-on = stop", "write start or restart");
    bad_key("on-failure = skip-rest", "write stop or continue");
    bad_key("hash = sha256", "write no or yes");
    bad_key("for = b", "there is no [service b]");
    bad_key("user = b", "not in this version yet");
    bad_key("undo = b", "undo is no key of [checkpoint]; write it in [drain]");
    bad_key("restor-on = start", "write restore-on");
}

Test(checkpoint, the_file_of_its_output_is_a_name) {
    static const char *const values[] = {"/x", "a/b", "..", ".", "'x'", "../x", "x/"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[200];
        sprintf(text, SERVICE "[checkpoint c]\ncommand = x\ntimeout = 1s\nstdout = %s\n", values[i]);
        bad(text, 6, "write a file's name without a directory");
    }
    clean(SERVICE "[checkpoint c]\ncommand = x\ntimeout = 1s\nstdout = ..a.b c\n");
}

Test(checkpoint, stores_are_absolute) {
    static const char *const values[] = {"x", "./x", "~/x", "/", "/a/../b", "/a/.", "//a", "/a//b", "\"/a\"", "/a//"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[200];
        sprintf(text, SERVICE "[checkpoint c]\ncommand = x\ntimeout = 1s\ndir = %s\n", values[i]);
        bad(text, 6, "write an absolute path");
        sprintf(text, "[lastcall]\ncheckpoint-dir = %s\n" SERVICE, values[i]);
        bad(text, 2, "write an absolute path");
        sprintf(text, SERVICE "[checkpoint c]\ncommand = x\ntimeout = 1s\nrestore = x\nrestore-if-missing = %s\n", values[i]);
        bad(text, 7, "write an absolute path");
    }
    bad_key("dir = /data/${HOSTNAME}", "variables are not expanded here");
    clean(SERVICE "[checkpoint c]\ncommand = x\ntimeout = 1s\ndir = /.a/..b/...\n");
}

Test(checkpoint, each_has_a_store_of_its_own) {
    bad(SERVICE "[checkpoint c]\ncommand = x\ntimeout = 1s\ndir = /s\n[checkpoint d]\ncommand = x\ntimeout = 1s\ndir = /s/\n", 10,
        "/s is the store of [checkpoint c] already");
    bad(SERVICE "[checkpoint c]\ncommand = x\ntimeout = 1s\ndir = /s\n[checkpoint d]\ncommand = x\ntimeout = 1s\ndir = /s/d\n", 10,
        "lie one within the other");
    bad(SERVICE "[checkpoint c]\ncommand = x\ntimeout = 1s\ndir = /var/lib/lastcall/d/x\n[checkpoint d]\ncommand = x\ntimeout = 1s\n", 7,
        "lie one within the other");
    clean(SERVICE "[checkpoint c]\ncommand = x\ntimeout = 1s\ndir = /s/c\n[checkpoint d]\ncommand = x\ntimeout = 1s\ndir = /s/c2\n");
}

Test(checkpoint, a_stores_name_has_a_limit) {
    char text[600], dir[201] = {"/"};
    memset(dir + 1, 'x', 199);
    sprintf(text, SERVICE "[checkpoint c]\ncommand = x\ntimeout = 1s\ndir = %s\n", dir);
    clean(text);
    sprintf(text, SERVICE "[checkpoint c]\ncommand = x\ntimeout = 1s\ndir = %sx\n", dir);
    bad(text, 6, "more than 200 bytes");
    sprintf(text, "[lastcall]\ncheckpoint-dir = %s\n" SERVICE "[checkpoint c]\ncommand = x\ntimeout = 1s\n", dir);
    bad(text, 2, "more than 200 bytes");
}

Test(checkpoint, is_not_taken_of_a_oneshot_by_schedule) {
    bad("[service a]\ntype = oneshot\ncommand = a\n[checkpoint c]\nfor = a\ncommand = x\ntimeout = 1s\nevery = 1m\n", 8, "a is a oneshot");
    clean("[service a]\ntype = oneshot\ncommand = a\n[checkpoint c]\nfor = a\ncommand = x\ntimeout = 1s\nwhen = after-stop\n");
}

Test(checkpoint, a_signal_takes_what_there_is) {
    clean("[lastcall]\nsignals = USR2 checkpoint\n" SERVICE "[checkpoint c]\ncommand = x\ntimeout = 1s\n");
    cr_assert_eq(policy->signals[12].meaning, SIGNAL_CHECKPOINT);
    bad("[lastcall]\nsignals = USR1 stop\nsignals = USR2 checkpoint\n" SERVICE, 3, "there is no [checkpoint] that could be taken");
    bad("[lastcall]\nsignals = USR2 checkpoint\n" SERVICE "[checkpoint c]\nrestore = x\nwhen = never\n", 2, "that could be taken");
}

Test(checkpoint, a_finish_step_may_ask_how_it_ended) {
    clean(SERVICE "[checkpoint c]\ncommand = x\ntimeout = 1s\n[finish f]\nrun-if = c failed\ncommand = x\n");
    cr_assert_eq(step("f")->run_if_step, step("c") - config.model.steps);
    bad(SERVICE "[checkpoint c]\ncommand = x\ntimeout = 1s\nwhen = never\n[finish f]\nrun-if = c failed\ncommand = x\n", 8, "is not taken at the stop");
    bad(SERVICE "[checkpoint c]\ncommand = x\ntimeout = 1s\n[drain d]\nrun-if = c failed\nsleep = 1s\n", 7, "there is no [drain c]");
    bad(SERVICE "[checkpoint c]\ncommand = x\ntimeout = 1s\n[finish f]\nrun-if = e failed\ncommand = x\n", 7, "there is no [drain e]");
}

Test(checkpoint, written_guarantees_must_fit) {
    bad("[lastcall]\ngrace = 10s\n" SERVICE "[checkpoint c]\ncommand = x\ntimeout = 6s\nguarantee = 6s\n"
        "[checkpoint d]\ncommand = x\ntimeout = 6s\nguarantee = 6s\nwhen = after-stop\n", 2, "add up to 13s");
    good("[lastcall]\ngrace = 10s\n" SERVICE "[checkpoint c]\ncommand = x\ntimeout = 6s\nguarantee = 6s\n"
         "[checkpoint d]\ncommand = x\ntimeout = 6s\nguarantee = 6s\n");
}

Test(checkpoint, without_a_timeout_is_warned_about) {
    warns(SERVICE "[checkpoint c]\ncommand = x\n", 3, "has no timeout");
    warns(SERVICE "[checkpoint c]\ncommand = x\nwhen = never\n", 3, "has no timeout");
}

Test(checkpoint, there_are_32_at_most) {
    char text[4000] = SERVICE;
    for (int i = 0; i < 32; i++)
        sprintf(text + strlen(text), "[checkpoint c%d]\ncommand = x\ntimeout = 1s\n", i);
    clean(text);
    cr_assert_eq(config.model.n_checkpoints, 32);
    strcat(text, "[drain d]\nsleep = 1s\n[checkpoint e]\ncommand = x\ntimeout = 1s\n");
    bad(text, 101, "more than 32 checkpoint sections");
}
