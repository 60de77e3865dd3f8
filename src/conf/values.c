/* Parsers of single values: durations, words, signals, commands, addresses. */
#include <string.h>

#include "conf/load.h"
#include "conf/spawnwords.h"
#include "text/duration.h"
#include "text/number.h"
#include "text/signame.h"

/* Known by its address. With a text of its own, lest a compiler lay "" of a parser in the same place. */
const char REPORTED[] = "reported";

#define TYPE(id, name, write_) [T_##id] = {parse_##name, write_},
const struct type types[T_N] = {
#include "conf/types.def"
};
#undef TYPE

static const char *skip_blanks(const char *at) { return at + strspn(at, " \t"); }

struct piece piece_next(const char **at, bool commas) {
    const char *start = skip_blanks(*at), *end = start + strcspn(start, commas ? " \t," : " \t");
    const char *rest = skip_blanks(end);
    if (end == start && *end)
        end = rest = start + 1; /* a comma where a piece should be: one that nobody takes */
    else if (commas && *rest == ',' && *skip_blanks(rest + 1))
        rest++;
    *at = rest;
    return (struct piece){start, (size_t)(end - start)};
}

bool piece_is(struct piece piece, const char *word) {
    return strlen(word) == piece.n && memcmp(piece.text, word, piece.n) == 0;
}

bool piece_span(struct piece piece, span *into) { return duration_parse(piece.text, piece.n, into) == DURATION_OK; }

bool piece_number(struct piece piece, uint32_t most, uint32_t *into) {
    int64_t value = number_parse(piece.text, piece.n, most);
    *into = value < 0 ? 0 : (uint32_t)value;
    return value >= 0;
}

/* "a|b|c" as "a, b or c". */
static const char *as_choice(struct arena *arena, const char *words) {
    struct out out = text_open(arena);
    for (; *words; words++)
        if (*words != '|')
            out_char(&out, *words);
        else
            out_text(&out, strchr(words + 1, '|') ? ", " : " or ");
    return text_close(arena, &out);
}

/* The message: KEY = VALUE: why; write WHAT. A reason with ; or : says what to write itself. */
static void complain(struct spot *spot, const char *why) {
    const struct value *value = spot->value;
    const char *name = value->origin ? value->origin : key_name(spot->key), *equals = value->origin ? " " : " = ";
    const char *what = types[spot->key->type].write, *automatic = spot->key->flags & KEY_AUTO ? ", or auto" : "";
    if (spot->key->type == T_WORD)
        what = as_choice(spot->load->voice.arena, key_text(spot->key->argument));
    if (!*why)
        error_at(spot->load, value->where, "%s%s%s: write %s%s", name, equals, value->text, what, automatic);
    else
        error_at(spot->load, value->where, strpbrk(why, ";:") ? "%s%s%s: %s" : "%s%s%s: %s; %s%s", name, equals, value->text,
                 why, what, automatic);
}

bool spot_parse(struct spot *spot) {
    const char *text = spot->value->text, *why;
    if ((spot->key->flags & KEY_AUTO) && strcmp(text, "auto") == 0)
        return true;
    why = *text ? types[spot->key->type].parse(spot, text) : "it is empty";
    if (why && spot->section)
        spot->section->damaged = true;
    if (why && why != REPORTED)
        complain(spot, why);
    return !why;
}

const char *parse_span(struct spot *spot, const char *text) {
    enum duration_error error = duration_parse(text, strlen(text), spot->into);
    return error == DURATION_OK ? NULL : duration_error_text(error);
}

/* Fills in two spans that stand side by side. */
const char *parse_range(struct spot *spot, const char *text) {
    span *into = spot->into;
    const char *dots = strchr(text, '.');
    enum duration_error error = duration_parse(text, dots ? (size_t)(dots - text) : strlen(text), &into[0]);
    _Static_assert(offsetof(struct policy, announce_max) == offsetof(struct policy, announce_min) + sizeof(span), "side by side");
    _Static_assert(offsetof(struct service, restart_max) == offsetof(struct service, restart_min) + sizeof(span), "side by side");
    into[1] = into[0];
    if (error == DURATION_OK && dots)
        error = dots[1] == '.' ? duration_parse(dots + 2, strlen(dots + 2), &into[1]) : DURATION_BAD;
    if (error != DURATION_OK)
        return duration_error_text(error);
    return into[1].ns < into[0].ns ? "the second is shorter than the first" : NULL;
}

/* The index of a word among those of the key's argument, "a|b|c"; fills in a byte. */
const char *parse_word(struct spot *spot, const char *text) {
    const char *words = key_text(spot->key->argument);
    size_t n = strlen(text);
    for (uint8_t i = 0; *words; i++) {
        size_t length = strcspn(words, "|");
        if (length == n && memcmp(words, text, n) == 0) {
            if (spot->into)
                *(uint8_t *)spot->into = i;
            return NULL;
        }
        words += length + (words[length] == '|');
    }
    return "";
}

const char *parse_signal(struct spot *spot, const char *text) {
    int sig = signame_parse(text, strlen(text));
    *(uint8_t *)spot->into = (uint8_t)sig;
    return sig ? NULL : "there is no such signal";
}

