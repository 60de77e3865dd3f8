/* store/record.c: what became of the last run, beside the checkpoints. Whole or not there, as they are. Nobody waits
 * for a save or restore with it: the lock is one of its own, and who writes last is right. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "store/parts.h"
#include "sys/fd.h"

#define RECORD_NAME "last-stop.json"
#define RECORD_NEW ".last-stop.new"

size_t store_record(struct store *store, char *text, size_t room) {
    int fd = openat(store->dir, RECORD_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t n = fd < 0 ? 0 : read(fd, text, room);
    fd_close(&fd);
    return n > 0 ? (size_t)n : 0;
}

bool store_keep_record(struct store *store, const char *text, size_t n) {
    flock(store->dir, LOCK_EX); /* two that write at once would write to one new file; where it fails, be it so */
    int fd = openat(store->dir, RECORD_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool written = fd >= 0 && write(fd, text, n) == (ssize_t)n && fsync(fd) == 0;
    fd_close(&fd);
    return written && renameat(store->dir, RECORD_NEW, store->dir, RECORD_NAME) == 0 && store_sync_dir(store->dir) == 0;
}
