/* verbs/stores.h: which stores of checkpoints a verb means.
 */
#ifndef VERBS_STORES_H
#define VERBS_STORES_H

#include "model/limits.h"
#include "verbs/talk.h"

struct stores {
    struct store_at { const char *name, *dir; } v[MAX_CHECKPOINTS]; /* name "": a directory that was named itself */
    unsigned n;
};

/* Where to look for names: in files, else in the running lastcall. */
struct stores_where { const char *control; const char **files; unsigned n_files; };

/* word: a [checkpoint]'s name, a directory (which has a slash in it), NULL: all that there are, one at least.
 * false: it has said why there are none. */
bool stores_find(const struct verb_call *call, const char *word, const struct stores_where *where,
                 struct stores *stores);

/* The stores of a /status of n bytes, which may be changed, and has room for one more. */
void stores_in_status(char *status, size_t n, struct stores *stores);

#endif
