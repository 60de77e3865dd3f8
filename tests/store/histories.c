/* Random histories of one store: checkpoints, crashes, errors, damage, pruning and restores, against a model.
 *
 *     histories DIR [HISTORIES [SEED]]
 *
 * The model: of which bytes each number's checkpoint was made, and whether it has been damaged since.
 * Whatever happens, a restore finds the newest that was reported as taken and has not been damaged, byte for byte.
 * A crash (or an error) strikes at any call that the store makes to the system.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seam.h"
#include "store/store.h"
#include "store/tree.h"

enum { MOST = 64, STEPS = 12, FILES = 4 };

/* What is known of a number. Only the newest `keep` are sure to be there; an older one may be. */
struct known { bool taken, maybe, damaged; uint32_t seed; bool hash; };

static struct known known[MOST];
static uint32_t top;                 /* the largest number that was ever begun */
static uint64_t seed, state;
static const char *base;
static char dir[200], said[4000];
static struct checkpoint_result result;
static unsigned long n_taken, n_crashes, n_errors, n_damaged, n_restored, n_forward;

static uint32_t rnd(uint32_t below) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (uint32_t)(state >> 33) % below;
}

static void tell(const char *what, int64_t number) {
    size_t n = strlen(said);
    snprintf(said + n, sizeof said - n, "  %s %lld\n", what, (long long)number);
}

static void wrong(const char *what) {
    printf("history %llu: %s\n%sstage %d errno %d id %s path %s\n", (unsigned long long)seed, what, said, result.stage,
           result.error, result.id, result.path);
    exit(1);
}

/* ---- what a checkpoint is made of ---- */

static size_t content(uint32_t of, uint32_t file, char *bytes) {
    uint32_t x = of * 2654435761u + file * 40503u + 1;
    size_t n = x % 200;
    for (size_t i = 0; i < n; i++)
        x = x * 1664525 + 1013904223, bytes[i] = (char)(x >> 24);
    return n;
}

static void file_name(uint32_t file, char name[static 24]) { snprintf(name, 24, file % 2 ? "d/f%u" : "f%u", file); }

static void fill(uint32_t of) {
    char bytes[256], name[24], path[400];
    int left = seam_left;
    seam_left = -1;
    snprintf(path, sizeof path, "%s/d", result.path);
    mkdir(path, 0700);
    for (uint32_t i = 0; i < FILES; i++) {
        size_t n = content(of, i, bytes);
        file_name(i, name);
        snprintf(path, sizeof path, "%s/%s", result.path, name);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
            wrong("cannot fill");
        close(fd);
    }
    seam_left = left;
}

static bool is_content(const char *at, uint32_t of) {
    char bytes[256], got[300], name[24], path[400];
    for (uint32_t i = 0; i < FILES; i++) {
        size_t n = content(of, i, bytes);
        file_name(i, name);
        snprintf(path, sizeof path, "%s/%s", at, name);
        int fd = open(path, O_RDONLY);
        ssize_t m = fd < 0 ? -1 : read(fd, got, sizeof got);
        close(fd);
        if (m != (ssize_t)n || memcmp(got, bytes, n) != 0)
            return false;
    }
    return true;
}

/* ---- what happens ---- */

/* true: it was cut short by a crash. */
static bool crashed(bool (*act)(void), bool *good) {
    if (setjmp(seam_crash) != 0) {
        n_crashes++;
        tell("crash", 0);
        seam_close_all();
        return true;
    }
    *good = act();
    seam_left = -1;
    store_close(&store_room);
    return false;
}

static uint32_t number_of(const char *id) { return (uint32_t)strtoul(id, NULL, 10); }

static uint16_t keep;
static bool hash;
static uint32_t fresh, begun;

static bool checkpoint(void) {
    static const struct store_label label[2] = {{"n", "h", "c", false, NULL}, {"n", "h", "c", true, NULL}};
    if (!store_open(&store_room, dir, true, &result) || !store_begin(&store_room, &result))
        return false;
    begun = number_of(strrchr(result.path, '/') - 23);
    fill(fresh);
    return store_commit(&store_room, &label[hash], keep, &result);
}

/* The newest that has to be there; 0: none. */
static uint32_t newest_sure(void) {
    for (uint32_t i = top; i > 0; i--)
        if (known[i].taken && !known[i].damaged)
            return i;
    return 0;
}

static void taken(uint32_t number) {
    if (number != begun || number <= newest_sure())
        wrong("not a new number");
    n_taken++;
    top = number;
    known[top] = (struct known){.taken = true, .seed = fresh, .hash = hash};
    uint32_t sure = 0;
    for (uint32_t i = top + 1; i-- > 0;)
        if (known[i].taken && ++sure > keep)
            known[i].taken = false, known[i].maybe = true;
}

/* It has its name. After a crash it may, and is then as good as one that was reported. */
static bool has(uint32_t number) {
    struct checkpoint_result look = {0};
    uint64_t below = (uint64_t)number + 1;
    char id[CHECKPOINT_ID];
    if (number == 0 || !store_open_to_look(&store_room, dir, false, &look))
        return false;
    bool is = store_next(&store_room, &below, id) && below == number;
    store_close(&store_room);
    return is;
}

