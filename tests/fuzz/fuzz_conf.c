/* Any bytes as a configuration file: findings that say why not, each in one safe line; or a configuration that can be
 * run: its programs, which end, fail or hang as the size says, are started, and the stop ends within the grace.
 * For: src/conf src/world */
#include "conf/conf.h"
#include "fuzz.h"
#include "world/world.h"

enum { TURNS = 400, MOST_ACTIONS = 65536 };

struct trial { struct core core; struct world world; struct actions out; instant now; };

static void done(struct trial *trial) {
    MUST(trial->out.n < trial->out.room);
    for (uint32_t i = 0; i < trial->out.n; i++)
        world_do(&trial->world, &trial->out.v[i]);
    world_look(&trial->world, &trial->core);
}

static void feed(struct trial *trial, const struct event *event) {
    if (trial->core.exited)
        return;
    core_step(&trial->core, event, trial->now, &trial->out);
    done(trial);
}

/* To the next instant at which something happens; false: nothing ever will. */
static bool turn(struct trial *trial) {
    struct event event;
    instant at = earlier(world_next(&trial->world), core_next(&trial->core));
    if (is_never(at))
        return false;
    trial->now = later_of(trial->now, at);
    while (world_take(&trial->world, trial->now, &event))
        feed(trial, &event);
    feed(trial, &(struct event){.kind = EV_TICK});
    return true;
}

static void try(const struct config *config, struct arena *arena, uint8_t habit) {
    static struct action list[MOST_ACTIONS];
    const struct model *model = &config->model;
    struct trial trial = {.now = {SEC(1000).ns}, .out = {.v = list, .room = core_actions_max(model)}};
    uint64_t bytes = core_bytes(model);
    char *room = arena_take(arena, bytes);
    if (room == NULL || trial.out.room > MOST_ACTIONS || !world_layout(&trial.world, model, arena))
        return;
    for (uint16_t i = 0; i < model->n_units; i++)
        trial.world.of_unit[i] = (struct habit){habit, SEC(1)};
    for (uint16_t i = 0; i < model->n_steps; i++)
        trial.world.of_step[i] = (struct habit){habit, SEC(1)};
    trial.world.now = trial.now;
    MUST(core_layout(&trial.core, model, room, bytes));
    core_start(&trial.core, trial.now, &trial.out);
    done(&trial);
    for (int i = 0; i < TURNS && !trial.core.exited && turn(&trial); i++) {}
    feed(&trial, &(struct event){.kind = EV_ASK, .verb = ASK_STOP, .client = 1});
    instant end = after(trial.core.walk.clock, model->policy.grace);
    while (!trial.core.exited)
        MUST(turn(&trial) && !before(end, trial.now));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static _Alignas(8) char memory[4 << 20];
    static const char *argv[] = {"lastcall", "-c", "fuzz.ini", NULL};
    static char *envp[] = {NULL};
    struct arena arena = {memory, memory + sizeof memory};
    struct findings findings = {0};
    struct options options = {0};
    struct config config = {0};
    char *text = copy_of(data, size, false);
    struct source source = {"fuzz.ini", text, size};
    struct facts facts = {.envp = envp, .pid1 = size & 1, .advise = size & 2};
    MUST(conf_options(3, (char *const *)argv, envp, &arena, &options, &findings));
    MUST(conf_load(&options, &source, 1, &facts, &arena, &config, &findings) == (findings.errors == 0));
    for (uint32_t i = 0; i < findings.n; i++)
        MUST(is_a_line(findings.v[i].text));
    if (findings.errors == 0)
        try(&config, &arena, (uint8_t)(size / 4 % 3));
    free(text);
    memset(memory, 0, (size_t)(arena.at - memory));
    return 0;
}
