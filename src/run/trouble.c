/* run/trouble.c: why something could not be started, as a sentence. */
#include <errno.h>
#include <string.h>

#include "run/state.h"
#include "text/errtext.h"
#include "text/out.h"

static const char *const stages[] = {
    [SPAWN_OK] = "", [SPAWN_FORK] = "cannot fork", [SPAWN_SESSION] = "cannot make a session or group",
    [SPAWN_SIGNALS] = "cannot reset its signals", [SPAWN_INPUT] = "cannot open /dev/null",
    [SPAWN_FDS] = "cannot get descriptors",
    [SPAWN_DIRECTORY] = "cannot change to cwd ", [SPAWN_ENV_FILE] = "cannot read env-file ",
    [SPAWN_ENV] = "cannot make the environment", [SPAWN_WORDS] = "cannot make words of the command",
    [SPAWN_PRIVILEGES] = "cannot give up privileges", [SPAWN_OUTPUT] = "cannot make the file of stdout",
    [SPAWN_EXEC] = "cannot execute ",
};
_Static_assert(sizeof stages / sizeof *stages == SPAWN_N, "a text for every stage");

static const char *reason(const struct spawn_error *error) {
    if (error->stage == SPAWN_EXEC && error->error == ENOENT)
        return "not found (or the interpreter that it names is not)";
    if (error->stage == SPAWN_EXEC && error->error == ENOEXEC)
        return "no program: a script's first line must be \"#!\" and its interpreter";
    if ((error->stage == SPAWN_WORDS || error->stage == SPAWN_ENV) && error->error == 0)
        return words_error_text((enum words_error)error->detail);
    if (error->stage == SPAWN_ENV_FILE && error->error == 0)
        return "write NAME=value";
    return errtext(error->error);
}

static void put_place(struct out *out, const struct place *where) {
    if (where == NULL || where->file == NULL)
        return;
    out_text(out, where->file);
    out_char(out, ':');
    out_uint(out, where->line);
    out_text(out, ": ");
}

static void put_subject(struct out *out, const struct job_source *source, const struct spawn_error *error) {
    int32_t file = error->detail >> 24;
    if (error->stage == SPAWN_DIRECTORY && source->in != NULL && source->in->cwd != NULL) {
        out_text(out, source->in->cwd);
    } else if (error->stage == SPAWN_ENV_FILE && source->in != NULL && source->in->env_file != NULL) {
        out_text(out, source->in->env_file[file]);
        if (error->error == 0) {
            out_text(out, " line ");
            out_int(out, error->detail & 0xffffff);
        }
    } else if (error->stage == SPAWN_EXEC && source->command != NULL) {
        out_text(out, source->command->argv != NULL ? source->command->argv[0] : source->command->text);
    }
}

bool say_trouble(struct run *run, const char *what) {
    char text[256];
    struct out out = out_on(text, sizeof text);
    int error = errno;
    out_text(&out, what);
    out_text(&out, ": ");
    out_text(&out, errtext(error));
    run_say(run, -1, text);
    return false;
}

void say_spawn_failed(struct run *run, uint16_t slot) {
    char text[512];
    struct out out = out_on(text, sizeof text);
    const struct spawn_error *error = &run->jobs.v[slot].error;
    struct job_source source = child_source(run, slot);
    bool check = run->core.jobs[slot].what == CMD_CHECK;
    if (check && run->jobs.v[slot].complained)
        return;
    run->jobs.v[slot].complained = check;
    if (error->stage == SPAWN_EXEC)
        tell_failed(run, error);
    else
        tell(run, TALE_NOT_FORKED, error->error, 0);
    int32_t stage = error->stage >= 0 && error->stage < SPAWN_N ? error->stage : SPAWN_FORK;
    put_place(&out, source.command == NULL ? NULL : &source.command->where);
    if (!run->model->policy.single || source.command == NULL) {
        out_text(&out, source.name);
        out_text(&out, check ? ": its check: " : ": ");
    }
    out_text(&out, stages[stage]);
    put_subject(&out, &source, error);
    out_text(&out, ": ");
    out_text(&out, reason(error));
    run_say(run, 0, text);
}
