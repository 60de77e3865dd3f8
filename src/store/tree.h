/* store/tree.h: what lies in a directory, without ever leaving it: no link is followed, no other mount entered.
 *
 * No heap: its depth is bounded, and a level has its own small buffer. Two ways to use one tree: tree_next() finds
 * everything, a directory before what is in it; tree_reach() opens the way to one path after another, and keeps what
 * two of them share.
 */
#ifndef STORE_TREE_H
#define STORE_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "text/manifest.h"

struct tree_level {
    int fd;
    uint16_t end;              /* bytes of its path */
    int32_t at, n;             /* in entries */
    _Alignas(8) char entries[2048];
};

struct tree {
    char path[MANIFEST_PATH];  /* what was found, from the directory on; after an error: where it was */
    const char *name;          /* its last name, */
    int in;                    /* and the directory that it is in */
    int error;                 /* of TREE_FAILED */
    struct stat stat;
    uint16_t depth;
    bool enter;                /* what was found is a directory that has not been entered */
    struct tree_level levels[MANIFEST_DEPTH + 1];
};

enum tree_found { TREE_END, TREE_ENTRY, TREE_REFUSED /* too deep, or too long */, TREE_FAILED };

/* Opens for reading what stands in a directory under this name. -1 and ELOOP for a link, EXDEV for a mount. */
int tree_open(int in, const char *name);
int tree_open_dir(int in, const char *name);

/* At a directory that is open; false: error. tree_end() in either case. */
bool tree_start(struct tree *tree, int dir);
enum tree_found tree_next(struct tree *tree);
/* Sets `in` and `name` for a path that manifest_path_fits(). false: error. */
bool tree_reach(struct tree *tree, const char *path);
void tree_end(struct tree *tree);

/* The next name of a directory besides "." and ".."; NULL: its end, or *error. Starts where fd stands. */
const char *tree_name(struct tree_level *level, int *error);

/* Removes a directory with all that is in it, however deep. 0, or the errno of what stays. */
int tree_remove(int in, const char *name);

#endif
