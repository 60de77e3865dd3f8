/* The plan: which rows, in which order, in which stages, and what each is promised. */
#include "support.h"

TestSuite(plan, .init = new_model);

static const char *order(void) {
    static char text[512];
    const struct walk *walk = &s.core.walk;
    text[0] = 0;
    for (uint16_t i = 0; i < walk->n_rows; i++) {
        if (i)
            strcat(text, walk->rows[i].stage == walk->rows[i - 1].stage ? "," : " ");
        strcat(text, row_name(&s.model, &walk->rows[i]));
    }
    return text;
}

#define is_order(expected) cr_assert_str_eq(order(), expected)
#define is_promised(name, expected) \
    cr_assert_eq(row(name)->guarantee.ns, (expected).ns, "%s: %lld ms", name, (long long)span_ms(row(name)->guarantee))

Test(plan, phases_come_in_this_order) {
    drain("broker", DO_COMMAND), finish("bye", DO_COMMAND);
    main_service("web");
    s.model.policy.announce_min = SEC(1);
    lay_out();
    is_order("announce broker web bye sweep");
    static const uint8_t phases[] = {PH_ANNOUNCE, PH_DRAIN, PH_STOP, PH_FINISH, PH_SWEEP};
    for (uint16_t i = 0; i < 5; i++) {
        cr_assert_eq(s.core.walk.rows[i].phase, phases[i]);
        cr_assert_eq(s.core.walk.rows[i].stage, i);
        cr_assert_eq(s.core.walk.rows[i].state, S_PENDING);
        cr_assert_eq(s.core.walk.stages[i].phase, phases[i]);
        cr_assert_eq(s.core.walk.stages[i].first, i);
        cr_assert_eq(s.core.walk.stages[i].n, 1);
        cr_assert(is_never(s.core.walk.rows[i].start) && is_never(s.core.walk.rows[i].end));
        cr_assert(is_never(s.core.walk.rows[i].deadline));
        cr_assert_eq(s.core.walk.rows[i].exit, EXIT_UNKNOWN);
    }
}

Test(plan, services_stop_in_the_reverse_of_start) {
    uint16_t db = service("db"), cache = service("cache"), app = service("app"), web = service("web");
    add_after(app, db), add_after(app, cache), add_after(web, app);
    lay_out();
    is_order("announce web app cache,db sweep");
}

Test(plan, a_level_is_the_longest_path) {
    uint16_t a = service("a"), b = service("b"), c = service("c");
    add_after(b, a), add_after(c, a), add_after(c, b);
    lay_out();
    is_order("announce c b a sweep");
}

Test(plan, parallel_is_one_stage) {
    uint16_t a = service("a"), b = service("b");
    add_after(b, a);
    s.model.policy.parallel = true;
    lay_out();
    is_order("announce b,a sweep");
}

Test(plan, replicas_from_the_highest_down) {
    static const char *const names[] = {"worker.0", "worker.1", "worker.2"};
    uint16_t worker = service("worker");
    s.services[worker].n_units = s.model.n_units = 3;
    for (uint16_t i = 0; i < 3; i++)
        s.units[i] = (struct unit_policy){names[i], worker, i, NONE, NONE};
    lay_out();
    is_order("announce worker.2,worker.1,worker.0 sweep");
}

Test(plan, the_stage_of_a_step_decides) {
    uint16_t a = drain("a", DO_COMMAND), b = drain("b", DO_SLEEP), c = drain("c", DO_COMMAND);
    s.steps[a].stage = 1, s.steps[b].stage = 0, s.steps[c].stage = 1;
    finish("x", DO_COMMAND), finish("y", DO_COMMAND);
    lay_out();
    is_order("announce b a,c x y sweep");
}

Test(plan, without_a_sweep) {
    main_service("web");
    s.model.policy.sweep = false;
    lay_out();
    is_order("announce web");
}

Test(plan, what_is_promised_without_being_written) {
    s.model.policy.announce_min = SEC(2);
    uint16_t broker = drain("broker", DO_COMMAND);
    s.steps[broker].timeout = SEC(5);
    finish("bye", DO_COMMAND);
    uint16_t web = main_service("web");
    s.services[web].stop_timeout = SEC(3);
    lay_out();
    is_promised("announce", SEC(2));
    is_promised("broker", NO_TIME);
    is_promised("web", SEC(3));
    is_promised("bye", SEC(1));
    is_promised("sweep", MS(200));
}

Test(plan, what_is_written_is_promised) {
    uint16_t broker = drain("broker", DO_COMMAND), bye = finish("bye", DO_COMMAND), web = main_service("web");
    s.steps[broker].guarantee = SEC(1);
    s.steps[bye].guarantee = MS(50);
    s.services[web].guarantee = SEC(4), s.services[web].stop_timeout = SEC(2);
    lay_out();
    is_promised("broker", SEC(1));
    is_promised("bye", MS(50));
    is_promised("web", SEC(4));
    cr_assert_eq(s.core.walk.promises[1].written.ns, SEC(1).ns);
    cr_assert_eq(s.core.walk.promises[2].written.ns, SEC(4).ns);
    cr_assert_eq(s.core.walk.promises[2].unwritten.ns, 0);
    cr_assert_eq(s.core.walk.promises[4].unwritten.ns, MS(200).ns, "the sweep's is a default");
}

