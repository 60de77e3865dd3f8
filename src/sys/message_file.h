/* sys/message_file.h: a small file that holds one whole text at every instant.
 *
 * The platform may kill us between any two instructions and then read it. So it is never truncated
 * first: one pwrite of the whole text, padded with spaces over whatever longer text stood there.
 */
#ifndef SYS_MESSAGE_FILE_H
#define SYS_MESSAGE_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct message_file {
    int fd;        /* -1: none */
    size_t length; /* bytes that it has */
    bool stream;   /* cannot be written at a place: gets the last text alone */
};

enum { MESSAGE_FILE_MAX = 4096 };

/* Never blocks, whatever the path names. create: make it if it is not there. 0 or errno. */
int message_file_open(struct message_file *file, const char *path, bool create);
/* n <= MESSAGE_FILE_MAX. 0 or errno. last: also to a stream. */
int message_file_write(struct message_file *file, const char *text, size_t n, bool last);

#endif
