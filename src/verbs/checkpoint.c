/* lastcall checkpoint: takes one now, or looks after those that were taken: in a running lastcall's stores, in those
 * of a file, or in a bare directory. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "store/archive.h"
#include "store/sealed.h"
#include "text/checkpoint.h"
#include "text/errtext.h"
#include "text/ids.h"
#include "verbs/loading.h"
#include "verbs/shelf.h"
#include "verbs/stores.h"

enum { LINE = 1024, TRIES = 10 };

struct task {
    const struct verb_call *call;
    struct stores stores;
    const char *id;              /* NULL: the latest, or none was given */
    const char *name;            /* --name */
    bool latest, json;
};

/* ---- saying why not ---- */

static int wrong(const struct task *task, const char *subject, const struct checkpoint_result *result) {
    char text[LINE];
    struct out out = out_on(text, sizeof text);
    out_text(&out, subject);
    out_text(&out, *subject != 0 ? ": " : "");
    checkpoint_wrong(&out, result);
    complain_about(task->call, text);
    return EXIT_NO;
}

static int wrong_archive(const struct task *task, const struct archive_error *error) {
    char text[LINE];
    struct out out = out_on(text, sizeof text);
    out_text(&out, error->path[0] != 0 ? error->path : "the archive");
    out_char(&out, ' ');
    out_text(&out, error->what);
    out_text(&out, error->error != 0 ? ": " : "");
    out_text(&out, error->error != 0 ? errtext(error->error) : "");
    complain_about(task->call, text);
    return EXIT_NO;
}

static int refuse(const struct task *task, const char *text) {
    complain_about(task->call, text);
    return EXIT_WORDS;
}

/* ---- one store ---- */

/* false: it has said that there are several. */
static bool one_store(const struct task *task) {
    char text[LINE];
    struct out out = out_on(text, sizeof text);
    if (task->stores.n == 1)
        return true;
    out_text(&out, "say which checkpoint:");
    for (unsigned i = 0; i < task->stores.n; i++) {
        out_text(&out, i == 0 ? " " : ", ");
        out_text(&out, task->stores.v[i].name);
    }
    complain_about(task->call, text);
    return false;
}

static bool none_there(const struct task *task, const char *dir) {
    char text[LINE];
    struct out out = out_on(text, sizeof text);
    out_text(&out, "there is no checkpoint in ");
    out_text(&out, dir);
    complain_about(task->call, text);
    return false;
}

/* The one that was asked for, or the latest, open and held. false: it has said why not. */
static bool pick(const struct task *task, char id[static CHECKPOINT_ID], struct manifest_head *head) {
    struct checkpoint_result result = {0};
    const char *dir = task->stores.v[0].dir;
    if (!store_open_to_look(&store_room, dir, false, &result)) {
        wrong(task, "", &result);
        return false;
    }
    /* One that is being removed is followed by another. */
    for (int tries = TRIES; tries > 0; tries--) {
        uint64_t below = UINT64_MAX;
        if (task->id != NULL) {
            memccpy(id, task->id, 0, CHECKPOINT_ID);
        } else if (!store_next(&store_room, &below, id)) {
            if (store_was_read(&store_room, &result))
                return none_there(task, dir);
            break;
        }
        if (store_pick(&store_room, id, head, &result))
            return true;
        if (task->id != NULL || (result.error != ENOENT && result.error != EWOULDBLOCK))
            break;
    }
    wrong(task, id, &result);
    return false;
}

static int export(struct task *task) {
    struct manifest_head head;
    struct archive_error error;
    char id[CHECKPOINT_ID];
    if (isatty(1) == 1)
        return refuse(task, "an archive is no text for a terminal; write: lastcall checkpoint export >FILE");
    if (!one_store(task) || !pick(task, id, &head))
        return EXIT_NO;
    return archive_export(&store_room, id, 1, &error) ? 0 : wrong_archive(task, &error);
}

static int import(struct task *task) {
    const struct store_at *store = &task->stores.v[0];
    const char *as = store->name[0] != 0 ? store->name : NULL;
    struct archive_wish wish = {.from = 0, .name = task->name != NULL ? task->name : as, .as = as};
    struct checkpoint_result result = {0};
    struct archive_error error = {0};
    char text[LINE];
    struct out out = out_on(text, sizeof text);
    bool good;
    if (isatty(0) == 1)
        return refuse(task, "an archive does not come from a terminal; write: lastcall checkpoint import <FILE");
    if (!one_store(task))
        return EXIT_NO;
    if (!store_open(&store_room, store->dir, true, &result))
        return wrong(task, "", &result);
    good = archive_import(&store_room, &wish, &result, &error);
    store_close(&store_room);
    if (!good)
        return error.what != NULL ? wrong_archive(task, &error) : wrong(task, "", &result);
    out_text(&out, result.id);
    out_text(&out, ": ");
    checkpoint_amount(&out, result.files, result.bytes);
    out_char(&out, '\n');
    return result_code(task->call, write_text(1, text));
}

static int verify_one(const struct task *task, const char *id) {
    struct checkpoint_result result = {0};
    char text[LINE];
    struct out out = out_on(text, sizeof text);
    if (!store_verify(&store_room, id, &result))
        return wrong(task, id, &result);
    out_text(&out, id);
    out_text(&out, ": whole, ");
    checkpoint_amount(&out, result.files, result.bytes);
    out_char(&out, '\n');
    return result_code(task->call, write_text(1, text));
}

