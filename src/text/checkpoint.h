/* text/checkpoint.h: what became of a checkpoint, in words.
 */
#ifndef TEXT_CHECKPOINT_H
#define TEXT_CHECKPOINT_H

#include "model/checkpoint.h"
#include "text/out.h"

/* "cannot read: a/b: Permission denied"; nothing for a result that is good, or the command's own affair. */
void checkpoint_wrong(struct out *out, const struct checkpoint_result *result);

/* "3 files, 12.5 KB". */
void checkpoint_amount(struct out *out, uint64_t files, uint64_t bytes);
/* "12.5 KB", powers of 1024. */
void checkpoint_size(struct out *out, uint64_t bytes);

#endif