/* "TERM, QUIT after 8s" into a service. */
const char *parse_ladder(struct spot *spot, const char *text) {
    struct service *service = spot->into;
    uint8_t n = 0;
    for (struct piece sig; (sig = piece_next(&text, true)).n; n++) {
        struct escalation *rung = &service->stop[n];
        if (n == MAX_ESCALATIONS)
            return "it has more than 4 signals";
        *rung = (struct escalation){(uint8_t)signame_parse(sig.text, sig.n), NO_TIME};
        if (!rung->signal)
            return "there is no such signal";
        if (n > 0 && (!piece_is(piece_next(&text, true), "after") || !piece_span(piece_next(&text, true), &rung->after)))
            return "it does not say after which time the next signal comes";
        if (n > 0 && rung->after.ns <= rung[-1].after.ns)
            return "the times must rise";
    }
    service->n_stop = n;
    return NULL;
}

const char *parse_command(struct spot *spot, const char *text) {
    struct command *command = spot->into;
    struct words words;
    enum words_error error = words_make(&words, text, NULL);
    *command = (struct command){.text = text, .where = spot->value->where};
    if (error != WORDS_OK)
        return words_error_text(error);
    if (spot->key == &keys[K_RUN])
        lint_command(spot->load, command);
    return NULL;
}

/* "5 in 1m": a number, a word, a duration and no more. */
static const char *count_and_span(const char *text, const char *word, uint16_t *count, span *time) {
    uint32_t n;
    if (!piece_number(piece_next(&text, false), 10000, &n) || !piece_is(piece_next(&text, false), word) ||
        !piece_span(piece_next(&text, false), time) || *text)
        return "";
    *count = (uint16_t)n;
    return NULL;
}

const char *parse_limit(struct spot *spot, const char *text) {
    struct service *service = spot->into;
    return count_and_span(text, "in", &service->restart_limit, &service->restart_window);
}

const char *parse_retry(struct spot *spot, const char *text) {
    struct step_policy *step = spot->into;
    return count_and_span(text, "every", &step->retries, &step->every);
}

const char *parse_sleep(struct spot *spot, const char *text) {
    struct step_policy *step = spot->into;
    enum duration_error error = duration_parse(text, strlen(text), &step->sleep);
    step->action = DO_SLEEP;
    return error == DURATION_OK ? NULL : duration_error_text(error);
}

const char *parse_umask(struct spot *spot, const char *text) {
    int16_t mask = 0;
    size_t n = strlen(text);
    if (n < 1 || n > 4 || strspn(text, "01234567") != n)
        return "";
    for (; *text; text++)
        mask = (int16_t)(mask * 8 + (*text - '0'));
    *(int16_t *)spot->into = mask;
    return mask <= 0777 ? NULL : "it is more than 777";
}

const char *parse_path(struct spot *spot, const char *text) {
    *(const char **)spot->into = text;
    return *text == '"' || *text == '\'' ? "it is taken as it stands" : NULL;
}

/* A path whose parts are names: two such paths that look different are different, links aside. */
static bool is_plain(const char *path) {
    while (*path == '/' && path[1]) {
        size_t n = strcspn(++path, "/");
        if (n == 0 || (n <= 2 && strncmp(path, "..", n) == 0))
            return false;
        path += n;
    }
    return !*path || (*path == '/' && !path[1]);
}

const char *parse_absolute(struct spot *spot, const char *text) {
    if (spot->into)
        *(const char **)spot->into = text;
    if (*text != '/' || !text[1] || !is_plain(text))
        return "";
    return strstr(text, "${") ? "variables are not expanded here" : NULL;
}

const char *parse_file_name(struct spot *spot, const char *text) {
    *(const char **)spot->into = text;
    return strpbrk(text, "/\"'") || strcmp(text, ".") == 0 || strcmp(text, "..") == 0 || strlen(text) > 255 ? "" : NULL;
}

const char *parse_count(struct spot *spot, const char *text) {
    uint32_t n;
    _Static_assert(MAX_KEEP == 1000, "as types.def says");
    if (!piece_number((struct piece){text, strlen(text)}, MAX_KEEP, &n) || n == 0)
        return "";
    *(uint16_t *)spot->into = (uint16_t)n;
    return NULL;
}

const char *parse_socket(struct spot *spot, const char *text) {
    bool good = strcmp(text, "off") == 0 || *text == '/' || *text == '.' || (*text == '@' && text[1]);
    *(const char **)spot->into = text;
    return good && strlen(text) <= 107 ? NULL : "";
}

const char *parse_token(struct spot *spot, const char *text) {
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    size_t n = strlen(text);
    if (strcmp(text, "off") == 0)
        return NULL;
    *(const char **)spot->into = text;
    return n >= 8 && n <= 128 && strspn(text, good) == n ? NULL : "";
}

const char *parse_one(struct spot *spot, const char *text) {
    (void)spot;
    return strcmp(text, "1") == 0 ? NULL : "several replicas are known, but not in this version yet";
}

const char *parse_flag(struct spot *spot, const char *text) {
    bool on = strcmp(text, "yes") == 0 || strcmp(text, "1") == 0;
    if (on && spot->key == &keys[K_VERBOSE])
        spot->load->config->verbosity = 1;
    else if (on && spot->key == &keys[K_SILENT])
        spot->load->config->verbosity = -1;
    return on || strcmp(text, "no") == 0 || strcmp(text, "0") == 0 ? NULL : "";
}

/* Paths of files were the caller's to read. */
const char *parse_config(struct spot *spot, const char *text) {
    (void)spot;
    (void)text;
    return NULL;
}

const char *parse_later(struct spot *spot, const char *text) {
    (void)text;
    error_at(spot->load, spot->value->where, "%s%s is known, but not in this version yet: leave it out", key_name(spot->key),
             spot->key == &keys[K_LIMIT_NAME] ? "NAME" : "");
    return REPORTED;
}
