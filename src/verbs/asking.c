/* The verbs that change something: each is one POST, and waits for its end. */
#include <errno.h>
#include <string.h>

#include "run/run.h"
#include "text/duration.h"
#include "text/signame.h"
#include "verbs/loading.h"
#include "verbs/talk.h"

enum { PATH_ROOM = 256 };

/* --control and --no-wait are common to all of them. */
struct common { const char *control; unsigned n_control, n_no_wait; };
#define COMMON(common) {"--control", &(common).control, &(common).n_control, 1}, \
                       {"--no-wait", NULL, &(common).n_no_wait, 0}

static int post(const struct verb_call *call, const struct common *common, struct out *path) {
    if (common->n_no_wait > 0)
        out_text(path, strchr(path->text, '?') != NULL ? "&wait=no" : "?wait=no");
    return talk_print(call, common->control, path->text);
}

static int plain_post(const struct verb_call *call, const char *path) {
    struct common common = {0};
    const struct verb_option options[] = {COMMON(common), {0}};
    char text[PATH_ROOM];
    struct out out = out_on(text, sizeof text);
    if (!words_read(call, options, NULL, 0))
        return EXIT_WORDS;
    out_text(&out, path);
    return post(call, &common, &out);
}

int verb_drain(const struct verb_call *call) { return plain_post(call, "/drain"); }
int verb_resume(const struct verb_call *call) { return plain_post(call, "/resume"); }

/* ---- one service ---- */

/* Names are as the configuration allows them; anything else could change the path. */
static bool is_name(const char *word) {
    size_t n = strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return n > 0 && n <= MAX_NAME && word[n] == 0;
}

static int service_post(const struct verb_call *call, bool with_signal) {
    struct common common = {0};
    const struct verb_option options[] = {COMMON(common), {0}};
    const char *plain[2];
    char text[PATH_ROOM], number[SIGNAME_ROOM];
    struct out out = out_on(text, sizeof text);
    int sig = 0;
    if (!words_read(call, options, plain, with_signal ? 2 : 1))
        return EXIT_WORDS;
    if (!is_name(plain[0])) {
        complain_about(call, "that is no service's name; write a-z, 0-9 and -");
        return EXIT_WORDS;
    }
    if (with_signal && (sig = signame_parse(plain[1], strlen(plain[1]))) == 0) {
        complain_about(call, "there is no such signal; write HUP, SIGUSR1, RTMIN+3 or a number from 1 to 64");
        return EXIT_WORDS;
    }
    out_char(&out, '/');
    out_text(&out, call->argv[0]);
    out_char(&out, '/');
    out_text(&out, plain[0]);
    if (with_signal) {
        out_char(&out, '/');
        out_text(&out, signame(sig, number));
    }
    return post(call, &common, &out);
}

int verb_start(const struct verb_call *call) { return service_post(call, false); }
int verb_stop(const struct verb_call *call) { return service_post(call, false); }
int verb_restart(const struct verb_call *call) { return service_post(call, false); }
int verb_reload(const struct verb_call *call) { return service_post(call, false); }
int verb_signal(const struct verb_call *call) { return service_post(call, true); }

/* ---- the end ---- */

/* The verdict's first word decides: a stop that had to cut nothing short by force is a success. */
static int verdict(const struct verb_call *call, const struct talk_answer *answer) {
    bool well = (answer->n >= 5 && memcmp(answer->body, "clean", 5) == 0) ||
                (answer->n >= 8 && memcmp(answer->body, "degraded", 8) == 0);
    if (answer->code / 100 != 2) {
        answer->body[answer->n > 0 ? answer->n - 1 : 0] = 0;
        complain_about(call, answer->body);
        return EXIT_NO;
    }
    write_all(1, answer->body, answer->n);
    return well || answer->code == 202 ? 0 : EXIT_NO;
}

int verb_shutdown(const struct verb_call *call) {
    struct common common = {0};
    unsigned now = 0, wait = 0;
    const struct verb_option options[] = {COMMON(common), {"--now", NULL, &now, 0}, {"--wait", NULL, &wait, 0}, {0}};
    struct talk_answer answer;
    char text[PATH_ROOM];
    struct out path = out_on(text, sizeof text);
    if (!words_read(call, options, NULL, 0))
        return EXIT_WORDS;
    out_text(&path, now ? "/shutdown?now" : "/shutdown?");
    out_text(&path, common.n_no_wait ? "&wait=no" : "");
    answer = talk_ask(call, common.control, "POST", path.text, NEVER);
    if (answer.code != 0)
        return verdict(call, &answer);
    talk_nobody(call, common.control, answer.error);
    return EXIT_NO;
}

/* Where no lastcall runs, the image's PID 1 is another: then the files' phases run here. */
int verb_prestop(const struct verb_call *call) {
    struct common common = {0};
    const char *late = NULL, *files[MAX_FILES];
    unsigned n_late = 0, n_files = 0;
    const struct verb_option options[] = {
        COMMON(common), {"--late", &late, &n_late, 1}, {"-c", files, &n_files, MAX_FILES},
        {"--config", files, &n_files, MAX_FILES}, {0},
    };
    span gone = NO_TIME;
    struct talk_answer answer;
    char text[PATH_ROOM];
    struct out path = out_on(text, sizeof text);
    if (!words_read(call, options, NULL, 0))
        return EXIT_WORDS;
    if (late != NULL && duration_parse(late, strlen(late), &gone) != DURATION_OK) {
        complain_about(call, "--late takes a duration; write --late 5s");
        return EXIT_WORDS;
    }
    out_text(&path, "/prestop?late=");
    duration_print(&path, gone);
    out_text(&path, common.n_no_wait ? "&wait=no" : "");
    answer = talk_ask(call, common.control, "POST", path.text, NEVER);
    if (answer.code == 0 && n_files > 0 && (answer.error == ENOENT || answer.error == ECONNREFUSED))
        return run_phases(files, n_files < MAX_FILES ? n_files : MAX_FILES, gone, call->envp);
    if (answer.code == 0) {
        talk_nobody(call, common.control, answer.error);
        return EXIT_NO;
    }
    answer.body[answer.n > 0 ? answer.n - 1 : 0] = answer.code / 100 == 2 ? '\n' : 0;
    if (answer.code / 100 == 2)
        write_all(1, answer.body, answer.n);
    else
        complain_about(call, answer.body);
    return answer.code / 100 == 2 ? 0 : EXIT_NO;
}
