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
#include "text/number.h"
#include "text/variable.h"
#include "verbs/loading.h"

enum { MOST_RUNS = 1000, MAX_WORDS_HERE = 4096, LOOK_MS = 50, READY_S = 300, EXIT_FAILED = 125, PATH_ROOM = 256, SLACK_S = 30 };

/* One run. ms -1: it did not get so far. */
struct result { int64_t used_ms; bool clean; };

struct slowest { char name[MAX_NAME + 8]; int64_t ms; };

struct rehearsal {
    const struct verb_call *call;
    const struct request *request;
    span grace;
    int program;
    pid_t pid;                 /* of the lastcall that runs; 0: none */
    int status;
    bool interrupted, terminal;
    char folder[PATH_ROOM], report[PATH_ROOM + 16], control[PATH_ROOM + 16];
    struct result results[MOST_RUNS];
    unsigned n;
    struct slowest slowest;    /* of all runs */
};

/* ---- what it leaves in the file system: a folder of its own, until it ends ---- */

static bool make_folder(struct rehearsal *r) {
    const char *base = variable(r->call->envp, "TMPDIR");
    struct out out = out_on(r->folder, sizeof r->folder);
    out_text(&out, base && *base ? base : "/tmp");
    out_text(&out, "/lastcall-rehearse.");
    out_int(&out, getpid());
    if (out.cut || mkdir(r->folder, 0700) != 0)
        return false;
    out = out_on(r->report, sizeof r->report);
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
                          .exec_fd = r->program, .error_fd = -1};
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

/* Takes signals for so long; a person's is handed on, and ends the rehearsal. */
static void listen(struct rehearsal *r, span most) {
    struct signal_taken taken;
    if (sigmask_wait(ALL_SIGNALS, most, &taken) && taken.sig != SIGCHLD && taken.sig != SIGWINCH && taken.sig != SIGCONT) {
        r->interrupted = true;
        if (r->pid > 0)
            kill(r->pid, SIGTERM);
    }
    if (r->pid > 0 && waitpid(r->pid, &r->status, WNOHANG) == r->pid)
        r->pid = 0;
}

static bool is_ready(const struct rehearsal *r) {
    struct talk_answer answer = talk_ask(r->call, r->control, "GET", "/readyz", after(clock_now(), SEC(1)));
    talk_forget(&answer);
    return answer.code == 200;
}

