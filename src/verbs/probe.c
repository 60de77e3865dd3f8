/* lastcall probe TARGET: for HEALTHCHECK, exec probes and entry scripts in images without a shell or curl. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "sys/client.h"
#include "sys/clock.h"
#include "text/duration.h"
#include "text/errtext.h"
#include "text/http.h"
#include "text/url.h"
#include "verbs/loading.h"
#include "verbs/talk.h"

enum { ONE_TRY_MS = 5000, PAUSE_MS = 100, REST_READS = 256, REST_MS = 500, WHY_ROOM = 256, REQUEST_ROOM = 8192 };

static const struct { const char *word, *path; } own[] = {
    {"ready", "/readyz"}, {"live", "/livez"}, {"startup", "/startupz"}, {NULL, NULL},
};

/* What to probe, and how the last try went. */
struct probe { const struct verb_call *call; const char *control, *path; struct url url; struct out why; };

static bool try_own(struct probe *probe, instant by) {
    struct talk_answer answer = talk_ask(probe->call, probe->control, "GET", probe->path, by);
    probe->why.n = 0;
    if (answer.code == 0)
        out_text(&probe->why, answer.error == ETIMEDOUT ? "lastcall has not answered in time" : "no lastcall answers");
    else
        out_bytes(&probe->why, answer.body, answer.n > 0 ? answer.n - 1 : 0);
    talk_forget(&answer);
    return answer.code == 200;
}

/* Reads the rest, up to a point: a server that is hung up on in mid-answer logs an error. */
static void finish_reading(int fd, instant by) {
    char waste[4096];
    for (int i = 0; i < REST_READS && client_exchange(fd, "", 0, waste, sizeof waste, by) == sizeof waste; i++) {}
}

static bool try_url(struct probe *probe, instant by) {
    char text[REQUEST_ROOM], line[64];
    struct out request = out_on(text, sizeof text);
    int fd = client_connect(&probe->url.address, by), code = 0;
    bool good = fd >= 0;
    ssize_t n;
    probe->why.n = 0;
    if (fd < 0) {
        out_text(&probe->why, "cannot connect: ");
        out_text(&probe->why, errtext(errno));
        return false;
    }
    if (probe->url.http) {
        url_request(&request, &probe->url, LASTCALL_VERSION);
        n = client_exchange(fd, request.text, request.n, line, sizeof line, by);
        code = n > 0 ? http_status(line, (size_t)n) : -1;
        good = code >= 200 && code < 400;
        out_text(&probe->why, code > 0 ? "the answer is " : "there is no HTTP answer");
        if (code > 0)
            out_int(&probe->why, code);
        finish_reading(fd, earlier(by, after(clock_now(), MS(REST_MS))));
    }
    close(fd);
    return good;
}

/* false: it has said what is wrong with the target. */
static bool read_target(struct probe *probe, const char *target) {
    const char *wrong;
    char text[WHY_ROOM];
    struct out out = out_on(text, sizeof text);
    for (int i = 0; own[i].word != NULL; i++)
        if (strcmp(target, own[i].word) == 0)
            probe->path = own[i].path;
    wrong = probe->path != NULL ? NULL : url_parse(target, strlen(target), &probe->url);
    if (wrong == NULL)
        return true;
    out_text(&out, target);
    out_char(&out, ' ');
    out_text(&out, wrong);
    complain_about(probe->call, text);
    return false;
}

static int run_probe(struct probe *probe, span patience) {
    instant end = after(clock_now(), patience);
    for (;;) {
        instant by = after(clock_now(), MS(ONE_TRY_MS));
        if (patience.ns > 0)
            by = earlier(by, end);
        if (probe->path != NULL ? try_own(probe, by) : try_url(probe, by))
            return 0;
        if (due(end, clock_now()))
            break;
        client_pause(MS(PAUSE_MS), end);
    }
    complain_about(probe->call, probe->why.text);
    return EXIT_NO;
}

int verb_probe(const struct verb_call *call) {
    const char *control = NULL, *wait = NULL, *target[1];
    unsigned n_control = 0, n_wait = 0;
    const struct verb_option options[] = {{"--control", &control, &n_control, 1}, {"--wait", &wait, &n_wait, 1}};
    char why[WHY_ROOM];
    struct probe probe = {.call = call, .why = out_on(why, sizeof why)};
    span patience = NO_TIME;
    if (!words_read(call, options, 2, target, 1))
        return EXIT_WORDS;
    if (wait != NULL && duration_parse(wait, strlen(wait), &patience) != DURATION_OK) {
        complain_about(call, "--wait takes a duration; write --wait 30s");
        return EXIT_WORDS;
    }
    probe.control = control;
    if (!read_target(&probe, target[0]))
        return EXIT_WORDS;
    if (probe.path != NULL && getpid() == 1) {
        complain_about(call, "no lastcall runs in this container yet; for a program of that name: lastcall -- probe");
        return EXIT_WORDS;
    }
    return run_probe(&probe, patience);
}
