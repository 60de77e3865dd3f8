#include "world/world.h"

enum { SIG_KILL = 9, SIG_TERM = 15, FACTS_PER_JOB = 4 };

bool world_layout(struct world *world, const struct model *model, struct arena *arena) {
    uint16_t jobs = core_jobs(model);
    uint32_t room = FACTS_PER_JOB * (jobs + model->n_checks + 1u);
    *world = (struct world){
        .model = model, .n_jobs = jobs, .room = room,
        .of_unit = arena_take(arena, (model->n_units + 1u) * sizeof *world->of_unit),
        .of_step = arena_take(arena, (model->n_steps + 1u) * sizeof *world->of_step),
        .bodies = arena_take(arena, jobs * sizeof *world->bodies),
        .facts = arena_take(arena, room * sizeof *world->facts),
        .asked = arena_take(arena, (model->n_checks + 1u) * sizeof *world->asked),
    };
    return world->of_unit && world->of_step && world->bodies && world->facts && world->asked;
}

static void happen(struct world *world, struct event event) {
    if (world->n_facts < world->room)
        world->facts[(world->first + world->n_facts++) % world->room] = event;
}

/* ---- programs ---- */

/* What ends it sooner counts, and of two at once the first. */
static void will_end(struct world *world, struct body *body, span in, int exit) {
    instant at = after(world->now, in);
    if (!before(at, body->ends))
        return;
    body->ends = at;
    body->exit = (int16_t)exit;
}

static const struct service *service_of(const struct world *world, uint16_t unit) {
    return &world->model->services[world->model->units[unit].service];
}

static struct body *body_of_unit(struct world *world, uint16_t unit) {
    for (uint16_t i = 0; i < world->n_jobs; i++)
        if (world->bodies[i].alive && world->bodies[i].what == CMD_RUN && world->bodies[i].owner == unit)
            return &world->bodies[i];
    return NULL;
}

static bool is_oneshot(const struct world *world, const struct body *body) {
    return body->what == CMD_RUN && service_of(world, body->owner)->type == TYPE_ONESHOT;
}

static const struct habit *habit_of(const struct world *world, const struct body *body) {
    return body->what == CMD_RUN ? &world->of_unit[body->owner] : &world->of_step[body->owner];
}

/* From now on as its habit is: what works by itself from its start on, a service from its stop signal on. */
static void work(struct world *world, struct body *body) {
    const struct habit *habit = habit_of(world, body);
    if (habit->kind != HABIT_HANGS)
        will_end(world, body, habit->takes, habit->kind == HABIT_FAILS);
}

/* Told to stop, by a signal or a command. */
static void obey(struct world *world, struct body *body, int signal) {
    if (body->what == CMD_RUN && !is_oneshot(world, body))
        work(world, body);
    else if (habit_of(world, body)->kind != HABIT_HANGS)
        will_end(world, body, NO_TIME, -signal);
}

/* A stop-command tells its service, and does not wait for it. */
static void run_stop(struct world *world, struct body *body) {
    struct body *service = body_of_unit(world, body->owner);
    if (service)
        obey(world, service, SIG_TERM);
    will_end(world, body, NO_TIME, 0);
}

static void spawn(struct world *world, const struct action *action) {
    struct body *body = &world->bodies[action->job.job];
    *body = (struct body){.what = (uint8_t)action->value, .alive = true, .owner = action->subject,
                          .gen = action->job.gen, .ends = NEVER};
    world->alive++;
    happen(world, (struct event){.kind = EV_SPAWNED, .job = action->job});
    switch ((enum command_kind)action->value) {
    case CMD_RUN:
        if (is_oneshot(world, body))
            work(world, body);
        break;
    case CMD_STOP: run_stop(world, body); break;
    case CMD_SAVE:
    case CMD_STEP: work(world, body); break;
    case CMD_RELOAD:
    case CMD_CHECK:
    case CMD_ONLY_IF:
    case CMD_RESTORE:
    case CMD_RECORD:
    case CMD_UNDO: will_end(world, body, NO_TIME, 0); break;
    case CMD_NET:
    case CMD_N: break;
    }
}

