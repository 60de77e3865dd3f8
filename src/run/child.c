/* run/child.c: what a job runs, where, and with which variables. The second half happens in the child. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "conf/conf.h"
#include "run/guard.h"
#include "run/state.h"
#include "sys/clock.h"
#include "sys/watch.h"
#include "text/out.h"

/* What an action asks for. */
struct order {
    struct run *run;
    const struct command *command;
    const struct surroundings *in;
    uint16_t unit, step;        /* NONE: not of one */
    uint16_t checkpoint;        /* that a guard stands around; NONE */
    uint16_t record;            /* enum record */
    uint8_t what;               /* enum command_kind */
};

static void of_step(const struct run *run, uint16_t step, struct order *order) {
    const struct step_spec *spec = &run->config->steps[step];
    order->step = step;
    order->in = &spec->in;
    order->command = order->what == CMD_ONLY_IF ? &spec->only_if : order->what == CMD_UNDO ? &spec->undo : &spec->act;
}

static void of_checkpoint(const struct run *run, uint16_t step, struct order *order) {
    of_step(run, step, order);
    order->checkpoint = run->model->steps[step].checkpoint;
    if (order->what == CMD_RESTORE)
        order->command = &run->config->checkpoints[order->checkpoint].restore;
}

/* The record is written by lastcall itself, where it stands. */
static void of_record(struct order *order) {
    static const struct surroundings here = {.umask = -1};
    static const struct command none;
    order->in = &here;
    order->command = &none;
}

static void of_unit(const struct run *run, uint16_t unit, struct order *order) {
    const struct service_spec *spec = &run->config->services[run->model->units[unit].service];
    order->unit = unit;
    order->in = &spec->in;
    order->command = order->what == CMD_STOP ? &spec->stop : order->what == CMD_RELOAD ? &spec->reload : &spec->run;
}

static struct order order_of(struct run *run, const struct action *action) {
    struct order order = {.run = run, .unit = NONE, .step = NONE, .checkpoint = NONE, .what = (uint8_t)action->value};
    switch ((enum command_kind)action->value) {
    case CMD_RUN:
    case CMD_STOP:
    case CMD_RELOAD: of_unit(run, action->subject, &order); break;
    case CMD_CHECK:
        of_unit(run, run->model->checks[action->subject].unit, &order);
        order.command = &run->config->checks[action->subject];
        break;
    case CMD_ONLY_IF:
    case CMD_STEP:
    case CMD_UNDO: of_step(run, action->subject, &order); break;
    case CMD_SAVE:
    case CMD_RESTORE: of_checkpoint(run, action->subject, &order); break;
    case CMD_RECORD:
        of_record(&order);
        order.record = action->subject;
        break;
    case CMD_NET:
    case CMD_N: break;
    }
    return order;
}

/* ---- in the child ---- */

static bool fail(struct spawn_error *error, enum spawn_stage stage, int code, long detail) {
    *error = (struct spawn_error){.stage = stage, .error = code, .detail = (int32_t)detail};
    return false;
}

static bool set_int(struct environment *environment, const char *name, int64_t value) {
    char text[24];
    struct out out = out_on(text, sizeof text);
    out_int(&out, value);
    return environment_set(environment, name, text);
}

static pid_t pid_of_unit(const struct run *run, uint16_t unit) {
    const struct slot *slot = &run->jobs.v[core_job_of_unit(&run->core, unit)];
    return slot->state == SLOT_RUNS || slot->state == SLOT_STARTING ? slot->pid : 0;
}

static bool set_left(const struct order *order, struct environment *environment) {
    const struct core *core = &order->run->core;
    instant now = clock_now();
    span left = shorter(core_left(core, now), until(now, core->jobs[core_job_of_step(core, order->step)].kill_at));
    return is_forever(left) || set_int(environment, "LASTCALL_LEFT_MS", span_ms(left));
}

/* What a save is for, or the cause of the stop. */
static const char *cause_of(const struct order *order, struct out *out) {
    static const char *const whys[] = {
        [WHY_SCHEDULE] = "schedule", [WHY_REQUEST] = "request", [WHY_SIGNAL] = "signal",
    };
    uint8_t why = order->what == CMD_SAVE ? order->run->core.savers[order->checkpoint].why : WHY_STOP;
    if (order->what == CMD_RESTORE)
        out_text(out, "start");
    else if (why == WHY_STOP)
        cause_short(out, order->run);
    else
        out_text(out, whys[why]);
    return out->text;
}

