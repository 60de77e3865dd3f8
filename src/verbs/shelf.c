#include "verbs/shelf.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "store/sealed.h"
#include "text/checkpoint.h"
#include "text/utc.h"
#include "verbs/loading.h"

enum { ROW = 3 * MANIFEST_PATH, TIME_AT = 27, FILES_AT = 49, SIZE_AT = 58, STATE_AT = 69, CAUSE_AT = 80, SHORT = 256 };

static char row[ROW];

static void row_end(struct shelf *shelf) {
    shelf->wrote = shelf->wrote && write_all(1, shelf->out.text, shelf->out.n);
    shelf->out = out_on(row, sizeof row);
}

/* ---- all of a store ---- */

/* One of them; the texts of a manifest's head do not outlive its first entry. */
struct found { const char *state; bool known; uint64_t files, bytes; char time[UTC_ROOM], host[SHORT], cause[SHORT]; };

static void keep(char *into, size_t room, const char *text) {
    struct out out = out_on(into, room);
    out_text(&out, text);
}

/* Its manifest is read to the end; whether the files agree with it is for verify. false: that could not be done now. */
static bool look_at(struct store *store, const char *id, struct found *found, struct checkpoint_result *result) {
    struct manifest_head head;
    found->known = store_pick(store, id, &head, result);
    if (found->known) {
        keep(found->time, sizeof found->time, head.time);
        keep(found->host, sizeof found->host, head.host);
        keep(found->cause, sizeof found->cause, head.cause);
        while (sealed_next(store_manifest(store))) {}
        found->files = store_manifest(store)->reader.files;
        found->bytes = store_manifest(store)->reader.bytes;
        found->known = store_manifest(store)->ended;
        result->error = store_manifest(store)->error;
    }
    if (found->known)
        return true;
    found->state = store_is_damage(result->error) ? "damaged" : "unreadable";
    return store_is_damage(result->error);
}

/* Somebody removes it just now. */
static bool is_going(const struct checkpoint_result *looked, const char *id) {
    return (looked->error == EWOULDBLOCK || looked->error == ENOENT) && strcmp(looked->path, id) == 0;
}

static void row_json(struct json *json, const char *id, const struct found *found) {
    json_open(json, NULL, '{');
    json_text(json, "id", id);
    json_text(json, "state", found->state);
    if (found->known) {
        json_text(json, "time", found->time);
        json_text(json, "host", found->host);
        json_text(json, "cause", found->cause);
        json_int(json, "files", (int64_t)found->files);
        json_int(json, "bytes", (int64_t)found->bytes);
    }
    json_close(json, '}');
}

static void row_text(struct out *out, const char *id, const struct found *found) {
    out_text(out, "  ");
    out_text(out, id);
    out_pad(out, 0, TIME_AT);
    if (found->known) {
        out_text(out, found->time);
        out_pad(out, 0, FILES_AT);
        out_uint(out, found->files);
        out_pad(out, 0, SIZE_AT);
        checkpoint_size(out, found->bytes);
    }
    out_pad(out, 0, STATE_AT);
    out_text(out, found->state);
    if (found->known) {
        out_pad(out, 0, CAUSE_AT);
        out_safe(out, found->cause, strlen(found->cause));
    }
    out_char(out, '\n');
}

static void add(struct shelf *shelf, const char *id, const struct found *found) {
    if (shelf->as_json)
        row_json(&shelf->json, id, found);
    else
        row_text(&shelf->out, id, found);
    row_end(shelf);
}

static void begin_store(struct shelf *shelf, const struct store_at *at) {
    if (shelf->as_json) {
        out_char(&shelf->out, shelf->any ? ',' : '[');
        shelf->any = shelf->json.fresh = true;
        json_open(&shelf->json, NULL, '{');
        if (at->name[0] != 0)
            json_text(&shelf->json, "name", at->name);
        json_text(&shelf->json, "dir", at->dir);
        json_open(&shelf->json, "checkpoints", '[');
        return;
    }
    out_text(&shelf->out, at->name);
    out_text(&shelf->out, at->name[0] != 0 ? "  " : "");
    out_safe(&shelf->out, at->dir, strlen(at->dir));
    out_char(&shelf->out, '\n');
    row_end(shelf);
}

static void end_store(struct shelf *shelf, unsigned n) {
    if (shelf->as_json) {
        json_close(&shelf->json, ']');
        json_close(&shelf->json, '}');
    } else if (n == 0) {
        out_text(&shelf->out, "  none\n");
    }
    row_end(shelf);
}

