/* Any bytes as an archive; what was read is written and read again. The first byte chooses whether checksums are
 * made right first: else hardly anything would come behind them.
 * For: src/text/tar.c */
#include <stdlib.h>
#include <string.h>

#include "text/tar.h"

static void seal(char *head) {
    unsigned sum = 8 * ' ';
    for (int i = 0; i < TAR_BLOCK; i++)
        sum += i < 148 || i >= 156 ? (unsigned char)head[i] : 0;
    for (int i = 0; i < 6; i++, sum >>= 3)
        head[148 + 5 - i] = (char)('0' + (sum & 7));
    memcpy(head + 154, "\0 ", 2);
}

/* What was read is the same once it has been written. */
static void again(const struct tar_entry *entry) {
    static struct tar_reader reader;
    char *head = malloc(TAR_HEAD);
    size_t n = tar_head(entry, head);
    enum tar_reading reading = TAR_MORE;
    if (n > TAR_HEAD || n % TAR_BLOCK != 0)
        abort();
    memset(&reader, 0, sizeof reader);
    for (size_t at = 0; at < n; at += TAR_BLOCK)
        reading = tar_read(&reader, head + at);
    if (reading != TAR_ENTRY || strcmp(reader.entry.path, entry->path) != 0 || reader.entry.type != entry->type ||
        reader.entry.size != entry->size ||
        (entry->type == TAR_SYMLINK && strcmp(reader.entry.target, entry->target) != 0))
        abort();
    free(head);
}

static void look_at(const struct tar_reader *reader) {
    const struct tar_entry *entry = &reader->entry;
    size_t n = strnlen(entry->path, TAR_PATH);
    if (n == 0 || n >= TAR_PATH || strnlen(entry->target, TAR_PATH) >= TAR_PATH || entry->size > INT64_MAX)
        abort();
    if (entry->type != TAR_OTHER && !(entry->type == TAR_DIRECTORY && entry->path[n - 1] == '/'))
        again(entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct tar_reader reader;
    enum tar_reading reading = TAR_MORE;
    memset(&reader, 0, sizeof reader);
    for (size_t at = 1; at + TAR_BLOCK <= size && reading != TAR_BAD; at += TAR_BLOCK) {
        char *block = malloc(TAR_BLOCK);
        memcpy(block, data + at, TAR_BLOCK);
        if (data[0] & 1 && memcmp(block + 257, "ustar", 5) == 0)
            seal(block);
        reading = tar_read(&reader, block);
        if (reading == TAR_ENTRY)
            look_at(&reader);
        if (reading == TAR_ENTRY && reader.entry.size / TAR_BLOCK < size)
            at += (size_t)reader.entry.size + tar_padding(reader.entry.size);
        if (reading == TAR_BAD && (reader.why == NULL || tar_read(&reader, block) != TAR_BAD))
            abort();
        free(block);
    }
    return 0;
}
