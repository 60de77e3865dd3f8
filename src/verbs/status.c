/* lastcall status: what runs, and while it stops the steps. */
#include <string.h>
#include <unistd.h>

#include "sys/client.h"
#include "sys/clock.h"
#include "verbs/loading.h"
#include "verbs/talk.h"

enum { WATCH_MS = 500, ANSWER_S = 10 };

struct watch { bool json, terminal; struct talk_answer before; };

/* Whether this line, its end included, stands in the text too. */
static bool has_line(const struct talk_answer *in, const char *line, size_t n) {
    const char *at = in->body, *end = in->body + in->n;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t have = stop == NULL ? (size_t)(end - at) : (size_t)(stop + 1 - at);
        if (have == n && memcmp(at, line, n) == 0)
            return true;
        at += have;
    }
    return false;
}

/* Without a terminal: the lines that were not there before. Those with a blank in front tell the time alone. */
static bool print_new(const struct talk_answer *now, const struct talk_answer *before) {
    const char *at = now->body, *end = now->body + now->n;
    bool wrote = true;
    while (at < end && wrote) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t n = stop == NULL ? (size_t)(end - at) : (size_t)(stop + 1 - at);
        if (*at != ' ' && n > 1 && !has_line(before, at, n))
            wrote = write_all(1, at, n);
        at += n;
    }
    return wrote;
}

static bool print(const struct watch *watch, const struct talk_answer *now) {
    if (!watch->terminal && !watch->json)
        return print_new(now, &watch->before);
    return (!watch->terminal || write_text(1, "\033[H\033[J")) && write_all(1, now->body, now->n);
}

static int follow(const struct verb_call *call, const char *control, struct watch *watch) {
    const char *path = watch->json ? "/status" : "/status?table";
    for (;;) {
        struct talk_answer now = talk_ask(call, control, "GET", path, after(clock_now(), SEC(ANSWER_S)));
        if (now.code != 200 && watch->before.code == 200) {
            return result_code(call, watch->json || write_text(1, "lastcall has gone\n"));
        }
        if (now.code != 200) {
            talk_print(call, control, &now);
            return EXIT_NO;
        }
        if (!print(watch, &now))
            return result_code(call, false);
        talk_forget(&watch->before);
        watch->before = now;
        client_pause(MS(WATCH_MS), NEVER);
    }
}

int verb_status(const struct verb_call *call) {
    const char *control = NULL;
    unsigned n_control = 0, json = 0, again = 0;
    const struct verb_option options[] = {
        {"--control", &control, &n_control, 1}, {"--json", NULL, &json, 0}, {"--watch", NULL, &again, 0},
    };
    struct watch watch = {0};
    struct talk_answer answer;
    if (!words_read(call, options, 3, NULL, 0))
        return EXIT_WORDS;
    watch.json = json > 0;
    watch.terminal = !watch.json && isatty(1) == 1;
    if (again)
        return follow(call, control, &watch);
    answer = talk_ask(call, control, "GET", json ? "/status" : "/status?table", after(clock_now(), SEC(ANSWER_S)));
    if (answer.code == 200)
        return result_code(call, write_all(1, answer.body, answer.n));
    talk_print(call, control, &answer);
    return EXIT_NO;
}