static bool set_checkpoint(const struct order *order, struct environment *environment) {
    const struct checkpoint_result *result = &order->run->kept.shared[order->checkpoint];
    const struct last_run *last = order->run->kept.last;
    bool restores = order->what == CMD_RESTORE;
    return (*result->path == 0 || environment_set(environment, "LASTCALL_CHECKPOINT_DIR", result->path)) &&
           (*result->id == 0 || environment_set(environment, "LASTCALL_CHECKPOINT_ID", result->id)) &&
           (!restores || *last->verdict == 0 ||
            (environment_set(environment, "LASTCALL_LAST_VERDICT", last->verdict) &&
             environment_set(environment, "LASTCALL_LAST_CAUSE", last->cause)));
}

static bool set_step(const struct order *order, struct environment *environment) {
    const struct run *run = order->run;
    const struct model *model = run->model;
    char text[128];
    struct out out = out_on(text, sizeof text);
    bool fits;
    cause_of(order, &out);
    if (order->checkpoint != NONE && !set_checkpoint(order, environment))
        return false;
    fits = environment_set(environment, "LASTCALL_CAUSE", text) && set_left(order, environment) &&
           environment_set(environment, "LASTCALL_STEP", model->steps[order->step].name);
    if (model->main == NONE)
        return fits;
    uint16_t main = model->services[model->main].first_unit;
    int exit = run->core.units[main].exit;
    if (pid_of_unit(run, main) != 0)
        fits = fits && set_int(environment, "LASTCALL_MAIN_PID", pid_of_unit(run, main));
    if (model->steps[order->step].phase == PH_FINISH && exit != EXIT_UNKNOWN)
        fits = fits && set_int(environment, "LASTCALL_EXIT", exit < 0 ? 128 - exit : exit);
    return fits;
}

static bool set_unit(const struct order *order, struct environment *environment) {
    const struct run *run = order->run;
    const struct unit_policy *unit = &run->model->units[order->unit];
    bool fits = environment_set(environment, "LASTCALL_SERVICE", run->model->services[unit->service].name) &&
                set_int(environment, "LASTCALL_REPLICA", unit->ordinal);
    if (order->what != CMD_RUN && pid_of_unit(run, order->unit) != 0)
        fits = fits && set_int(environment, "LASTCALL_MAIN_PID", pid_of_unit(run, order->unit));
    if (order->what == CMD_RUN && unit->ready != NONE && run->model->checks[unit->ready].kind == CHECK_NOTIFY)
        fits = fits && environment_set(environment, "NOTIFY_SOCKET", run->helper.notify[unit->ready]);
    return fits;
}

static bool set_ours(const struct order *order, struct environment *environment) {
    const struct control *control = &order->run->helper.control;
    if (control->fd >= 0 && !environment_set(environment, "LASTCALL_SOCKET", control->name))
        return false;
    return order->unit != NONE ? set_unit(order, environment) : set_step(order, environment);
}

