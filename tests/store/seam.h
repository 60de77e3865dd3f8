/* Between the store and the system: every call that changes something comes by here (the linker's --wrap). It can be
 * counted, made to fail, be the last one before a crash, and be recorded. */
#ifndef STORE_SEAM_H
#define STORE_SEAM_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The rest of the program: what it does itself is no business of the store. */
extern int seam_left;          /* calls before a crash or an error; -1: neither */
extern int seam_error;         /* errno of the call that fails, once; 0: a crash */
extern jmp_buf seam_crash;     /* where a crash goes: as a KILL would leave it, but that descriptors are still open */
extern bool seam_failed;       /* the error has been given */

enum op_kind { OP_MKDIR, OP_CREATE, OP_SYMLINK, OP_WRITE, OP_RENAME, OP_UNLINK, OP_RMDIR, OP_FSYNC, OP_SYNCFS };

/* Files are known by their inode's number. */
struct op {
    enum op_kind kind;
    ino_t dir, ino;            /* what it is done to, in which directory */
    ino_t to_dir;              /* of a rename */
    char name[300], to[300];   /* to: of a rename, or a link's target */
    char *bytes;               /* OP_WRITE */
    size_t at, n;
    uint32_t said;             /* what seam_said() gave before it */
};
extern struct op *seam_ops;    /* recorded while seam_recording */
extern size_t seam_n;
extern bool seam_recording;
extern uint32_t (*seam_said)(void);

void seam_close_all(void);     /* every descriptor above 2: what a process's end does */

#endif
