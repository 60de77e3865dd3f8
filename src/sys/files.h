/* sys/files.h: reads whole files, and the *.ini of a directory.
 *
 * Before the loop begins, or in a verb. (Not called file.h: that would hide the system's <sys/file.h>.)
 */
#ifndef SYS_FILES_H
#define SYS_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "model/arena.h"

enum { MAX_FILE_BYTES = 4 << 20 };

struct file { const char *name; const char *text; size_t bytes; };
struct file_error { const char *path; int error; /* errno */ };

/* Every path, or of a directory its *.ini in the order of their names, into the arena. At most `room` files
 * (else E2BIG). false: *error says which path could not be read. */
bool files_read(const char *const *paths, uint32_t n_paths, struct arena *arena, struct file *files, uint32_t room,
                uint32_t *n_files, struct file_error *error);

#endif
