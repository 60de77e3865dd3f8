#include "store/sealed.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* ---- writing ---- */

static bool flush(struct sealed *sealed) {
    struct out *out = &sealed->out;
    SHA256Update(&sealed->sha, (const uint8_t *)out->text, out->n);
    for (size_t at = 0; at < out->n;) {
        ssize_t wrote = write(sealed->fd, out->text + at, out->n - at);
        if (wrote < 0 && errno == EINTR)
            continue;
        sealed->error = wrote < 0 ? errno : ENOSPC;
        if (wrote <= 0)
            return false;
        at += (size_t)wrote;
    }
    sealed->out = out_on(sealed->buffer, sizeof sealed->buffer);
    return true;
}

/* Whatever comes next has room again. */
static bool added(struct sealed *sealed) {
    if (!sealed->out.cut)
        return sealed->out.n < MANIFEST_LINE || flush(sealed);
    sealed->error = ENAMETOOLONG;
    return false;
}

bool sealed_create(struct sealed *sealed, int fd, const struct manifest_head *head) {
    sealed->fd = fd;
    sealed->first = true;
    sealed->reader = (struct manifest_reader){0};
    sealed->out = out_on(sealed->buffer, sizeof sealed->buffer);
    SHA256Init(&sealed->sha);
    manifest_head(&sealed->out, head);
    return added(sealed);
}

bool sealed_add(struct sealed *sealed, const struct manifest_entry *entry) {
    manifest_entry(&sealed->out, entry, sealed->first);
    sealed->first = false;
    sealed->reader.files += entry->type == MANIFEST_FILE;
    sealed->reader.bytes += entry->size;
    return added(sealed);
}

bool sealed_finish(struct sealed *sealed) {
    uint8_t sha256[MANIFEST_HASH];
    manifest_tail(&sealed->out, sealed->reader.files, sealed->reader.bytes);
    if (!flush(sealed))
        return false;
    SHA256Final(sha256, &sealed->sha);
    manifest_seal(&sealed->out, sha256);
    return flush(sealed);
}

/* ---- reading ---- */

static bool fill(struct sealed *sealed) {
    memmove(sealed->buffer, sealed->buffer + sealed->at, sealed->n);
    sealed->at = 0;
    ssize_t got = read(sealed->fd, sealed->buffer + sealed->n, sizeof sealed->buffer - sealed->n);
    sealed->error = got < 0 ? errno : 0;
    sealed->n += got > 0 ? (size_t)got : 0;
    return got > 0;
}

/* Bytes of the line that stands first, its newline among them; 0: there is no whole one. */
static size_t line(struct sealed *sealed) {
    for (;;) {
        const char *start = sealed->buffer + sealed->at, *end = memchr(start, '\n', sealed->n);
        if (end != NULL)
            return (size_t)(end - start) + 1;
        if (sealed->n >= MANIFEST_LINE || !fill(sealed))
            return 0;
    }
}

static enum manifest_line take(struct sealed *sealed, struct manifest_head *head) {
    size_t n = line(sealed);
    char *text = sealed->buffer + sealed->at;
    bool seal = sealed->reader.last == MANIFEST_IS_TAIL;
    if (n == 0)
        return MANIFEST_BAD;
    if (!seal)
        SHA256Update(&sealed->sha, (const uint8_t *)text, n);
    sealed->at += n;
    sealed->n -= n;
    return manifest_read(&sealed->reader, text, n - 1, head, &sealed->entry);
}

bool sealed_open(struct sealed *sealed, int fd, struct manifest_head *head) {
    sealed->fd = fd;
    sealed->error = 0;
    sealed->ended = false;
    sealed->at = sealed->n = 0;
    sealed->reader = (struct manifest_reader){0};
    SHA256Init(&sealed->sha);
    return take(sealed, head) == MANIFEST_IS_HEAD;
}

/* Nothing may follow the seal. */
static bool seal_holds(struct sealed *sealed) {
    uint8_t sha256[MANIFEST_HASH];
    if (take(sealed, NULL) != MANIFEST_IS_SEAL || sealed->n > 0 || fill(sealed) || sealed->error != 0)
        return false;
    SHA256Final(sha256, &sealed->sha);
    return memcmp(sha256, sealed->reader.sha256, sizeof sha256) == 0;
}

bool sealed_next(struct sealed *sealed) {
    enum manifest_line kind = take(sealed, NULL);
    sealed->ended = kind == MANIFEST_IS_TAIL && seal_holds(sealed);
    return kind == MANIFEST_IS_ENTRY;
}
