#include "verbs/talk.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sys/client.h"
#include "sys/control.h"
#include "text/errtext.h"
#include "text/http.h"
#include "text/variable.h"
#include "verbs/loading.h"

enum { ANSWER_ROOM = 8 << 20, REQUEST_ROOM = 512, LINE_ROOM = 512 };

/* ---- words ---- */

void complain_about(const struct verb_call *call, const char *text) {
    char line[LINE_ROOM];
    struct out out = out_on(line, sizeof line - 1);
    out_text(&out, "lastcall ");
    out_text(&out, call->argv[0]);
    out_text(&out, ": ");
    out_safe(&out, text, strlen(text));
    line[out.n] = '\n';
    write_all(2, line, out.n + 1);
}

static bool usage(const struct verb_call *call, const char *what, const char *word) {
    char text[LINE_ROOM];
    struct out out = out_on(text, sizeof text);
    const struct verb *verb = verb_find(call->argv[0]);
    out_text(&out, what);
    out_text(&out, word);
    out_text(&out, "; write: lastcall ");
    out_text(&out, call->argv[0]);
    out_char(&out, ' ');
    out_text(&out, verb != NULL ? verb_usage(verb) : "");
    complain_about(call, text);
    return false;
}

/* The option that `word` is or begins with ("--late=5s"); *value points behind the '='. */
static const struct verb_option *find_option(const struct verb_option *options, unsigned n_options, const char *word,
                                             const char **value) {
    size_t n = strcspn(word, "=");
    *value = word[n] == '=' ? word + n + 1 : NULL;
    for (unsigned i = 0; i < n_options; i++)
        if (strlen(options[i].name) == n && memcmp(options[i].name, word, n) == 0)
            return &options[i];
    return NULL;
}

bool words_sort(const struct verb_call *call, const struct verb_option *options, unsigned n_options,
                struct verb_words *words) {
    for (int i = 1; i < call->argc; i++) {
        const char *word = call->argv[i], *value;
        const struct verb_option *option;
        if (words->command && strcmp(word, "--") == 0 && i + 1 < call->argc) {
            *words->command = call->argv + i + 1;
            return true;
        }
        if (word[0] != '-') {
            if (words->n >= words->room)
                return usage(call, "one word too many: ", word);
            words->plain[words->n++] = word;
            continue;
        }
        option = find_option(options, n_options, word, &value);
        if (option == NULL || (value != NULL && option->values == NULL))
            return usage(call, "there is no option ", word);
        if (option->values != NULL && value == NULL && i + 1 < call->argc)
            value = call->argv[++i];
        if (option->values != NULL && value == NULL)
            return usage(call, "there is no value behind ", word);
        if (option->values != NULL && option->room == 1)
            option->values[0] = value; /* the last counts, as of options everywhere */
        else if (option->values != NULL && *option->n < option->room)
            option->values[*option->n] = value;
        ++*option->n;
    }
    return true;
}

bool words_enough(const struct verb_call *call, const struct verb_words *words, unsigned least) {
    return words->n >= least || usage(call, "a word is missing", "");
}

bool words_read(const struct verb_call *call, const struct verb_option *options, unsigned n_options,
                const char **plain, unsigned n_plain) {
    struct verb_words words = {.plain = plain, .room = n_plain};
    return words_sort(call, options, n_options, &words) && words_enough(call, &words, n_plain);
}

/* ---- talking ---- */

/* An empty variable is none. */
static const char *named_by(const struct verb_call *call, const char *name) {
    const char *value = variable(call->envp, name);
    return value != NULL && *value != 0 ? value : NULL;
}

/* Where to look: one place that was named, else the candidates. */
static void places(const struct verb_call *call, const char *control, struct control_names *names) {
    const char *named = control;
    if (named == NULL)
        named = named_by(call, "LASTCALL_CONTROL");
    if (named == NULL)
        named = named_by(call, "LASTCALL_SOCKET");
    control_candidates(named_by(call, "XDG_RUNTIME_DIR"), names);
    if (named == NULL)
        return;
    *names = (struct control_names){.n = 1};
    for (size_t i = 0; named[i] != 0 && i < CONTROL_NAME - 1; i++)
        names->v[0][i] = named[i];
}

static int connect_somewhere(const struct control_names *names) {
    int worst = ENOENT;
    for (uint8_t i = 0; i < names->n; i++) {
        int fd = control_connect(names->v[i]);
        if (fd >= 0)
            return fd;
        if (errno != ENOENT && errno != ECONNREFUSED)
            worst = errno;
    }
    errno = worst;
    return -1;
}

static void parse_answer(struct talk_answer *answer, char *bytes, size_t n) {
    size_t body = http_body(bytes, n);
    int code = http_status(bytes, n);
    answer->error = ECONNRESET;
    if (body == 0 || code <= 0)
        return;
    answer->code = code;
    answer->body = bytes + body;
    answer->n = n - body;
}

struct talk_answer talk_ask(const struct verb_call *call, const char *control, const char *method, const char *path,
                            instant by) {
    struct talk_answer answer = {0};
    struct control_names names;
    char text[REQUEST_ROOM];
    struct out request = out_on(text, sizeof text);
    ssize_t n;
    places(call, control, &names);
    out_text(&request, method);
    out_char(&request, ' ');
    out_text(&request, path);
    out_text(&request, " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    answer.fd = connect_somewhere(&names);
    answer.error = errno;
    if (answer.fd < 0)
        return answer;
    answer.memory = memory_try(ANSWER_ROOM);
    n = answer.memory == NULL
            ? -1 : client_exchange(answer.fd, request.text, request.n, answer.memory, ANSWER_ROOM - 1, by);
    answer.error = errno;
    if (n >= 0)
        parse_answer(&answer, answer.memory, (size_t)n);
    return answer;
}

void talk_forget(struct talk_answer *answer) {
    if (answer->memory != NULL)
        munmap(answer->memory, ANSWER_ROOM);
    if (answer->memory != NULL)
        close(answer->fd);
    answer->memory = NULL;
}

static void say_nobody(const struct verb_call *call, const char *control, int error) {
    struct control_names names;
    char text[LINE_ROOM];
    struct out out = out_on(text, sizeof text);
    places(call, control, &names);
    out_text(&out, error == ECONNRESET ? "lastcall went away before it had answered"
                   : error == ETIMEDOUT ? "lastcall has not answered in time"
                   : error == EACCES    ? "permission denied: run it as root or as lastcall's own user"
                                        : "no lastcall answers");
    for (uint8_t i = 0; i < names.n; i++) {
        out_text(&out, i == 0 ? " at " : i + 1 < names.n ? ", " : " or ");
        out_text(&out, names.v[i]);
    }
    out_text(&out, names.n > 1 ? " (another place: --control PATH)" : "");
    if (error != ENOENT && error != ECONNREFUSED && error != ECONNRESET && error != ETIMEDOUT && error != EACCES) {
        out_text(&out, ": ");
        out_text(&out, errtext(error));
    }
    complain_about(call, text);
}

bool talk_print(const struct verb_call *call, const char *control, const struct talk_answer *answer) {
    if (answer->code / 100 == 2)
        return result_code(call, write_all(1, answer->body, answer->n)) == 0;
    if (answer->code == 0) {
        say_nobody(call, control, answer->error);
    } else {
        answer->body[answer->n > 0 ? answer->n - 1 : 0] = 0;
        complain_about(call, answer->body);
    }
    return false;
}
