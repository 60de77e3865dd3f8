/* What became of a checkpoint, in words. */
#include <criterion/criterion.h>
#include <errno.h>

#include "text/checkpoint.h"

static char text[512];

static const char *amount(uint64_t files, uint64_t bytes) {
    struct out out = out_on(text, sizeof text);
    checkpoint_amount(&out, files, bytes);
    return text;
}

static const char *wrong(struct checkpoint_result result) {
    struct out out = out_on(text, sizeof text);
    checkpoint_wrong(&out, &result);
    return text;
}

Test(checkpoint, amounts) {
    cr_assert_str_eq(amount(0, 0), "0 files, 0 bytes");
    cr_assert_str_eq(amount(1, 1), "1 file, 1 byte");
    cr_assert_str_eq(amount(2, 999), "2 files, 999 bytes");
    cr_assert_str_eq(amount(2, 1000), "2 files, 1.0 kB");
    cr_assert_str_eq(amount(2, 1999), "2 files, 1.9 kB");
    cr_assert_str_eq(amount(2, 999999), "2 files, 999.9 kB");
    cr_assert_str_eq(amount(2, 1000000), "2 files, 1.0 MB");
    cr_assert_str_eq(amount(2, 2500000000), "2 files, 2.5 GB");
    cr_assert_str_eq(amount(UINT64_MAX, UINT64_MAX), "18446744073709551615 files, 18.4 EB");
}

Test(checkpoint, wrongs) {
    cr_assert_str_eq(wrong((struct checkpoint_result){.path = "x"}), "");
    cr_assert_str_eq(wrong((struct checkpoint_result){.stage = CHECKPOINT_COMMAND}), "");
    cr_assert_str_eq(wrong((struct checkpoint_result){.stage = CHECKPOINT_STAGES}), "");
    cr_assert_str_eq(wrong((struct checkpoint_result){.stage = CHECKPOINT_READ, .path = "a\nb", .error = EACCES}),
                     "cannot read: a?b: permission denied");
    cr_assert_str_eq(wrong((struct checkpoint_result){.stage = CHECKPOINT_LOCK}), "another lastcall writes to this store");
    cr_assert_str_eq(wrong((struct checkpoint_result){.stage = CHECKPOINT_SYNC, .error = EDOM}),
                     "cannot bring it to the disk: an error of the system");
    cr_assert_str_eq(wrong((struct checkpoint_result){.stage = CHECKPOINT_EMPTY, .path = "x"}),
                     "the command left nothing in LASTCALL_CHECKPOINT_DIR");
    cr_assert_str_eq(wrong((struct checkpoint_result){.stage = CHECKPOINT_VERIFY, .path = "a/b"}),
                     "it does not agree with its manifest: a/b");
    cr_assert_str_eq(wrong((struct checkpoint_result){.stage = CHECKPOINT_VERIFY, .path = "a/b", .error = ENOENT}),
                     "cannot verify what is there: a/b: no such file or directory");
}
