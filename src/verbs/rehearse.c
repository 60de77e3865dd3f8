/* lastcall rehearse FILE...: starts everything for real, waits until it is ready, stops it, and says how long
 * each step took. A lastcall of its own runs the files; what it says of the stop stands in its report. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/limits.h"
#include "model/row.h"
#include "sys/clock.h"
#include "sys/sigmask.h"
#include "sys/spawn.h"
#include "text/duration.h"
#include "text/errtext.h"
#include "text/number.h"
#include "text/variable.h"
#include "verbs/loading.h"
#include "verbs/tally.h"

enum { MAX_WORDS_HERE = 4096, LOOK_MS = 50, READY_S = 300, SETTLE_S = 1, SLACK_S = 30 };
enum { PATH_ROOM = 256, SOCKET_PATH = 107, MOST_FOLDERS = 100 };

struct rehearsal {
    const struct verb_call *call;
    const struct request *request;
    const struct model *model;
    int program;
    pid_t pid;                 /* of the lastcall that runs; 0: none */
    int status;
    bool interrupted, terminal;
    bool exit_wrong;           /* of a run that was clean */
    char folder[PATH_ROOM], report[PATH_ROOM + 16], control[PATH_ROOM + 16];
    struct tally tally;
};

/* ---- what it leaves in the file system: a folder of its own, until it ends ---- */

static void name_folder(struct rehearsal *r, unsigned try) {
    const char *base = variable(r->call->envp, "TMPDIR");
    struct out out = out_on(r->folder, sizeof r->folder);
    out_text(&out, base && *base ? base : "/tmp");
    out_text(&out, "/lastcall-rehearse.");
    out_int(&out, getpid());
    if (try > 0) {
        out_char(&out, '.');
        out_uint(&out, try);
    }
}

static void complain_of_folder(const struct rehearsal *r, const char *why) {
    char text[PATH_ROOM + 64];
    struct out out = out_on(text, sizeof text);
    out_text(&out, r->folder);
    out_text(&out, ": ");
    out_text(&out, why);
    out_text(&out, "; another folder in TMPDIR");
    complain_about(r->call, text);
}

/* One that was killed leaves its folder, and in a container the next may have its pid. */
static bool make_folder(struct rehearsal *r) {
    int made = -1;
    errno = EEXIST;
    for (unsigned try = 0; made < 0 && errno == EEXIST && try < MOST_FOLDERS; try++) {
        name_folder(r, try);
        made = mkdir(r->folder, 0700);
    }
    if (made == 0 && strlen(r->folder) + strlen("/control") > SOCKET_PATH) {
        rmdir(r->folder);
        errno = ENAMETOOLONG;
        made = -1;
    }
    if (made < 0) {
        complain_of_folder(r, errtext(errno));
        return false;
    }
    struct out out = out_on(r->report, sizeof r->report);
    out_text(&out, r->folder);
    out_text(&out, "/report");
    out = out_on(r->control, sizeof r->control);
    out_text(&out, r->folder);
    out_text(&out, "/control");
    return true;
}

static void remove_folder(const struct rehearsal *r) {
    unlink(r->report);
    unlink(r->control);
    rmdir(r->folder);
}

/* ---- one run ---- */

static bool begin(struct rehearsal *r) {
    const struct request *request = r->request;
    const char *argv[MAX_WORDS_HERE] = {"lastcall", "--pdeathsig", "TERM", "--report", r->report, "--control", r->control};
    struct spawn spawn = {.argv = (char *const *)argv, .envp = r->call->envp, .umask = -1, .keep_session = true,
                          .share_group = true, .exec_fd = r->program, .error_fd = -1};
    struct spawn_error error;
    unsigned n = 7;
    for (unsigned i = 0; i < request->n_paths && i < MAX_FILES; i++) {
        argv[n++] = "-c";
        argv[n++] = request->paths[i];
    }
    if (request->command) { /* the rest of our own words, which end with NULL */
        argv[n++] = "--";
        for (unsigned i = 0; request->command[i]; i++) {
            if (n == MAX_WORDS_HERE - 1)
                return false;
            argv[n++] = request->command[i];
        }
    }
    unlink(r->report);
    r->pid = spawn_vfork(&spawn, &error);
    return r->pid > 0;
}

static bool ends_it(int signal) { return signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT; }

