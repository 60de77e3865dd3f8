#include "verbs/stores.h"

#include <string.h>

#include "sys/clock.h"
#include "verbs/loading.h"

enum { ANSWER_S = 10, LINE = 1024 };

/* ---- from the running lastcall ---- */

/* A string of JSON behind its first quote, in its place; what follows its last one. Of the escapes only those that a
 * path may well have: quote and backslash. */
static char *unquote(char *at, const char **value) {
    char *to = at;
    for (*value = at; *at != 0 && *at != '"'; at++) {
        at += at[0] == '\\' && at[1] != 0;
        *to++ = *at;
    }
    at += *at == '"';
    *to = 0;
    return at;
}

/* The objects with a name and a dir are checkpoints; no text can look so, its quotes are escaped. */
void stores_in_status(char *status, size_t n, struct stores *stores) {
    static const char name[] = "{\"name\":\"", dir[] = ",\"dir\":\"";
    char *at = status;
    status[n] = 0;
    while (stores->n < MAX_CHECKPOINTS && (at = strstr(at, name)) != NULL) {
        struct store_at *store = &stores->v[stores->n];
        char *found = strstr(at, dir), *next = strstr(at + 1, name);
        at = unquote(at + sizeof name - 1, &store->name);
        if (found == NULL || (next != NULL && next < found))
            continue;
        at = unquote(found + sizeof dir - 1, &store->dir);
        stores->n++;
    }
}

static bool from_running(const struct verb_call *call, const struct stores_where *where, struct stores *stores) {
    struct talk_answer answer = talk_ask(call, where->control, "GET", "/status", after(clock_now(), SEC(ANSWER_S)));
    if (answer.code != 200) {
        talk_print(call, where->control, &answer);
        return false;
    }
    stores_in_status(answer.body, answer.n, stores);
    return true;
}

/* ---- from files ---- */

static bool from_files(const struct verb_call *call, const struct stores_where *where, struct stores *stores) {
    static struct loading loading;
    struct request request = {.paths = where->files, .n_paths = where->n_files};
    const struct config *config = &loading.config;
    int code = loading_files(&loading, call, &request);
    if (code != 0) {
        findings_print(&loading.findings, 2);
        return false;
    }
    for (uint16_t i = 0; i < config->model.n_checkpoints; i++)
        stores->v[stores->n++] = (struct store_at){config->model.steps[config->model.checkpoints[i].step].name,
                                                   config->checkpoints[i].dir};
    return true;
}

/* ---- one of them ---- */

static bool none(const struct verb_call *call, const char *word, const struct stores *stores) {
    char text[LINE];
    struct out out = out_on(text, sizeof text);
    out_text(&out, "there is no ");
    out_text(&out, word != NULL ? "[checkpoint " : "[checkpoint NAME]");
    out_text(&out, word != NULL ? word : "");
    out_text(&out, word != NULL ? "]" : "");
    for (unsigned i = 0; i < stores->n; i++) {
        out_text(&out, i == 0 ? ", but " : ", ");
        out_text(&out, stores->v[i].name);
    }
    out_text(&out, "; a directory is written with a slash, as ./");
    out_text(&out, word != NULL ? word : "DIR");
    complain_about(call, text);
    return false;
}

bool stores_find(const struct verb_call *call, const char *word, const struct stores_where *where,
                 struct stores *stores) {
    *stores = (struct stores){0};
    if (word != NULL && strchr(word, '/') != NULL) {
        stores->v[stores->n++] = (struct store_at){"", word};
        return true;
    }
    if (!(where->n_files > 0 ? from_files(call, where, stores) : from_running(call, where, stores)))
        return false;
    if (word == NULL)
        return stores->n > 0 || none(call, word, stores);
    for (unsigned i = 0; i < stores->n; i++)
        if (strcmp(stores->v[i].name, word) == 0) {
            *stores = (struct stores){.v = {stores->v[i]}, .n = 1};
            return true;
        }
    return none(call, word, stores);
}
