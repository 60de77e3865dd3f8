/* model/checkpoint.h: what a child that saves or restores tells PID 1, in memory that both map.
 *
 * One record a checkpoint, shared and anonymous; the child alone writes while it runs, PID 1 reads after it has
 * reaped it. Texts are fixed and NUL-ended. Programs that are exec'd do not have the mapping.
 */
#ifndef MODEL_CHECKPOINT_H
#define MODEL_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

enum { CHECKPOINT_ID = 32, CHECKPOINT_PATH = 256 };

/* How far it came; with error 0 what was wrong is said by the stage alone. */
enum checkpoint_stage {
    CHECKPOINT_OK,
    CHECKPOINT_OPEN,      /* making or opening the store; path */
    CHECKPOINT_LOCK,      /* another writes to this store; while it waits, and when it was ended waiting */
    CHECKPOINT_CLEAN,     /* removing leftovers; path */
    CHECKPOINT_BEGIN,     /* making the attempt's directory */
    CHECKPOINT_GATE,      /* only-if could not be run */
    CHECKPOINT_COMMAND,   /* the command runs, or ended other than by exit 0 */
    CHECKPOINT_EMPTY,     /* it exited 0 and left nothing */
    CHECKPOINT_REFUSED,   /* a socket, device, FIFO, or a link that leaves the directory, too deep, too long; path */
    CHECKPOINT_CHANGED,   /* a file changed or went while it was read; path */
    CHECKPOINT_READ,      /* reading a file or directory; path */
    CHECKPOINT_MANIFEST,  /* writing the manifest */
    CHECKPOINT_SYNC,      /* syncing; path */
    CHECKPOINT_RENAME,    /* giving it its name */
    CHECKPOINT_LATEST,    /* moving `latest` */
    CHECKPOINT_VERIFY,    /* looking for the newest whole one; path */
    CHECKPOINT_STAGES,
};

struct checkpoint_result {
    uint8_t stage;                 /* enum checkpoint_stage */
    bool skipped;                  /* restore: restore-if-missing exists, or only-if said no; path */
    bool volatile_store;           /* the store is on tmpfs or an overlay: gone with the container */
    uint16_t damaged;              /* set aside */
    int32_t error;                 /* errno, 0: none */
    uint64_t files, bytes;         /* of regular files */
    char id[CHECKPOINT_ID];        /* "000042-20261121T031500Z"; empty: none */
    char damaged_id[CHECKPOINT_ID];
    char path[CHECKPOINT_PATH];    /* absolute for begin, commit and latest; else within the checkpoint; cut at its end */
};

#endif