/* Takes signals for so long; a person's is handed on, unless it came from the terminal to all of the group, and ends
 * the rehearsal. INT again hurries, as ever. */
static void listen(struct rehearsal *r, span most) {
    struct signal_taken taken;
    if (sigmask_wait(ALL_SIGNALS, most, &taken) && ends_it(taken.sig)) {
        r->interrupted = true;
        if (r->pid > 0 && taken.code <= 0)
            kill(r->pid, taken.sig == SIGINT ? SIGINT : SIGTERM);
    }
    if (r->pid == 0 || waitpid(r->pid, &r->status, WNOHANG | WUNTRACED) != r->pid)
        return;
    if (WIFSTOPPED(r->status))
        kill(r->pid, SIGCONT); /* it stops with a program that the terminal has stopped, and nobody else continues it */
    else
        r->pid = 0;
}

static bool is_ready(const struct rehearsal *r) {
    struct talk_answer answer = talk_ask(r->call, r->control, "GET", "/readyz", after(clock_now(), SEC(1)));
    talk_forget(&answer);
    return answer.code == 200;
}

/* Short, and with the cursor at its start: what others print there covers it. */
static void show_progress(const struct rehearsal *r, span waited, bool over) {
    char text[96];
    struct out out = out_on(text, sizeof text);
    if (!r->terminal)
        return;
    if (!over) {
        out_text(&out, "ready in ");
        out_tenths(&out, span_ms(waited));
        out_text(&out, " s?");
    }
    out_text(&out, "\033[K\r");
    write_all(2, out.text, out.n);
}

static bool wait_ready(struct rehearsal *r) {
    instant start = clock_now(), last = after(start, SEC(READY_S));
    bool ready = false;
    while (r->pid > 0 && !r->interrupted && !ready && before(clock_now(), last)) {
        show_progress(r, until(start, clock_now()), false);
        listen(r, MS(LOOK_MS));
        ready = r->pid > 0 && is_ready(r);
    }
    show_progress(r, NO_TIME, true);
    return ready;
}

/* Whether a service does not say when it is ready: a second must do instead. */
static bool says_nothing(const struct model *model) {
    for (uint16_t i = 0; i < model->n_services; i++)
        if (model->services[i].type != TYPE_ONESHOT && model->units[model->services[i].first_unit].ready == NONE)
            return true;
    return false;
}

static void settle(struct rehearsal *r) {
    instant last = after(clock_now(), SEC(SETTLE_S));
    while (r->pid > 0 && !r->interrupted && before(clock_now(), last))
        listen(r, until(clock_now(), last));
}

static void complain_of_end(const struct rehearsal *r, const char *name) {
    char text[MAX_NAME + 64];
    struct out out = out_on(text, sizeof text);
    out_bytes(&out, name, strcspn(name, "\""));
    out_text(&out, " has ended, or was started again, before the stop");
    complain_about(r->call, text);
}

/* false: it has named a service that did not live so long. */
static bool all_have_lasted(const struct rehearsal *r) {
    struct talk_answer answer = talk_ask(r->call, r->control, "GET", "/status", after(clock_now(), SEC(1)));
    const char *ended = answer.code == 200 ? tally_ended(answer.body) : NULL;
    bool all = answer.code == 200 && !ended;
    if (ended)
        complain_of_end(r, ended);
    talk_forget(&answer);
    return all;
}

/* It keeps its own deadline; some seconds after that it is not to be waited for any more. */
static void stop(struct rehearsal *r) {
    instant last = after(clock_now(), plus(r->model->policy.grace, SEC(SLACK_S)));
    if (r->pid > 0 && !r->interrupted)
        kill(r->pid, SIGTERM);
    while (r->pid > 0 && before(clock_now(), last))
        listen(r, until(clock_now(), last));
    if (r->pid > 0) {
        kill(r->pid, SIGKILL);
        waitpid(r->pid, &r->status, 0);
        r->pid = 0;
    }
}

static void read_report(const struct rehearsal *r, struct result *result) {
    char text[MAX_REPORT + 1];
    int fd = open(r->report, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, MAX_REPORT);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return;
    text[n] = 0;
    tally_report(text, result);
}

static void say_run(const struct rehearsal *r, unsigned runs) {
    char text[48];
    struct out out = out_on(text, sizeof text);
    out_text(&out, "run ");
    out_uint(&out, r->tally.n + 1);
    out_text(&out, " of ");
    out_uint(&out, runs);
    complain_about(r->call, text);
}