static void show_progress(const struct rehearsal *r, span waited, bool over) {
    char text[96];
    struct out out = out_on(text, sizeof text);
    if (!r->terminal)
        return;
    out_text(&out, "\r");
    if (!over) {
        out_text(&out, "waiting until it is ready: ");
        out_tenths(&out, span_ms(waited));
        out_text(&out, " s");
    }
    out_text(&out, "\033[K");
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

/* It keeps its own deadline; some seconds after that it is not to be waited for any more. */
static void stop(struct rehearsal *r) {
    instant last = after(clock_now(), plus(r->grace, SEC(SLACK_S)));
    if (r->pid > 0)
        kill(r->pid, SIGTERM);
    while (r->pid > 0 && before(clock_now(), last))
        listen(r, until(clock_now(), last));
    if (r->pid > 0) {
        kill(r->pid, SIGKILL);
        waitpid(r->pid, &r->status, 0);
        r->pid = 0;
    }
}

/* ---- its report ---- */

/* The number behind "KEY": in this object; -1: none. */
static int64_t number_of(const char *json, const char *key) {
    const char *at = strstr(json, key);
    int64_t value = -1;
    if (!at)
        return -1;
    for (at += strlen(key); *at >= '0' && *at <= '9'; at++)
        value = (value < 0 ? 0 : value * 10) + (*at - '0');
    return value;
}

static void look_at_step(struct rehearsal *r, const char *step) {
    int64_t start = number_of(step, "\"start_ms\":"), end = number_of(step, "\"end_ms\":");
    const char *name = strstr(step, "\"name\":\"");
    if (start < 0 || end < 0 || !name || end - start <= r->slowest.ms)
        return;
    name += strlen("\"name\":\"");
    size_t n = strcspn(name, "\"");
    n = n < sizeof r->slowest.name ? n : sizeof r->slowest.name - 1;
    memcpy(r->slowest.name, name, n);
    r->slowest.name[n] = 0;
    r->slowest.ms = end - start;
}

static void read_report(struct rehearsal *r, struct result *result) {
    char text[MAX_REPORT + 1];
    int fd = open(r->report, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, MAX_REPORT);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return;
    text[n] = 0;
    result->used_ms = number_of(text, "\"used_ms\":");
    result->clean = strstr(text, "\"verdict\":\"clean\"") != NULL;
    for (char *step = strstr(text, "\"steps\":["); step && (step = strstr(step, "{\"phase\"")) != NULL;) {
        char *end = strchr(step, '}');
        if (!end)
            return;
        *end = 0;
        look_at_step(r, step);
        step = end + 1;
    }
}

static bool run_once(struct rehearsal *r) {
    struct result *result = &r->results[r->n];
    *result = (struct result){.used_ms = -1};
    if (!begin(r)) {
        complain_about(r->call, "cannot start a lastcall for it");
        return false;
    }
    bool ready = wait_ready(r);
    if (!ready && !r->interrupted)
        complain_about(r->call, r->pid > 0 ? "not ready within 5 minutes" : "it ended before it was ready");
    stop(r);
    if (r->interrupted)
        return false;
    if (ready)
        read_report(r, result);
    r->n++;
    return ready;
}

/* ---- the summary ---- */

static void sort(struct result *results, unsigned n) {
    for (unsigned i = 1; i < n; i++)
        for (unsigned k = i; k > 0 && results[k].used_ms < results[k - 1].used_ms; k--) {
            struct result other = results[k];
            results[k] = results[k - 1];
            results[k - 1] = other;
        }
}

static unsigned count_clean(const struct rehearsal *r) {
    unsigned clean = 0;
    for (unsigned i = 0; i < r->n; i++)
        clean += r->results[i].clean;
    return clean;
}

static void put_ms(struct out *out, const char *before_it, int64_t ms) {
    out_text(out, before_it);
    out_tenths(out, ms);
    out_text(out, " s");
}

static bool print_summary(struct rehearsal *r) {
    char text[512];
    struct out out = out_on(text, sizeof text);
    out_text(&out, "rehearsed ");
    out_uint(&out, r->n);
    out_text(&out, r->n == 1 ? " stop, " : " stops, ");
    out_uint(&out, count_clean(r));
    out_text(&out, " clean");
    sort(r->results, r->n);
    if (r->n > 0 && r->results[r->n / 2].used_ms >= 0) {
        put_ms(&out, ": median ", r->results[r->n / 2].used_ms);
        put_ms(&out, ", worst ", r->results[r->n - 1].used_ms);
        if (!is_forever(r->grace))
            put_ms(&out, " of ", span_ms(r->grace));
    }
    if (r->slowest.ms > 0) {
        out_text(&out, "; the longest step was ");
        out_text(&out, r->slowest.name);
        put_ms(&out, ", ", r->slowest.ms);
    }
    out_char(&out, '\n');
    return write_all(1, out.text, out.n);
}

static int rehearse(struct rehearsal *r, unsigned runs) {
    bool good = true;
    r->program = open("/proc/self/exe", O_PATH | O_CLOEXEC);
    r->terminal = isatty(2);
    if (r->program < 0 || !make_folder(r)) {
        complain_about(r->call, "needs /proc and a folder for its report; set TMPDIR");
        return EXIT_FAILED;
    }
    sigmask_set(ALL_SIGNALS, NULL);
    sigmask_want_children();
    while (good && r->n < runs)
        good = run_once(r);
    remove_folder(r);
    int wrote = result_code(r->call, print_summary(r));
    return wrote != 0 ? wrote : good && count_clean(r) == runs ? 0 : EXIT_NO;
}

/* 1 to MOST_RUNS; 0: it is no such number. */
static unsigned runs_of(const char *text) {
    int64_t runs = number_parse(text, strlen(text), MOST_RUNS);
    return runs < 0 ? 0 : (unsigned)runs;
}

int verb_rehearse(const struct verb_call *call) {
    struct rehearsal *r = memory_take(sizeof *r);
    struct loading loading;
    struct request request = {0};
    const char *count = "1";
    unsigned n_count = 0;
    const struct verb_option options[] = {{"-n", &count, &n_count, 1}};
    if (!r || !request_read(&request, call, options, 1))
        return EXIT_WORDS;
    unsigned runs = runs_of(count);
    if (runs == 0) {
        complain_about(call, "-n: write a number of runs, 1 to 1000");
        return EXIT_WORDS;
    }
    int code = loading_files(&loading, &request, call->envp);
    if (code != 0) {
        findings_print(&loading.findings, 2);
        return code;
    }
    *r = (struct rehearsal){.call = call, .request = &request, .grace = loading.config.model.policy.grace};
    return rehearse(r, runs);
}