/* All of a store, or what was asked for. */
static int verify_store(const struct task *task, const struct store_at *store) {
    struct checkpoint_result result = {0};
    uint64_t below = UINT64_MAX;
    char id[CHECKPOINT_ID];
    int code = 0;
    if (!store_open_to_look(&store_room, store->dir, false, &result))
        return wrong(task, store->name, &result);
    if (task->id != NULL)
        code = verify_one(task, task->id);
    while (task->id == NULL && store_next(&store_room, &below, id)) {
        code |= verify_one(task, id);
        if (task->latest)
            break;
    }
    if (task->id == NULL && !store_was_read(&store_room, &result))
        code = wrong(task, store->name, &result);
    store_close(&store_room);
    return code;
}

static int verify(struct task *task) {
    int code = task->id != NULL && !one_store(task) ? EXIT_NO : 0;
    for (unsigned i = 0; i < task->stores.n && (task->id == NULL || code == 0); i++)
        code |= verify_store(task, &task->stores.v[i]);
    return code;
}

static int show(struct task *task) {
    struct manifest_head head;
    struct shelf shelf;
    char id[CHECKPOINT_ID];
    if (!one_store(task) || !pick(task, id, &head))
        return EXIT_NO;
    shelf_begin(&shelf, task->json);
    if (!shelf_show(&shelf, &store_room, &head))
        return wrong(task, id, &(struct checkpoint_result){.stage = CHECKPOINT_VERIFY, .path = "manifest.json"});
    return result_code(task->call, shelf.wrote);
}

static int list(struct task *task) {
    struct shelf shelf;
    int code = 0;
    shelf_begin(&shelf, task->json);
    for (unsigned i = 0; i < task->stores.n; i++) {
        struct checkpoint_result result = {0};
        if (store_open_to_look(&store_room, task->stores.v[i].dir, false, &result)) {
            if (!shelf_list(&shelf, &store_room, &task->stores.v[i], &result))
                code = wrong(task, task->stores.v[i].name, &result);
        } else if (result.error != ENOENT || task->stores.v[i].name[0] == 0)
            code = wrong(task, task->stores.v[i].name, &result);
        else
            shelf_list(&shelf, NULL, &task->stores.v[i], &result); /* nothing was ever taken */
    }
    shelf_end(&shelf);
    return code | result_code(task->call, shelf.wrote);
}

/* ---- words ---- */

static const struct subverb { const char *name; int (*run)(struct task *); bool id, json, name_option; } subverbs[] = {
    {"list", list, false, true, false}, {"show", show, true, true, false}, {"verify", verify, true, false, false},
    {"export", export, true, false, false}, {"import", import, false, false, true},
};

static const struct subverb *find(const char *word) {
    for (size_t i = 0; word != NULL && i < sizeof subverbs / sizeof *subverbs; i++)
        if (strcmp(word, subverbs[i].name) == 0)
            return &subverbs[i];
    return NULL;
}

/* An id, or the word for the newest; no [checkpoint] can be called as an id is. */
static bool take_id(struct task *task, const char *word) {
    uint32_t number;
    bool whole = word != NULL && id_parse(word, &number) == ID_WHOLE;
    task->id = whole ? word : NULL;
    task->latest = word != NULL && strcmp(word, "latest") == 0;
    return whole || task->latest;
}

static int run(const struct verb_call *call, const struct subverb *subverb) {
    static struct task task;
    const char *plain[2] = {NULL, NULL}, *files[MAX_FILES], *control = NULL;
    unsigned n_control = 0, n_files = 0, json = 0, n_name = 0;
    const struct verb_option options[] = {
        {"--control", &control, &n_control, 1}, {"-c", files, &n_files, MAX_FILES},
        {"--config", files, &n_files, MAX_FILES},
        subverb->name_option ? (struct verb_option){"--name", &task.name, &n_name, 1}
                             : (struct verb_option){"--json", NULL, &json, 0},
    };
    struct verb_words words = {.plain = plain, .room = subverb->id ? 2 : 1};
    struct stores_where where;
    bool id;
    if (!words_sort(call, options, subverb->json || subverb->name_option ? 4 : 3, &words))
        return EXIT_WORDS;
    task.call = call;
    task.json = json > 0;
    id = subverb->id && take_id(&task, plain[0]);
    if (subverb->id && !id && words.n == 2)
        return refuse(&task, "there is no such id; `lastcall checkpoint list` shows them, and latest is one");
    where = (struct stores_where){control, files, n_files < MAX_FILES ? n_files : MAX_FILES};
    if (!stores_find(call, plain[id], &where, &task.stores))
        return EXIT_NO;
    return subverb->run(&task);
}

/* Behind "--" every word is a name. */
int verb_checkpoint(const struct verb_call *call) {
    const char *word = call->argc > 1 ? call->argv[1] : NULL;
    const struct subverb *subverb = find(word);
    struct verb_call rest = {call->argc - 1, call->argv + 1, call->envp};
    if (subverb == NULL && (word == NULL || strcmp(word, "--") != 0))
        return ask_checkpoint(call);
    rest.argv[0] = call->argv[0];
    return subverb == NULL ? ask_checkpoint(&rest) : run(&rest, subverb);
}