/* The detail of an error holds the line, and above it which of the files. */
static bool read_env_file(struct child_room *room, const char *path, int32_t index, struct spawn_error *error) {
    bool may_miss = path[0] == '-';
    int fd = open(path + may_miss, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    size_t n = 0;
    ssize_t got = 1;
    if (fd < 0)
        return (may_miss && errno == ENOENT) || fail(error, SPAWN_ENV_FILE, errno, index << 24);
    while (n < sizeof room->file && (got = read(fd, room->file + n, sizeof room->file - n)) > 0)
        n += (size_t)got;
    if (got < 0)
        return fail(error, SPAWN_ENV_FILE, errno, index << 24);
    close(fd);
    long line = n == sizeof room->file ? -1 : environment_read(&room->environment, room->file, n);
    if (line < 0)
        return fail(error, SPAWN_ENV_FILE, E2BIG, index << 24);
    return line == 0 || fail(error, SPAWN_ENV_FILE, 0, index << 24 | line);
}

static bool set_written(struct child_room *room, const char *assignment, struct spawn_error *error) {
    char name[256];
    const char *equals = strchr(assignment, '=');
    size_t n = equals == NULL ? sizeof name : (size_t)(equals - assignment);
    if (n >= sizeof name)
        return fail(error, SPAWN_ENV, 0, WORDS_BAD_NAME);
    memcpy(name, assignment, n);
    name[n] = 0;
    enum words_error wrong = words_value(room->value, sizeof room->value, equals + 1, room->environment.envp);
    if (wrong != WORDS_OK)
        return fail(error, SPAWN_ENV, 0, wrong);
    return environment_set(&room->environment, name, room->value) || fail(error, SPAWN_ENV, E2BIG, 0);
}

static bool make_environment(const struct order *order, struct child_room *room, struct spawn_error *error) {
    struct environment *environment = &room->environment;
    const struct surroundings *in = order->in;
    bool fits = true;
    environment_clear(environment);
    if (!in->env_clear || in->env_pass != NULL)
        fits = environment_take(environment, order->run->envp, false);
    if (in->env_clear && in->env_pass != NULL)
        fits = fits && environment_keep(environment, in->env_pass);
    if (!fits || !set_ours(order, environment))
        return fail(error, SPAWN_ENV, E2BIG, 0);
    for (int32_t i = 0; in->env_file != NULL && in->env_file[i] != NULL; i++)
        if (!read_env_file(room, in->env_file[i], i, error))
            return false;
    for (size_t i = 0; in->env != NULL && in->env[i] != NULL; i++)
        if (!set_written(room, in->env[i], error))
            return false;
    return true;
}

static bool prepare_command(const struct order *order, const struct command *command, struct spawn *spawn,
                            struct spawn_error *error) {
    struct child_room *room = order->run->room;
    if (!make_environment(order, room, error))
        return false;
    spawn->envp = room->environment.envp;
    spawn->argv = command->argv;
    if (spawn->argv != NULL)
        return true;
    enum words_error wrong = words_make(&room->words, command->text, room->environment.envp);
    spawn->argv = room->words.argv;
    return wrong == WORDS_OK || fail(error, SPAWN_WORDS, 0, wrong);
}

/* Around the command of a checkpoint: see run/guard.c. The command alone returns with true. */
static bool prepare_guarded(const struct order *order, struct spawn *spawn, struct spawn_error *error) {
    const struct run *run = order->run;
    struct utsname names = {0};
    char cause[64];
    struct out out = out_on(cause, sizeof cause);
    struct spawn gate = {.keep_session = true, .share_group = true, .umask = -1, .exec_fd = -1, .error_fd = -1};
    struct guard guard = {
        .spec = &run->config->checkpoints[order->checkpoint], .result = &run->kept.shared[order->checkpoint],
        .saves = order->what == CMD_SAVE,
        .label = {.name = run->model->steps[order->step].name, .host = names.nodename, .cause = cause_of(order, &out)},
    };
    const struct command *only_if = guard.spec->only_if.text != NULL ? &guard.spec->only_if : NULL;
    uname(&names);
    guard.label.hash = guard.spec->hash;
    if (!guard.saves && ((only_if != NULL && !prepare_command(order, only_if, &gate, error)) ||
                         !guard_gate(&guard, only_if != NULL ? &gate : NULL, error)))
        return false;
    guard_open(&guard);
    return prepare_command(order, order->command, spawn, error) && guard_part(&guard, spawn, error) == GUARD_COMMAND;
}

static bool prepare(struct spawn *spawn, void *with, struct spawn_error *error) {
    const struct order *order = with;
    if (order->what == CMD_RECORD || order->checkpoint != NONE)
        guard_begin(spawn);
    if (order->what == CMD_RECORD)
        guard_record(order->run, order->record);
    if (order->checkpoint != NONE)
        return prepare_guarded(order, spawn, error);
    return prepare_command(order, order->command, spawn, error);
}

/* ---- in the parent ---- */

static void started(struct run *run, uint16_t slot, pid_t pid, int error_fd, bool foreground) {
    struct slot *s = &run->jobs.v[slot];
    if (foreground)
        run->terminal.given = pid; /* -1: what failed may have taken it, and is gone */
    if (pid < 0) {
        jobs_unborn(&run->jobs, slot);
        return;
    }
    if (error_fd >= 0 && !watch_add(run->watch, error_fd, (uint64_t)s->gen << 16 | slot)) {
        close(error_fd); /* no memory in the kernel: taken for success, its end will tell */
        error_fd = -1;
    }
    jobs_born(&run->jobs, slot, pid, error_fd, run->watch >= 0 || !run->model->policy.pid1);
}

/* The single command as given needs nothing prepared: it can borrow our memory until it has begun. */
static bool is_plain(const struct order *order) {
    const struct run *run = order->run;
    return !run->began && run->model->policy.single && order->what == CMD_RUN && order->command->argv != NULL &&
           run->model->units[order->unit].ready == NONE;
}

static void give_check_fd(const struct order *order, struct spawn *spawn, struct spawn_fd *fd) {
    const struct run *run = order->run;
    uint16_t check = order->unit != NONE && order->what == CMD_RUN ? run->model->units[order->unit].ready : NONE;
    if (check == NONE || run->model->checks[check].kind != CHECK_FD)
        return;
    *fd = (struct spawn_fd){.from = run->helper.write_fds[check], .to = run->model->checks[check].fd};
    spawn->fds = fd;
    spawn->n_fds = 1;
}

void child_start(struct run *run, const struct action *action) {
    uint16_t slot = action->job.job;
    struct order order = order_of(run, action);
    bool tty = order.what == CMD_RUN && (run->model->policy.single || order.in->tty);
    struct spawn_fd fd;
    int error_fd = -1;
    struct spawn spawn = {
        .envp = run->envp, .argv = order.command->argv, .cwd = order.in->cwd, .umask = order.in->umask,
        .keep_session = tty, .exec_fd = -1, .error_fd = -1,
        .foreground = tty && run->terminal.wanted && terminal_is_ours(),
        .nofile = run->nofile_raised ? &run->nofile : NULL, .prepare = prepare, .with = &order,
    };
    if (order.checkpoint != NONE)
        kept_fresh(run, order.checkpoint);
    jobs_forget(&run->jobs, slot);
    run->jobs.v[slot].gen = action->job.gen;
    if (order.what == CMD_RUN)
        helper_empty_checks(run, order.unit);
    give_check_fd(&order, &spawn, &fd);
    bool is_command = run->model->policy.single && order.what == CMD_RUN, plain = is_plain(&order);
    if (plain)
        spawn.prepare = NULL;
    if (is_command)
        manners_before(run, &spawn);
    struct spawn_error *error = &run->jobs.v[slot].error;
    pid_t pid = plain ? spawn_vfork(&spawn, error) : spawn_fork(&spawn, &error_fd, error);
    if (is_command)
        manners_after(run, &spawn, error->stage == SPAWN_EXEC ? error->detail : pid);
    started(run, slot, pid, error_fd, spawn.foreground);
}

struct job_source child_source(struct run *run, uint16_t slot) {
    const struct job *job = &run->core.jobs[slot];
    struct action action = {.kind = A_SPAWN, .subject = job->owner, .value = job->what};
    struct order order = order_of(run, &action);
    const char *name = order.step != NONE   ? run->model->steps[order.step].name
                       : order.unit != NONE ? run->model->units[order.unit].name
                       : job->what == CMD_RECORD ? "the record of the run"
                                                 : "the helper for endpoints";
    return (struct job_source){.name = name, .command = order.command, .in = order.in};
}

/* ---- at the start ---- */

/* Ours alone: what an outer lastcall or a supervisor above told us is nothing to our children. */
static bool is_private(const char *assignment) {
    static const char names[] = "NOTIFY_SOCKET=\0WATCHDOG_USEC=\0WATCHDOG_PID=\0LASTCALL_SERVICE=\0LASTCALL_REPLICA=\0"
                                "LASTCALL_SOCKET=\0LASTCALL_CAUSE=\0LASTCALL_STEP=\0LASTCALL_LEFT_MS=\0"
                                "LASTCALL_MAIN_PID=\0LASTCALL_EXIT=\0LASTCALL_CHECKPOINT_DIR=\0LASTCALL_CHECKPOINT_ID=\0"
                                "LASTCALL_LAST_VERDICT=\0LASTCALL_LAST_CAUSE=\0";
    for (const char *name = names; *name != 0; name += strlen(name) + 1)
        if (strncmp(assignment, name, strlen(name)) == 0)
            return true;
    return conf_is_own_variable(assignment);
}

void child_clean_environment(char **envp) {
    char **to = envp;
    for (char **from = envp; *from != NULL; from++)
        if (!is_private(*from))
            *to++ = *from;
    *to = NULL;
}
