#include "text/checkpoint.h"

#include <string.h>

#include "text/errtext.h"

/* NULL: nothing is to be said of it. */
static const char *const stages[] = {
    [CHECKPOINT_OPEN] = "cannot open the store",
    [CHECKPOINT_LOCK] = "another lastcall writes to this store",
    [CHECKPOINT_CLEAN] = "cannot remove what was left over",
    [CHECKPOINT_BEGIN] = "cannot make a directory for it",
    [CHECKPOINT_GATE] = "only-if could not be run",
    [CHECKPOINT_EMPTY] = "the command left nothing in LASTCALL_CHECKPOINT_DIR",
    [CHECKPOINT_REFUSED] = "cannot keep this: it is no file, directory or link within, or lies too deep",
    [CHECKPOINT_CHANGED] = "it changed while it was read: does something still write?",
    [CHECKPOINT_READ] = "cannot read",
    [CHECKPOINT_MANIFEST] = "cannot write the manifest",
    [CHECKPOINT_SYNC] = "cannot bring it to the disk",
    [CHECKPOINT_RENAME] = "cannot give it its name",
    [CHECKPOINT_LATEST] = "cannot move latest",
    [CHECKPOINT_VERIFY] = "cannot verify what is there",
};
_Static_assert(sizeof stages / sizeof *stages == CHECKPOINT_STAGES, "a text a stage");

bool checkpoint_wrong(struct out *out, const struct checkpoint_result *result) {
    const char *text = result->stage < CHECKPOINT_STAGES ? stages[result->stage] : NULL;
    if (text == NULL)
        return false;
    out_text(out, result->stage == CHECKPOINT_VERIFY && result->error == 0 ? "it does not agree with its manifest" : text);
    if (*result->path != 0 && result->stage != CHECKPOINT_EMPTY) {
        out_text(out, ": ");
        out_safe(out, result->path, strlen(result->path));
    }
    if (result->error != 0) {
        out_text(out, ": ");
        out_text(out, errtext(result->error));
    }
    return true;
}

void checkpoint_size(struct out *out, uint64_t bytes) {
    static const char *const units[] = {" kB", " MB", " GB", " TB", " PB", " EB"};
    unsigned unit = 0;
    uint64_t tenths;
    if (bytes < 1000) {
        out_uint(out, bytes);
        out_text(out, bytes == 1 ? " byte" : " bytes");
        return;
    }
    for (tenths = bytes / 100; tenths >= 10000; tenths /= 1000)
        unit++;
    out_tenths(out, (int64_t)tenths * 100);
    out_text(out, units[unit]);
}

void checkpoint_amount(struct out *out, uint64_t files, uint64_t bytes) {
    out_uint(out, files);
    out_text(out, files == 1 ? " file, " : " files, ");
    checkpoint_size(out, bytes);
}