/* A clean stop after which the platform shows an error. */
static void complain_of_exit(struct rehearsal *r) {
    char text[128];
    struct out out = out_on(text, sizeof text);
    r->exit_wrong = true;
    out_text(&out, "the exit code is ");
    out_int(&out, WEXITSTATUS(r->status));
    out_text(&out, "; if that is no failure, write it into success-exit of its service");
    complain_about(r->call, text);
}

static bool run_once(struct rehearsal *r, unsigned runs) {
    struct result *result = &r->tally.v[r->tally.n];
    *result = (struct result){.used_ms = -1};
    if (runs > 1)
        say_run(r, runs);
    if (!begin(r)) {
        complain_about(r->call, "cannot start a lastcall for it");
        return false;
    }
    bool ready = wait_ready(r), lasted;
    if (ready && says_nothing(r->model))
        settle(r);
    lasted = ready && r->pid > 0 && !r->interrupted && all_have_lasted(r);
    if (r->pid == 0 && !r->interrupted)
        complain_about(r->call, "it ended by itself, so there was nothing to stop");
    else if (!ready && !r->interrupted)
        complain_about(r->call, "not ready within 5 minutes");
    ready = ready && r->pid > 0;
    stop(r);
    if (r->interrupted)
        return false;
    if (ready)
        read_report(r, result);
    if (result->clean && WIFEXITED(r->status) && WEXITSTATUS(r->status) != 0)
        complain_of_exit(r);
    result->clean = result->clean && lasted;
    r->tally.n++;
    return ready;
}

/* ---- all runs ---- */

static int rehearse(struct rehearsal *r, unsigned runs) {
    bool good = true;
    r->program = open("/proc/self/exe", O_PATH | O_CLOEXEC);
    r->terminal = isatty(2);
    if (r->program < 0)
        complain_about(r->call, "/proc/self/exe cannot be opened, so it cannot start a lastcall; mount /proc");
    if (r->program < 0 || !make_folder(r))
        return EXIT_FAILED;
    sigmask_set(ALL_SIGNALS, NULL);
    sigmask_want_children();
    while (good && r->tally.n < runs)
        good = run_once(r, runs);
    remove_folder(r);
    int wrote = result_code(r->call, tally_print(&r->tally, r->model->policy.grace));
    return wrote != 0 ? wrote : good && !r->exit_wrong && tally_clean(&r->tally) == runs ? 0 : EXIT_NO;
}

/* 1 to MOST_RUNS; 0: it is no such number. */
static unsigned runs_of(const char *text) {
    int64_t runs = number_parse(text, strlen(text), MOST_RUNS);
    return runs < 0 ? 0 : (unsigned)runs;
}

/* The files are read here, and by the lastcall of each run. */
static const char *read_once(const struct request *request) {
    struct stat stat_of;
    for (unsigned i = 0; i < request->n_paths; i++)
        if (stat(request->paths[i], &stat_of) == 0 && !S_ISREG(stat_of.st_mode) && !S_ISDIR(stat_of.st_mode))
            return request->paths[i];
    return NULL;
}

static void complain_of_pipe(const struct verb_call *call, const char *path) {
    char text[PATH_ROOM + 128];
    struct out out = out_on(text, sizeof text);
    out_text(&out, path);
    out_text(&out, ": it can be read once, and every run reads it again; write the name of a file");
    complain_about(call, text);
}

int verb_rehearse(const struct verb_call *call) {
    struct rehearsal *r = memory_take(call, sizeof *r);
    struct loading loading;
    struct request request = {0};
    const char *count = "1";
    unsigned n_count = 0;
    const struct verb_option options[] = {{"-n", &count, &n_count, 1}};
    if (!request_read(&request, call, options, 1))
        return EXIT_WORDS;
    unsigned runs = runs_of(count);
    if (runs == 0) {
        complain_about(call, "-n: write a number of runs, 1 to 1000");
        return EXIT_WORDS;
    }
    const char *pipe = read_once(&request);
    if (pipe) {
        complain_of_pipe(call, pipe);
        return EXIT_WORDS;
    }
    int code = loading_files(&loading, call, &request);
    if (code != 0) {
        findings_print(&loading.findings, 2);
        return code;
    }
    *r = (struct rehearsal){.call = call, .request = &request, .model = &loading.config.model};
    return rehearse(r, runs);
}
