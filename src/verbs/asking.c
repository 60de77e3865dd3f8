/* The verbs that change something: each is one POST, and waits for its end. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "run/run.h"
#include "sys/sigmask.h"
#include "text/duration.h"
#include "text/signame.h"
#include "verbs/loading.h"
#include "verbs/talk.h"

enum { PATH_ROOM = 256, ARENA_BYTES = 32 << 20 };

/* What was given, of any of them. */
struct given {
    const char *control, *late, *files[MAX_FILES], *plain[2];
    unsigned n_control, n_late, n_files, no_wait, now, wait;
    span gone;
    int sig;
};

/* Names are as the configuration allows them; anything else could change the path. */
static bool is_name(const char *word) {
    size_t n = strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return n > 0 && n <= MAX_NAME && word[n] == 0;
}

static const char *wrong_with(struct given *given, unsigned n_plain) {
    if (n_plain > 0 && !is_name(given->plain[0]))
        return "that is no name; write a-z, 0-9 and -";
    if (n_plain > 1 && (given->sig = signame_parse(given->plain[1], strlen(given->plain[1]))) == 0)
        return "there is no such signal; write HUP, SIGUSR1, RTMIN+3 or a number from 1 to 64";
    if (given->late != NULL && duration_parse(given->late, strlen(given->late), &given->gone) != DURATION_OK)
        return "--late takes a duration; write --late 5s";
    return NULL;
}

/* "/signal/web/HUP?&wait=no": the verb, its words, its options. `more`: a word may be missing, but not its slash. */
static void make_path(struct out *path, const struct verb_call *call, const struct given *given, unsigned n_plain,
                      bool more) {
    char name[SIGNAME_ROOM];
    out_char(path, '/');
    out_text(path, call->argv[0]);
    for (unsigned i = 0; i < n_plain; i++) {
        out_char(path, '/');
        out_text(path, i == 0 ? given->plain[0] : signame(given->sig, name));
    }
    out_text(path, n_plain == 0 && more ? "/" : "");
    out_text(path, given->now ? "?now" : "?");
    out_text(path, given->no_wait ? "&wait=no" : "");
    if (given->late != NULL) {
        out_text(path, "&late=");
        duration_print(path, given->gone);
    }
}

/* A verdict's first word decides: a stop that had to cut nothing short by force is a success. */
static bool forced(const struct talk_answer *answer) {
    static const char *const bad[] = {"forced ", "overran ", "interrupted "};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (answer->n > strlen(bad[i]) && memcmp(answer->body, bad[i], strlen(bad[i])) == 0)
            return true;
    return false;
}

enum which { SHUTDOWN, PRESTOP, OTHERS };

/* Takes n_plain words; `more`: or one more. */
static int ask(const struct verb_call *call, enum which which, unsigned n_plain, bool more) {
    struct given given = {0};
    struct verb_words words = {.plain = given.plain, .room = n_plain + more};
    const struct verb_option options[] = {
        {"--now", NULL, &given.now, 0}, {"--wait", NULL, &given.wait, 0},
        {"--control", &given.control, &given.n_control, 1}, {"--no-wait", NULL, &given.no_wait, 0},
        {"--late", &given.late, &given.n_late, 1}, {"-c", given.files, &given.n_files, MAX_FILES},
        {"--config", given.files, &given.n_files, MAX_FILES},
    };
    static const struct { uint8_t first, n; } taken[] = {[SHUTDOWN] = {0, 4}, [PRESTOP] = {2, 5}, [OTHERS] = {2, 2}};
    struct talk_answer answer;
    const char *wrong;
    char text[PATH_ROOM];
    struct out path = out_on(text, sizeof text);
    if (!words_sort(call, options + taken[which].first, taken[which].n, &words) || !words_enough(call, &words, n_plain))
        return EXIT_WORDS;
    wrong = wrong_with(&given, words.n);
    if (wrong != NULL) {
        complain_about(call, wrong);
        return EXIT_WORDS;
    }
    make_path(&path, call, &given, words.n, more);
    /* The sweep's TERM goes to every process of the container, and the answer comes with it. */
    if (which == SHUTDOWN)
        sigmask_set(signal_bit(SIGTERM), NULL);
    answer = talk_ask(call, given.control, "POST", text, NEVER);
    /* Where no lastcall runs, the image's PID 1 is another: then the files' phases run here. */
    if (answer.code == 0 && given.n_files > 0 && (answer.error == ENOENT || answer.error == ECONNREFUSED)) {
        struct arena arena = arena_of(call, ARENA_BYTES);
        unsigned n_files = given.n_files < MAX_FILES ? given.n_files : MAX_FILES;
        return run_phases(given.files, n_files, given.gone, &arena, call->envp);
    }
    return talk_print(call, given.control, &answer) && !forced(&answer) ? 0 : EXIT_NO;
}

int verb_drain(const struct verb_call *call) { return ask(call, OTHERS, 0, false); }
int verb_resume(const struct verb_call *call) { return ask(call, OTHERS, 0, false); }
int verb_prestop(const struct verb_call *call) { return ask(call, PRESTOP, 0, false); }
int verb_shutdown(const struct verb_call *call) { return ask(call, SHUTDOWN, 0, false); }
int verb_start(const struct verb_call *call) { return ask(call, OTHERS, 1, false); }
int verb_stop(const struct verb_call *call) { return ask(call, OTHERS, 1, false); }
int verb_restart(const struct verb_call *call) { return ask(call, OTHERS, 1, false); }
int verb_reload(const struct verb_call *call) { return ask(call, OTHERS, 1, false); }
int verb_signal(const struct verb_call *call) { return ask(call, OTHERS, 2, false); }
int ask_checkpoint(const struct verb_call *call) { return ask(call, OTHERS, 0, true); }