static bool is_stop_signal(const struct service *service, int signal) {
    for (uint8_t i = 0; i < service->n_stop; i++)
        if (service->stop[i].signal == signal)
            return true;
    return signal == SIG_TERM;
}

static void hear(struct world *world, struct body *body, int signal) {
    if (!body->alive)
        return;
    if (signal == SIG_KILL)
        will_end(world, body, NO_TIME, -SIG_KILL);
    else if (body->what == CMD_RUN ? is_stop_signal(service_of(world, body->owner), signal)
                                   : (body->what == CMD_STEP || body->what == CMD_SAVE) && signal == SIG_TERM)
        obey(world, body, signal);
}

static void end(struct world *world, struct body *body, int exit) {
    uint16_t slot = (uint16_t)(body - world->bodies);
    struct job_id job = {slot, body->gen};
    if (!body->alive)
        return;
    body->alive = false;
    world->alive--;
    happen(world, (struct event){.kind = EV_LEADER, .job = job, .value = exit});
    happen(world, (struct event){.kind = EV_GONE, .job = job});
    if (world->sweeping && world->alive == 0)
        happen(world, (struct event){.kind = EV_EMPTY});
}

/* TERM to all that is left, which ends the helper and what does not hang. */
static void sweep(struct world *world) {
    world->sweeping = true;
    for (uint16_t i = 0; i < world->n_jobs; i++)
        if (world->bodies[i].what == CMD_NET)
            end(world, &world->bodies[i], 0);
        else
            hear(world, &world->bodies[i], SIG_TERM);
    if (world->alive == 0)
        happen(world, (struct event){.kind = EV_EMPTY});
}

static void kill_all(struct world *world) {
    for (uint16_t i = 0; i < world->n_jobs; i++)
        end(world, &world->bodies[i], -SIG_KILL);
}

void world_do(struct world *world, const struct action *action) {
    struct body *body = &world->bodies[action->job.job];
    bool known = body->gen == action->job.gen;
    switch ((enum action_kind)action->kind) {
    case A_SPAWN: spawn(world, action); break;
    case A_SIGNAL:
        if (known)
            hear(world, body, action->signal);
        break;
    case A_KILL:
        if (known)
            end(world, body, -SIG_KILL);
        break;
    case A_SWEEP: sweep(world); break;
    case A_SWEEP_KILL: kill_all(world); break;
    case A_PUBLISH: happen(world, (struct event){.kind = EV_PULSE}); break;
    case A_NOTHING:
    case A_WATCH_TREE:
    case A_FORGET:
    case A_NOTE:
    case A_EXIT:
    case A_N: break;
    }
}

/* net counts for its checks and tells the turns alone: one answer will do. */
void world_look(struct world *world, const struct core *core) {
    for (uint16_t i = 0; i < world->model->n_checks; i++) {
        const struct check *check = &core->checks[i];
        uint8_t kind = world->model->checks[i].kind;
        if (!check->on || check->passing || world->asked[i] == check->gen || kind == CHECK_EXEC || kind == CHECK_DELAY)
            continue;
        world->asked[i] = check->gen;
        happen(world, (struct event){.kind = EV_CHECK, .subject = i, .value = 1, .gen = check->gen});
    }
}

/* ---- the clock ---- */

instant world_next(const struct world *world) {
    instant next = NEVER;
    if (world->n_facts > 0)
        return world->now;
    for (uint16_t i = 0; i < world->n_jobs; i++)
        if (world->bodies[i].alive)
            next = earlier(next, world->bodies[i].ends);
    return next;
}

bool world_take(struct world *world, instant now, struct event *event) {
    world->now = now;
    for (uint16_t i = 0; i < world->n_jobs && world->n_facts == 0; i++)
        if (world->bodies[i].alive && due(world->bodies[i].ends, now))
            end(world, &world->bodies[i], world->bodies[i].exit);
    if (world->n_facts == 0)
        return false;
    *event = world->facts[world->first];
    world->first = (world->first + 1) % world->room;
    world->n_facts--;
    return true;
}
