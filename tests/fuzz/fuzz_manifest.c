/* Any bytes as a manifest: what is read stays inside, and is written the same way again.
 * For: src/text/manifest.c src/text/ids.c */
#include <stdlib.h>
#include <string.h>

#include "text/ids.h"
#include "text/manifest.h"

static bool is_inside(const char *path) {
    for (const char *at = path;; at++) {
        size_t n = strcspn(at, "/");
        if (n == 0 || strncmp(at, "..", n > 2 ? n : 2) == 0)
            return false;
        at += n;
        if (*at == 0)
            return true;
    }
}

/* The line as the writer writes it; its first and last bytes depend on its neighbours. */
static bool is_written_so(const struct manifest_entry *entry, const char *line, size_t n) {
    static char text[MANIFEST_LINE];
    struct out out = out_on(text, sizeof text);
    manifest_entry(&out, entry, true);
    return !out.cut && (out.n == n + 1 || out.n == n) && memcmp(text + 1, line, out.n - 1) == 0;
}

/* An escape or hex where none is needed reads well, and is written without. */
static bool is_plain(const char *line, size_t n) {
    return memchr(line, '\\', n) == NULL && memmem(line, n, "_hex", 4) == NULL;
}

static void entry_holds(const struct manifest_entry *entry, const char *line, size_t n) {
    if (!is_inside(entry->path) || strlen(entry->path) >= MANIFEST_PATH || entry->type >= MANIFEST_TYPES)
        abort();
    if ((entry->target != NULL) != (entry->type == MANIFEST_LINK))
        abort();
    if (entry->target != NULL && (entry->target[0] == '/' || !manifest_link_stays(entry->path, entry->target)))
        abort();
    if (is_plain(line, n) && !is_written_so(entry, line, n))
        abort();
}

static void read_lines(const uint8_t *data, size_t size) {
    struct manifest_reader reader = {0};
    struct manifest_head head;
    struct manifest_entry entry;
    for (size_t at = 0; at < size;) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        size_t n = end != NULL ? (size_t)(end - data) - at : size - at;
        char *line = malloc(n ? n : 1);   /* exact, so that one byte too far is seen */
        memcpy(line, data + at, n);
        enum manifest_line kind = manifest_read(&reader, line, n, &head, &entry);
        if (kind == MANIFEST_IS_HEAD && strlen(head.cause) + strlen(head.host) > n)
            abort();
        if (kind == MANIFEST_IS_ENTRY)
            entry_holds(&entry, (const char *)data + at, n);
        free(line);
        if (kind == MANIFEST_BAD || kind == MANIFEST_IS_SEAL)
            return;
        at += n + 1;
    }
}

static void read_id(const uint8_t *data, size_t size) {
    char name[ID_NAME], again[ID_NAME], id[CHECKPOINT_ID];
    uint32_t number;
    size = size < sizeof name ? size : sizeof name - 1;
    memcpy(name, data, size);
    name[size] = 0;
    enum id_form form = id_parse(name, &number);
    if (form == ID_NONE)
        return;
    id_print(id, number, 0);
    id_name(again, form, id);
    if (strlen(again) != strlen(name) || strncmp(again, name, strlen(again) - 16) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    read_lines(data, size);
    read_id(data, size);
    return 0;
}