Test(plan, without_a_stop_timeout_stages_share_what_all_others_leave) {
    uint16_t a = service("a"), b = service("b"), c = service("c");
    add_after(b, a), add_after(c, b);
    s.services[b].stop_timeout = SEC(2);
    lay_out();
    /* (10 - 1 - 2 - 0.2) / (2 + 1) */
    is_promised("a", (span){MS(6800).ns / 3});
    is_promised("c", (span){MS(6800).ns / 3});
    is_promised("b", SEC(2));
}

Test(plan, stages_share_not_services) {
    service("a"), service("b"), service("c");
    lay_out();
    is_promised("a", MS(4400)); /* one stage: 8.8 / 2 */
    is_promised("c", MS(4400));
}

Test(plan, a_stages_promise_is_the_largest_of_its_steps) {
    uint16_t a = service("a"), b = service("b");
    s.services[a].stop_timeout = SEC(2), s.services[b].stop_timeout = SEC(5);
    lay_out();
    cr_assert_eq(s.core.walk.promises[1].unwritten.ns, SEC(5).ns);
}

Test(plan, also_of_the_written_ones) {
    uint16_t x = drain("x", DO_COMMAND), y = drain("y", DO_COMMAND), z = drain("z", DO_COMMAND);
    s.steps[y].stage = s.steps[z].stage = 0;
    s.steps[x].guarantee = SEC(1), s.steps[y].guarantee = SEC(3), s.steps[z].guarantee = SEC(2);
    lay_out();
    cr_assert_eq(s.core.walk.promises[1].written.ns, SEC(3).ns);
}

Test(plan, a_share_counts_the_largest_of_its_stage) {
    uint16_t a = service("a");
    service("b");
    s.services[a].stop_timeout = SEC(6);
    lay_out();
    is_promised("b", MS(4400));
    cr_assert_eq(s.core.walk.promises[1].unwritten.ns, SEC(6).ns);
}

Test(plan, with_nothing_left_a_share_is_small) {
    uint16_t a = service("a"), b = service("b");
    add_after(b, a);
    s.services[a].stop_timeout = SEC(30);
    lay_out();
    cr_assert_leq(row("b")->guarantee.ns, MS(1800).ns, "no more than that of any stage");
}

Test(plan, a_lone_command) {
    new_single();
    lay_out();
    is_order("announce command sweep");
}

Test(plan, the_memory_is_enough_and_one_byte_less_is_not) {
    static uint64_t memory[1 << 15];
    main_service("web"), drain("a", DO_COMMAND), check_of(0, CHECK_TCP, false);
    cr_assert(core_layout(&s.core, &s.model, memory, core_bytes(&s.model)));
    cr_assert_not(core_layout(&s.core, &s.model, memory, core_bytes(&s.model) - 1));
}

Test(plan, slots_do_not_overlap) {
    service("a"), service("b"), drain("x", DO_COMMAND), finish("y", DO_COMMAND), check_of(0, CHECK_EXEC, false);
    lay_out();
    uint16_t slots[] = {run_slot(0), run_slot(1), aux_slot(0), aux_slot(1), step_slot(0), step_slot(1), check_slot(0), net_slot()};
    bool seen[16] = {false};
    cr_assert_eq(core_jobs(&s.model), 8);
    for (unsigned i = 0; i < 8; i++) {
        cr_assert_lt(slots[i], 8);
        cr_assert_not(seen[slots[i]]);
        seen[slots[i]] = true;
    }
}

uint16_t plan_rows(const struct model *model);

Test(plan, has_as_many_rows_as_there_is_room_for) {
    service("a"), service("b"), drain("x", DO_COMMAND), finish("f", DO_COMMAND);
    lay_out();
    cr_assert_eq(s.core.walk.n_rows, 6);
    cr_assert_eq(plan_rows(&s.model), 6);
    s.model.policy.sweep = false;
    lay_out();
    cr_assert_eq(s.core.walk.n_rows, 5);
    cr_assert_eq(plan_rows(&s.model), 5);
}

Test(plan, the_order_of_the_file_is_none) {
    uint16_t web = service("web"), db = service("db");
    add_after(web, db);
    lay_out();
    is_order("announce web db sweep");
}

Test(plan, a_share_is_of_what_announce_and_sweep_leave) {
    main_service("web");
    s.model.policy.announce_min = s.model.policy.announce_max = SEC(3);
    lay_out();
    is_promised("web", MS(2900)); /* (10 - 1 - 3 - 0.2) / 2 */
}

Test(plan, where_nothing_is_left_a_share_is_that_of_any_stage) {
    main_service("web");
    for (unsigned i = 0; i < 4; i++)
        finish("f", DO_COMMAND);
    s.model.policy.grace = SEC(3), s.model.policy.reserve = MS(200);
    lay_out();
    is_promised("web", MS(350)); /* (3 - 0.2) / (7 + 1) */
}