void shelf_begin(struct shelf *shelf, bool as_json) {
    *shelf = (struct shelf){.as_json = as_json, .wrote = true, .out = out_on(row, sizeof row)};
    shelf->json = json_on(&shelf->out);
}

bool shelf_list(struct shelf *shelf, struct store *store, const struct store_at *at, struct checkpoint_result *result) {
    char id[CHECKPOINT_ID];
    uint64_t below = UINT64_MAX;
    unsigned n = 0;
    bool read = true;
    begin_store(shelf, at);
    while (store != NULL && store_next(store, &below, id)) {
        struct found found = {.state = n == 0 ? "latest" : "whole"};
        struct checkpoint_result looked = {.stage = CHECKPOINT_VERIFY};
        bool could = look_at(store, id, &found, &looked);
        if (is_going(&looked, id))
            continue;
        if (!could)
            *result = looked;
        read = read && could;
        add(shelf, id, &found);
        n++;
    }
    read = (store == NULL || store_was_read(store, result)) && read;
    for (below = UINT64_MAX; store != NULL && store_next_damaged(store, &below, id); n++)
        add(shelf, id, &(struct found){.state = "set aside"});
    end_store(shelf, n + !read);
    if (store != NULL)
        store_close(store);
    return read;
}

void shelf_end(struct shelf *shelf) {
    if (shelf->as_json)
        out_text(&shelf->out, shelf->any ? "]\n" : "[]\n");
    row_end(shelf);
}

/* ---- one of them ---- */

static void show_line(struct shelf *shelf, const char *key, const char *text) {
    struct out *out = &shelf->out;
    out_text(out, key);
    out_pad(out, 0, 10);
    out_safe(out, text, strlen(text));
    out_char(out, '\n');
    row_end(shelf);
}

/* "-rw-r--r--  1000:1000  12  2026-11-21T03:15:00Z  a/b": as ls shows it, bits beyond those for access in octal. */
static void show_entry(struct shelf *shelf, const struct manifest_entry *entry) {
    static const char kinds[] = {[MANIFEST_FILE] = '-', [MANIFEST_DIR] = 'd', [MANIFEST_LINK] = 'l'};
    struct out *out = &shelf->out;
    char time[UTC_ROOM];
    size_t start;
    out_char(out, kinds[entry->type]);
    for (int bit = 8; bit >= 0; bit--)
        out_char(out, entry->mode >> bit & 1 ? "xwr"[bit % 3] : '-');
    out_char(out, ' ');
    start = out->n;
    out_uint(out, entry->uid);
    out_char(out, ':');
    out_uint(out, entry->gid);
    out_pad(out, start, 12);
    start = out->n;
    out_uint(out, entry->size);
    out_right(out, start, 12);
    out_char(out, ' ');
    out_text(out, utc_print(time, entry->mtime));
    out_char(out, ' ');
    out_safe(out, entry->path, strlen(entry->path));
    out_text(out, entry->type == MANIFEST_LINK ? " -> " : "");
    out_safe(out, entry->target != NULL ? entry->target : "", entry->target != NULL ? strlen(entry->target) : 0);
    out_char(out, '\n');
    row_end(shelf);
}

static void show_text(struct shelf *shelf, struct sealed *sealed, const struct manifest_head *head) {
    show_line(shelf, "id", head->id);
    show_line(shelf, "name", head->name);
    show_line(shelf, "time", head->time);
    show_line(shelf, "host", head->host);
    show_line(shelf, "cause", head->cause);
    show_line(shelf, "lastcall", head->lastcall);
    while (sealed_next(sealed))
        show_entry(shelf, &sealed->entry);
    if (!sealed->ended)
        return;
    checkpoint_amount(&shelf->out, sealed->reader.files, sealed->reader.bytes);
    out_char(&shelf->out, '\n');
    row_end(shelf);
}

static bool show_bytes(int fd) {
    ssize_t n = lseek(fd, 0, SEEK_SET) == 0 ? 1 : -1;
    bool wrote = true;
    while (n > 0 && wrote && (n = read(fd, row, sizeof row)) > 0)
        wrote = write_all(1, row, (size_t)n);
    return n >= 0 && wrote;
}

bool shelf_show(struct shelf *shelf, struct store *store, const struct manifest_head *head) {
    struct sealed *sealed = store_manifest(store);
    if (!shelf->as_json)
        show_text(shelf, sealed, head);
    while (shelf->as_json && sealed_next(sealed)) {}
    if (shelf->as_json && sealed->ended)
        shelf->wrote = show_bytes(sealed->fd);
    return sealed->ended;
}
