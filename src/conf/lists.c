/* Parsers of values that add up: lists of texts, exits, ports, what signals mean. */
#include <string.h>

#include "conf/load.h"
#include "conf/spawnwords.h"
#include "text/signame.h"
#include "text/url.h"

/* Appends to a list that ends with NULL; its room doubles. */
static const char *append(struct spot *spot, const char *text) {
    const char **list = *(const char ***)spot->into, **longer;
    size_t n = 0;
    while (list && list[n])
        n++;
    if (n == 0 || (n & (n + 1)) == 0) { /* 0, 1, 3, 7, …: with the NULL its room is full */
        longer = arena_take(spot->load->voice.arena, (n ? 2 * (n + 1) : 2) * sizeof *longer);
        if (!longer)
            return "the configuration is too large";
        if (n)
            memcpy(longer, list, n * sizeof *longer);
        *(const char ***)spot->into = list = longer;
    }
    list[n] = text;
    return NULL;
}

const char *parse_assignment(struct spot *spot, const char *text) {
    size_t n = strcspn(text, "=");
    char scratch[MAX_LINE + 1];
    enum words_error error;
    if (!text[n] || n == 0 || words_name(text, n) != n)
        return "";
    error = words_value(scratch, sizeof scratch, text + n + 1, NULL);
    return error == WORDS_OK ? append(spot, text) : words_error_text(error);
}

const char *parse_paths(struct spot *spot, const char *text) {
    if (*text == '"' || *text == '\'' || strcmp(text, "-") == 0)
        return "it is taken as it stands";
    return append(spot, text);
}

const char *parse_variables(struct spot *spot, const char *text) {
    for (struct piece name; (name = piece_next(&text, true)).n;) {
        const char *copy = copy_text(spot->load->voice.arena, name.text, name.n), *why;
        if (words_name(name.text, name.n) != name.n)
            return "";
        if (!copy)
            return "the configuration is too large";
        why = append(spot, copy);
        if (why)
            return why;
    }
    return NULL;
}

static void set_code(uint64_t codes[4], uint32_t code) { codes[code / 64] |= UINT64_C(1) << (code % 64); }

const char *parse_exits(struct spot *spot, const char *text) {
    struct service *service = spot->into;
    for (struct piece item; (item = piece_next(&text, true)).n;) {
        uint32_t code;
        int sig;
        if (piece_number(item, 255, &code))
            set_code(service->success_codes, code);
        else if ((item.text[0] < '0' || item.text[0] > '9') && (sig = signame_parse(item.text, item.n)) != 0)
            service->success_signals |= signal_bit(sig);
        else
            return "";
    }
    return NULL;
}

const char *parse_expect(struct spot *spot, const char *text) {
    for (struct piece item; (item = piece_next(&text, true)).n;) {
        uint32_t code;
        if (!piece_number(item, 255, &code))
            return "";
        set_code(spot->load->config->model.policy.expect_codes, code);
    }
    return NULL;
}

const char *parse_ports(struct spot *spot, const char *text) {
    for (struct piece item; (item = piece_next(&text, true)).n;) {
        uint32_t port;
        if (!piece_number(item, 65535, &port) || port == 0)
            return "a port is a number from 1 to 65535";
        spot->load->ports_known = true;
    }
    return NULL;
}

/* The kernel's own and what lastcall lives by. */
static bool beyond_us(int sig) { return sig == 9 || sig == 17 || sig == 19; }

const char *parse_rewrite(struct spot *spot, const char *text) {
    struct signal_rule *rules = spot->load->config->model.policy.signals;
    for (struct piece item; (item = piece_next(&text, true)).n;) {
        const char *colon = memchr(item.text, ':', item.n);
        size_t n = colon ? (size_t)(colon - item.text) : 0;
        size_t rest = colon ? item.n - n - 1 : 0;
        int from = signame_parse(item.text, n), to = colon ? signame_parse(colon + 1, rest) : 0;
        bool drop = rest == 1 && colon[1] == '0';
        if (!from || (!to && !drop))
            return "";
        if (beyond_us(from))
            return "that signal cannot be rewritten";
        rules[from] = (struct signal_rule){SIGNAL_FORWARD, (uint8_t)to};
    }
    return NULL;
}

static const struct { char word[11]; uint8_t meaning; } meanings[] = {
    {"stop", SIGNAL_STOP}, {"hurry", SIGNAL_HURRY}, {"forward", SIGNAL_FORWARD}, {"reload", SIGNAL_RELOAD},
    {"ignore", SIGNAL_IGNORE}, {"checkpoint", SIGNAL_CHECKPOINT},
};
enum { MEANINGS = sizeof meanings / sizeof *meanings };

/* "HUP reload, USR1 stop, USR2 TERM" */
const char *parse_signals(struct spot *spot, const char *text) {
    struct signal_rule *rules = spot->load->config->model.policy.signals;
    for (struct piece name; (name = piece_next(&text, true)).n;) {
        struct piece meaning = piece_next(&text, true);
        int from = signame_parse(name.text, name.n), to = from;
        size_t i = 0;
        if (!from)
            return "there is no such signal";
        if (beyond_us(from))
            return "that signal has a fixed meaning";
        while (i < MEANINGS && !piece_is(meaning, meanings[i].word))
            i++;
        if (i == MEANINGS && (to = signame_parse(meaning.text, meaning.n)) == 0)
            return "";
        if (i < MEANINGS && meanings[i].meaning == SIGNAL_CHECKPOINT)
            spot->load->checkpoint_signal = spot->value->where;
        rules[from] = (struct signal_rule){i < MEANINGS ? meanings[i].meaning : SIGNAL_FORWARD, (uint8_t)to};
    }
    return NULL;
}

const char *parse_address(struct spot *spot, const char *text) {
    struct address address;
    if (strcmp(text, "off") == 0)
        return NULL;
    *(const char **)spot->into = text;
    return address_parse(text, strlen(text), &address);
}
