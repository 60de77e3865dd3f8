/* text/checkpoint.h: what became of a checkpoint, in words.
 */
#ifndef TEXT_CHECKPOINT_H
#define TEXT_CHECKPOINT_H

#include "model/checkpoint.h"
#include "text/out.h"

/* "cannot read: a/b: permission denied". false, and nothing: it went well, or it was the command that failed. */
bool checkpoint_wrong(struct out *out, const struct checkpoint_result *result);

/* "3 files, 12.5 kB". */
void checkpoint_amount(struct out *out, uint64_t files, uint64_t bytes);
/* "12.5 kB": cut, never more than there is. */
void checkpoint_size(struct out *out, uint64_t bytes);

#endif
