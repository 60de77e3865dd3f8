/* sys/message_file.h: a small file that holds one whole text at every instant.
 *
 * The platform may kill us between any two instructions and then read it, and others may read it at
 * any time. A file of our own is replaced by a new one, under its name in one step. Where that cannot
 * be (the platform's file is a mount of its own, no right to the directory), it is written in place,
 * never truncated: one pwrite of the whole text, padded with spaces over what stood there.
 */
#ifndef SYS_MESSAGE_FILE_H
#define SYS_MESSAGE_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct message_file {
    const char *path;
    int fd;        /* -1: it is replaced at each write */
    size_t length; /* bytes that it has */
    bool usable;
    bool stream;   /* cannot be written at a place: gets the last text alone */
};

enum { MESSAGE_FILE_MAX = 4096 };

/* Never blocks, whatever the path names, which must outlive the file. ours: it may be made, and
 * replaced. 0 or errno. */
int message_file_open(struct message_file *file, const char *path, bool ours);
/* n <= MESSAGE_FILE_MAX. 0 or errno. last: also to a stream. */
int message_file_write(struct message_file *file, const char *text, size_t n, bool last);

#endif
