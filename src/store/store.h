/* store/store.h: the store of one [checkpoint]: a directory of checkpoints, each whole or not there.
 *
 *     DIR/lock                      flock(2): who writes, cleans or restores holds it
 *     DIR/latest                    a symbolic link to the newest, moved by rename(2)
 *     DIR/000042-20261121T031500Z/  a checkpoint: manifest.json, and data/ as the command left it
 *     DIR/.new-…  .old-…  .latest-… an attempt, one being removed, a link to be: leftovers after a crash
 *     DIR/last-stop.json            the report of the last run's stop, for the next one
 *     DIR/damaged-000041-…/         set aside: it did not agree with its manifest
 *
 * The number before the dash orders checkpoints; clocks may go back. A checkpoint counts as taken once it
 * has its name, and all that it holds, the directory and then `latest` have been synced: what was reported
 * as taken is found by the next store_latest() whatever happens in between (promise 6).
 *
 * Everything here may block (a dead server's volume, a large file): it runs in children of PID 1, or in
 * a verb, never in PID 1. A child that gets KILL at any instant leaves the old checkpoint or the new one,
 * whole. No heap: the largest room needed is in struct store.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/checkpoint.h"

/* One store, opened. Large (buffers for paths and hashing): static, not on a stack. */
struct store;
extern struct store store_room;   /* the process's one: each child and verb works on a single store */

/* What the manifest says about where a checkpoint comes from. Texts are NUL-ended, control bytes are escaped. */
struct store_label { const char *name, *host, *cause; bool hash; const char *time; /* NULL: when the attempt began */ };

/* Opens (mode 0700, made with its parents if `make`) the directory, and takes the lock; waits for it while
 * another holds it, having said CHECKPOINT_LOCK in `result` as the stage it is at. Leftovers are removed then.
 * false: result says stage and errno. */
bool store_open(struct store *store, const char *dir, bool make, struct checkpoint_result *result);

/* A fresh private directory for an attempt: result->path is the directory for the command's files. */
bool store_begin(struct store *store, struct checkpoint_result *result);

/* Between them the attempt goes on without the lock, so that nobody has to wait for whoever fills it. It will be the
 * newest all the same. false: result says why; the attempt is to be abandoned. */
void store_lend(struct store *store);
bool store_take_back(struct store *store, struct checkpoint_result *result);

/* The command has exited 0: manifest, sync, rename, latest, prune to `keep` last. On true the checkpoint is on disk
 * and result has its id, path, files and bytes; it says so, with CHECKPOINT_OK, before older ones are removed. On
 * false nothing has changed but that the attempt is gone or left over. An empty directory is refused
 * (CHECKPOINT_EMPTY), so are sockets, devices, FIFOs, mounts, links that leave the directory (CHECKPOINT_REFUSED),
 * and files that change while they are read (CHECKPOINT_CHANGED). */
bool store_commit(struct store *store, const struct store_label *label, uint16_t keep, struct checkpoint_result *result);

/* Removes the attempt, as far as that is possible. */
void store_abandon(struct store *store);

/* The newest checkpoint that agrees with its manifest: result->id, path (its data/), files, bytes. Newer ones that
 * do not are set aside (result->damaged counts them, result->damaged_id names the newest); `latest` is made to
 * name what was found. true with an empty id: there is none. false: could not look; result says why. */
bool store_latest(struct store *store, struct checkpoint_result *result);

/* ---- without the lock ---- */

/* Nothing is removed or set aside, and nothing made but the directory, if `make`. false as for store_open. */
bool store_open_to_look(struct store *store, const char *dir, bool make, struct checkpoint_result *result);

/* What the run before has kept: so many bytes of it; 0: nothing. And what the next one shall find. */
size_t store_record(struct store *store, char *text, size_t room);
bool store_keep_record(struct store *store, const char *text, size_t n);

/* ---- for verbs: what is there ---- */

struct manifest_head;

/* The newest checkpoint with a number below *below, which becomes its number; UINT64_MAX to begin with. */
bool store_next(struct store *store, uint64_t *below, char id[static CHECKPOINT_ID]);
/* The same among those that were set aside. */
/* store_next() ended because there are no more, and not because the directory could not be read: result then says so. */
bool store_was_read(const struct store *store, struct checkpoint_result *result);
bool store_next_damaged(struct store *store, uint64_t *below, char id[static CHECKPOINT_ID]);

/* Opens a checkpoint, and holds it with a shared lock: no other process removes it until the next call or the end.
 * sealed_next(store_manifest()) then gives its entries, store_files() is their directory; `head` is good until the
 * first entry. false: result says why; error 0: its manifest is none. */
bool store_pick(struct store *store, const char *id, struct manifest_head *head, struct checkpoint_result *result);
/* The checkpoint itself is at fault, not what we may or can do just now. */
bool store_is_damage(int error);
struct sealed *store_manifest(struct store *store);   /* store/sealed.h */
int store_files(const struct store *store);

/* Compares a checkpoint with its manifest. false: path and errno, 0: other bytes, or one too many. */
bool store_verify(struct store *store, const char *id, struct checkpoint_result *result);

/* Gives the lock back. */
void store_close(struct store *store);

#endif