static void do_checkpoint(void) {
    bool good = false;
    keep = (uint16_t)(1 + rnd(3));
    hash = rnd(4) != 0;
    fresh = (uint32_t)state;
    begun = 0;
    memset(&result, 0, sizeof result);
    tell("checkpoint, keep", keep);
    bool cut = crashed(checkpoint, &good);
    if (!cut && !good && has(begun))
        wrong("it failed, and is there");
    n_errors += seam_failed;
    n_forward += cut && result.stage != CHECKPOINT_OK && has(begun);
    if (cut ? has(begun) : good)
        taken(begun);
    else if (cut && result.stage == CHECKPOINT_OK && result.id[0] != 0)
        wrong("taken, and not there");
    if (!cut && !good && !seam_failed)
        wrong("a checkpoint failed for nothing");
    tell(cut ? "cut" : good ? "taken" : "failed", top);
}

static bool restore(void) { return store_open(&store_room, dir, true, &result) && store_latest(&store_room, &result); }

static void found(void) {
    uint32_t sure = newest_sure(), number = number_of(result.id);
    char path[300];
    n_restored++;
    tell("restored", number);
    if (number < sure || number > top)
        wrong("not the newest");
    if (number == 0)
        return;
    if (known[number].damaged || !(known[number].taken || known[number].maybe))
        wrong("one that cannot be");
    if (!is_content(result.path, known[number].seed))
        wrong("other bytes");
    snprintf(path, sizeof path, "%s/latest/data", dir);
    if (!is_content(path, known[number].seed))
        wrong("latest names another");
    known[number].taken = true;   /* who has been restored from is as good as reported */
    for (uint32_t i = number + 1; i <= top; i++)
        known[i].taken = known[i].maybe = false;   /* set aside */
}

static void do_restore(void) {
    bool good = false;
    memset(&result, 0, sizeof result);
    tell("restore", 0);
    if (crashed(restore, &good))
        return;
    n_errors += seam_failed;
    if (!good && !seam_failed)
        wrong("a restore failed for nothing");
    if (good && !seam_failed)
        found();
}

/* Flip, cut short, or remove something of one that is there. */
static void do_damage(void) {
    char path[400], name[24], id[CHECKPOINT_ID];
    struct checkpoint_result look = {0};
    uint64_t below = UINT64_MAX;
    uint32_t number = 0, file = rnd(FILES + 1), how = rnd(3);
    struct stat stat;
    if (!store_open_to_look(&store_room, dir, false, &look))
        return;
    for (uint32_t n = rnd(3); store_next(&store_room, &below, id); n--)
        if ((number = (uint32_t)below, n) == 0)
            break;
    store_close(&store_room);
    if (number == 0 || id[0] == 0)
        return;
    file_name(file, name);
    snprintf(path, sizeof path, file == FILES ? "%s/%s/manifest.json" : "%s/%s/data/%s", dir, id, name);
    int fd = open(path, O_RDWR);
    if (fd < 0 || fstat(fd, &stat) != 0 || stat.st_size == 0 || (how == 0 && file < FILES && !known[number].hash)) {
        close(fd);
        return;
    }
    off_t at = (off_t)rnd((uint32_t)stat.st_size);
    char c;
    if (how == 0 && pread(fd, &c, 1, at) == 1 && (c ^= (char)(1 << rnd(8)), pwrite(fd, &c, 1, at) != 1))
        wrong("cannot damage");
    if (how == 1 && ftruncate(fd, at) != 0)
        wrong("cannot damage");
    if (how == 2)
        unlink(path);
    close(fd);
    n_damaged++;
    known[number].damaged = true;
    tell("damaged", number);
}

static void strike_later(void) {
    static const int errors[] = {EIO, ENOSPC, EROFS, EMFILE};
    uint32_t kind = rnd(3);
    seam_failed = false;
    seam_left = kind == 0 ? -1 : (int)rnd(rnd(2) ? 60 : 220);
    seam_error = kind == 1 ? 0 : errors[rnd(4)];
}

static void history(void) {
    state = seed * 0x9e3779b97f4a7c15u + 1;
    for (int i = 0; i < 8; i++)
        rnd(2);
    memset(known, 0, sizeof known);
    top = 0;
    said[0] = 0;
    for (uint32_t i = 0, n = 3 + rnd(STEPS); i < n; i++) {
        uint32_t what = rnd(10);
        strike_later();
        if (what < 6)
            do_checkpoint();
        else if (what < 8)
            do_restore();
        seam_left = -1;
        if (what >= 8)
            do_damage();
    }
    seam_failed = false;
    do_restore();
    int here = open(base, O_RDONLY | O_DIRECTORY);
    if (tree_remove(here, "store") != 0)
        wrong("it stays");
    close(here);
}

int main(int argc, char **argv) {
    unsigned long n = argc > 2 ? strtoul(argv[2], NULL, 10) : 10000;
    seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    if (argc < 2)
        return 2;
    base = argv[1];
    snprintf(dir, sizeof dir, "%s/store", base);
    for (unsigned long i = 0; i < n; i++, seed++)
        history();
    printf("store: %lu histories: %lu checkpoints, %lu crashes, %lu errors, %lu damaged; %lu restores (%lu rolled forward), "
           "none lost\n", n, n_taken, n_crashes, n_errors, n_damaged, n_restored, n_forward);
    return 0;
}
