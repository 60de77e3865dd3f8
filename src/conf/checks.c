/* `ready` and `live`: KIND TARGET [every DUR] [timeout DUR] [successes N] [failures N] [then WORD] */
#include <string.h>

#include "conf/load.h"
#include "text/url.h"

static const struct kind {
    char name[7];
    uint8_t kind;
    bool target;      /* takes one */
    bool live, net;   /* may be live; done by net */
} kinds[] = {
    {"http", CHECK_HTTP, true, true, true},      {"tcp", CHECK_TCP, true, true, true},
    {"exec", CHECK_EXEC, true, true, false},     {"notify", CHECK_NOTIFY, false, false, true},
    {"fd", CHECK_FD, true, false, true},         {"file", CHECK_FILE, true, true, true},
    {"delay", CHECK_DELAY, true, false, false},
};
_Static_assert(sizeof kinds / sizeof *kinds == CHECK_N, "a row for every kind");

static const struct kind *kind_find(struct piece word) {
    for (size_t i = 0; i < CHECK_N; i++)
        if (piece_is(word, kinds[i].name))
            return &kinds[i];
    return NULL;
}

enum { OPTION_NONE, OPTION_EVERY, OPTION_TIMEOUT, OPTION_SUCCESSES, OPTION_FAILURES, OPTION_THEN, OPTIONS };
static const char option_names[OPTIONS][10] = {"", "every", "timeout", "successes", "failures", "then"};
static int option_find(struct piece word) {
    int i = OPTIONS - 1;
    while (i > OPTION_NONE && !piece_is(word, option_names[i]))
        i--;
    return i;
}

static bool option_span(struct piece text, span *into) { return piece_span(text, into) && into->ns >= NS_PER_MS; }

static bool option_count(struct piece text, uint16_t *into) {
    uint32_t value;
    if (!piece_number(text, 1000, &value) || value == 0)
        return false;
    *into = (uint16_t)value;
    return true;
}

static bool option_set(struct check_policy *check, int option, struct piece text) {
    switch (option) {
    case OPTION_EVERY: return option_span(text, &check->every);
    case OPTION_TIMEOUT: return option_span(text, &check->timeout);
    case OPTION_SUCCESSES: return option_count(text, &check->successes);
    case OPTION_FAILURES: return option_count(text, &check->failures);
    }
    if (piece_is(text, "restart"))
        check->then = THEN_RESTART;
    else if (piece_is(text, "fail"))
        check->then = THEN_FAIL;
    else if (piece_is(text, "shutdown"))
        check->then = THEN_SHUTDOWN;
    else
        return false;
    return true;
}

/* The last word before `end`, and where it begins; blanks are skipped. */
static struct piece last_word(const char *start, const char **end) {
    const char *at = *end;
    struct piece word;
    while (at > start && (at[-1] == ' ' || at[-1] == '\t'))
        at--;
    word.text = at;
    while (word.text > start && word.text[-1] != ' ' && word.text[-1] != '\t')
        word.text--;
    word.n = (size_t)(at - word.text);
    *end = word.text;
    return word;
}

static bool has_quote(struct piece word) {
    return memchr(word.text, '\'', word.n) || memchr(word.text, '"', word.n) || memchr(word.text, '\\', word.n);
}

/* Takes options off the end of text, so that a command may hold such words elsewhere. *end becomes the
 * end of the rest. */
static const char *take_options(struct check_policy *check, const char *text, const char **end) {
    unsigned seen = 0;
    *end = text + strlen(text);
    for (;;) {
        const char *at = *end;
        struct piece value = last_word(text, &at), name = last_word(text, &at);
        int option = option_find(name);
        if (option == OPTION_NONE || name.text == text || has_quote(value))
            break; /* a command's last word */
        if (seen & 1u << option)
            return "an option stands twice; write it once";
        if (option == OPTION_THEN && !check->live)
            return "then belongs to live; write it there";
        if (!option_set(check, option, value))
            return "an option has a bad value; write every 1s, timeout 1s, successes 1, failures 3, then restart, fail or "
                   "shutdown";
        seen |= 1u << option;
        *end = name.text;
    }
    while (*end > text && ((*end)[-1] == ' ' || (*end)[-1] == '\t'))
        --*end;
    return NULL;
}

static const char *set_fd(struct check_policy *check, const char *target) {
    uint32_t fd;
    if (!piece_number((struct piece){target, strlen(target)}, 255, &fd) || fd < 3)
        return "the descriptor must be a number from 3 to 255; write fd 3";
    check->fd = (uint16_t)fd;
    return NULL;
}

static const char *set_target(struct spot *spot, struct check_policy *check, struct command *command, const char *target) {
    struct url url;
    switch ((enum check_kind)check->kind) {
    case CHECK_HTTP:
        check->target = target;
        spot->load->ports_known = true;
        return url_parse_http(target, strlen(target), &url);
    case CHECK_TCP:
        check->target = target;
        spot->load->ports_known = true;
        return url_parse_tcp(target, strlen(target), &url);
    case CHECK_EXEC:
        spot->into = command;
        return parse_command(spot, target);
    case CHECK_FD: return set_fd(check, target);
    case CHECK_FILE:
        check->target = target;
        return NULL;
    case CHECK_DELAY:
        return piece_span((struct piece){target, strlen(target)}, &check->every) ? NULL
                                                                                 : "the delay must be a duration; write delay 2s";
    case CHECK_NOTIFY:
    case CHECK_N: break;
    }
    return NULL;
}

/* One target holds no blank, but for a command. */
static const char *fill(struct spot *spot, struct check_policy *check, struct command *command, const char *text) {
    const char *at = text, *end, *why, *target;
    const struct kind *kind = kind_find(piece_next(&at, false));
    if (!kind)
        return "";
    if (check->live && !kind->live)
        return "this kind can only be ready, not live; write http, tcp, exec or file";
    check->kind = kind->kind;
    at += strspn(at, " \t");
    why = take_options(check, text, &end);
    if (why)
        return why;
    if (end < at)
        end = at;
    target = copy_text(spot->load->voice.arena, at, (size_t)(end - at));
    if (!target)
        return "the configuration is too large";
    if (!kind->target != !*target)
        return kind->target ? "the target is missing" : "nothing but options may follow";
    if (kind->kind != CHECK_EXEC && strpbrk(target, " \t"))
        return "behind the target only every, timeout, successes and failures may follow; write as http URL every 1s";
    if (kind->net)
        spot->load->net_checks = true;
    return set_target(spot, check, command, target);
}

const char *parse_check(struct spot *spot, const char *text) {
    struct load *load = spot->load;
    bool live = spot->key == &keys[K_LIVE];
    uint16_t index = load->n_checks;
    if (index == MAX_CHECKS)
        return "there are more than 1000 checks";
    load->n_checks++;
    load->checks[index] = (struct check_policy){
        .live = live, .unit = spot->index, .successes = 1, .failures = 3, .every = live ? SEC(10) : SEC(1), .timeout = SEC(1),
    };
    *(uint16_t *)spot->into = index;
    return fill(spot, &load->checks[index], &load->check_commands[index], text);
}
