/* Power fails: what could then be on the disk is made, and the store is asked for its latest.
 *
 *     power DIR [CHOICES [SEED]]
 *
 * A few checkpoints are taken, and all that changes anything is recorded. For each place at which the power may fail
 * the rules say what survives of what was done before it:
 *
 *   POSIX  What fsync(2) has been called for on a file or directory survives, of a file its bytes, of a directory
 *          its names; after syncfs(2) everything does. Of what came later each change may survive or not,
 *          independently of all others: in any order, and of a write only the first bytes. A rename within one
 *          directory is one change.
 *   ext4   (data=ordered) Names change in the order in which they were changed, and each fsync(2) brings all earlier
 *          changes of names along. Bytes of a file that was not synced are there, or not, or in part.
 *
 * The first is tried with nothing, everything, all but each one, each one alone, and with CHOICES random choices; the
 * second with every place in the order. Then the latest checkpoint is the one that was reported, or the one that was
 * being taken, byte for byte; no other is there in part, and the next one can be taken.
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

enum { OPS = 8192, NODES = 2048, MANY = 70 /* files: more than are synced one by one */ };

static const char *base;
static int base_fd;
static struct checkpoint_result result;
static uint32_t reported;
static unsigned long n_states;
static uint64_t state = 88172645463325252u;

static uint32_t rnd(uint32_t below) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (uint32_t)(state >> 33) % below;
}

/* ---- what happens ---- */

static uint32_t number_of(const char *id) { return (uint32_t)strtoul(id, NULL, 10); }

static uint32_t said(void) {
    if (seam_recording && result.stage == CHECKPOINT_OK && number_of(result.id) > reported)
        reported = number_of(result.id);
    return reported;
}

static uint32_t files_of(uint32_t number) { return number % 3 == 2 ? MANY : 3; }

static size_t content(uint32_t number, uint32_t file, char *text) {
    return (size_t)sprintf(text, "%u of checkpoint %u %*u", file, number, 1 + (int)(file % 7) * 5, number);
}

/* Every other file is in a directory. */
static int place_of(int dir, uint32_t file, char name[static 24]) {
    snprintf(name, 24, "f%u", file);
    return openat(dir, file % 2 ? "d" : ".", O_RDONLY | O_DIRECTORY);
}

/* The number of the attempt that result.path is in. */
static uint32_t attempt(void) { return number_of(strstr(result.path, "/.new-") + 6); }

static void fill(void) {
    char text[200], name[24];
    int dir = open(result.path, O_RDONLY | O_DIRECTORY);
    mkdirat(dir, "d", 0700);
    for (uint32_t i = 0; i < files_of(attempt()); i++) {
        int in = place_of(dir, i, name), fd = openat(in, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        size_t n = content(attempt(), i, text);
        if (write(fd, text, n / 2) < 0 || write(fd, text + n / 2, n - n / 2) < 0)
            exit(3);
        close(fd);
        close(in);
    }
    if (symlinkat("f0", dir, "link") != 0)
        exit(3);
    close(dir);
}

static bool take(const char *dir, uint16_t keep, bool commit) {
    static const struct store_label label = {"n", "h", "c", true, NULL};
    if (!store_open(&store_room, dir, true, &result) || !store_begin(&store_room, &result))
        return false;
    fill();
    bool good = commit && store_commit(&store_room, &label, keep, &result);
    said();
    if (!commit)
        store_abandon(&store_room);
    store_close(&store_room);
    return good;
}

/* ---- the disk ---- */

struct node { ino_t ino; bool dir, link; const char *target; };
struct name { ino_t dir, ino; char name[300]; bool there; };

static struct node nodes[NODES];
static struct name names[OPS];
static size_t n_nodes, n_names;
static bool kept[OPS];             /* whether an operation survives */
static size_t torn[OPS];           /* of a write: its bytes that do */

static void add_node(const struct op *op) {
    nodes[n_nodes++] = (struct node){op->ino, op->kind == OP_MKDIR, op->kind == OP_SYMLINK, op->to};
}

static void put_name(ino_t dir, const char *name, ino_t ino) {
    for (size_t i = 0; i < n_names; i++)
        if (names[i].dir == dir && strcmp(names[i].name, name) == 0)
            names[i].there = false;
    if (ino == 0)
        return;
    names[n_names] = (struct name){.dir = dir, .ino = ino, .there = true};
    strcpy(names[n_names++].name, name);
}

static void drop_name(ino_t dir, const char *name, ino_t ino) {
    for (size_t i = 0; i < n_names; i++)
        if (names[i].dir == dir && names[i].ino == ino && strcmp(names[i].name, name) == 0)
            names[i].there = false;
}

/* The names after the first n operations, of those that survive. */
static void replay(size_t n) {
    n_nodes = n_names = 0;
    for (size_t i = 0; i < n; i++) {
        const struct op *op = &seam_ops[i];
        if (op->kind == OP_MKDIR || op->kind == OP_CREATE || op->kind == OP_SYMLINK) {
            add_node(op);
            if (kept[i])
                put_name(op->dir, op->name, op->ino);
        } else if (op->kind == OP_RENAME && kept[i]) {
            drop_name(op->dir, op->name, op->ino);
            put_name(op->to_dir, op->to, op->ino);
        } else if ((op->kind == OP_UNLINK || op->kind == OP_RMDIR) && kept[i]) {
            drop_name(op->dir, op->name, op->ino);
        }
    }
}

static const struct node *node_of(ino_t ino) {
    for (size_t i = 0; i < n_nodes; i++)
        if (nodes[i].ino == ino)
            return &nodes[i];
    return NULL;
}

static void make_file(int dir, const char *name, ino_t ino, size_t n) {
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    for (size_t i = 0; i < n; i++)
        if (seam_ops[i].kind == OP_WRITE && seam_ops[i].ino == ino && kept[i])
            if (pwrite(fd, seam_ops[i].bytes, torn[i], (off_t)seam_ops[i].at) < 0)
                exit(3);
    close(fd);
}

static void make_dir(int dir, ino_t ino, size_t n) {
    for (size_t i = 0; i < n_names; i++) {
        const struct name *at = &names[i];
        const struct node *node = node_of(at->ino);
        if (!at->there || at->dir != ino || node == NULL)
            continue;
        if (node->link) {
            if (symlinkat(node->target, dir, at->name) != 0)
                exit(3);
        } else if (!node->dir) {
            make_file(dir, at->name, at->ino, n);
        } else if (mkdirat(dir, at->name, 0700) == 0) {
            int fd = openat(dir, at->name, O_RDONLY | O_DIRECTORY);
            make_dir(fd, at->ino, n);
            close(fd);
        }
    }
}

/* ---- what must hold ---- */

static uint32_t least(size_t n) { return n < seam_n ? seam_ops[n].said : reported; }

static void wrong(const char *what, size_t n, const char *rules) {
    printf("power lost after %zu of %zu operations (%s): %s; latest %s, reported %u\n", n, seam_n, rules, what, result.id,
           least(n));
    exit(1);
}

static bool is_content(uint32_t number) {
    char want[200], got[300], name[24];
    int dir = open(result.path, O_RDONLY | O_DIRECTORY);
    bool good = dir >= 0;
    for (uint32_t i = 0; i < files_of(number) && good; i++) {
        int in = place_of(dir, i, name), fd = openat(in, name, O_RDONLY);
        size_t n = content(number, i, want);
        good = fd >= 0 && read(fd, got, sizeof got) == (ssize_t)n && memcmp(got, want, n) == 0;
        close(fd);
        close(in);
    }
    close(dir);
    return good;
}

/* Who follows `latest` without asking finds one; and whatever has a checkpoint's name is whole. */
static void all_whole(const char *dir, size_t n, const char *rules) {
    struct checkpoint_result look = {0};
    char path[400], id[CHECKPOINT_ID];
    uint64_t below = UINT64_MAX;
    struct stat stat;
    snprintf(path, sizeof path, "%s/latest", dir);
    bool there = lstat(path, &stat) == 0;
    ssize_t bytes = readlink(path, id, sizeof id - 1);
    id[bytes > 0 ? bytes : 0] = 0;
    if (number_of(id) < least(n))
        wrong("latest has not moved", n, rules);
    strcat(path, "/manifest.json");
    if (there && lstat(path, &stat) != 0)
        wrong("latest names what is not there", n, rules);
    if (!store_open_to_look(&store_room, dir, false, &look))
        return;
    while (store_next(&store_room, &below, id))
        if (!store_verify(&store_room, id, &look))
            wrong("one is there in part", n, rules);
    store_close(&store_room);
}

/* What the first n operations leave, by the choice in kept[] and torn[]. */
static void try(size_t n, ino_t top, const char *rules) {
    char dir[300];
    n_states++;
    if (mkdirat(base_fd, "after", 0700) != 0)
        exit(3);
    int fd = openat(base_fd, "after", O_RDONLY | O_DIRECTORY);
    replay(n);
    make_dir(fd, top, n);
    close(fd);
    snprintf(dir, sizeof dir, "%s/after/a/store", base);
    memset(&result, 0, sizeof result);
    all_whole(dir, n, rules);
    if (!store_open(&store_room, dir, true, &result) || !store_latest(&store_room, &result))
        wrong("cannot look", n, rules);
    store_close(&store_room);
    uint32_t found = number_of(result.id);
    if (found < least(n) || found > least(n) + 2)
        wrong("not the one that was reported", n, rules);
    if (found != 0 && !is_content(found))
        wrong("other bytes", n, rules);
    if (!take(dir, 1, true) || !is_content(number_of(result.id)) || number_of(result.id) <= found)
        wrong("the next one cannot be taken", n, rules);
    if (tree_remove(base_fd, "after") != 0)
        wrong("it stays", n, rules);
}

static bool names_it(const struct op *op) { return op->kind != OP_WRITE && op->kind != OP_FSYNC && op->kind != OP_SYNCFS; }

/* ---- POSIX ---- */

static bool synced(size_t at, size_t n) {
    const struct op *op = &seam_ops[at];
    for (size_t i = at + 1; i < n; i++) {
        if (seam_ops[i].kind == OP_SYNCFS)
            return true;
        if (seam_ops[i].kind == OP_FSYNC &&
            (op->kind == OP_WRITE ? seam_ops[i].ino == op->ino : seam_ops[i].ino == op->dir || seam_ops[i].ino == op->to_dir))
            return true;
    }
    return false;
}

/* Where everything survives: what is free to go is listed. */
static size_t start(size_t n, size_t *loose) {
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        kept[i] = true;
        torn[i] = seam_ops[i].n;
        if ((names_it(&seam_ops[i]) || seam_ops[i].kind == OP_WRITE) && !synced(i, n))
            loose[m++] = i;
    }
    return m;
}

/* Each one, or of very many some. */
static size_t next_one(size_t one, size_t m) { return one + 1 + (m > 24 ? rnd((uint32_t)m / 8) : 0); }

static void posix(size_t n, ino_t top, unsigned choices) {
    static size_t loose[OPS];
    size_t m = start(n, loose);
    try(n, top, "POSIX, all");
    for (size_t one = 0; one < m && m > 1; one = next_one(one, m)) {
        kept[loose[one]] = false;
        try(n, top, "POSIX, all but one");
        kept[loose[one]] = true;
    }
    for (size_t one = 0; one <= m && m > 0; one = next_one(one, m)) {
        for (size_t i = 0; i < m; i++)
            kept[loose[i]] = i == one;
        try(n, top, "POSIX, one or none");
    }
    for (unsigned i = 0; i < choices && m > 1; i++) {
        uint32_t chance = 1 + rnd(4);
        for (size_t j = 0; j < m; j++) {
            kept[loose[j]] = rnd(5) < chance;
            torn[loose[j]] = rnd(3) ? seam_ops[loose[j]].n : rnd((uint32_t)seam_ops[loose[j]].n + 1);
        }
        try(n, top, "POSIX, a choice");
    }
}

/* ---- ext4 ---- */

static bool bytes_synced(size_t at, size_t n) {
    for (size_t i = at + 1; i < n; i++)
        if (seam_ops[i].kind == OP_SYNCFS || (seam_ops[i].kind == OP_FSYNC && seam_ops[i].ino == seam_ops[at].ino))
            return true;
    return false;
}

static void ext4(size_t n, ino_t top) {
    size_t last = 0;
    for (size_t i = 0; i < n; i++)
        if (seam_ops[i].kind == OP_FSYNC || seam_ops[i].kind == OP_SYNCFS)
            last = i;
    for (size_t end = last; end <= n; end++) {
        if (end > last && end < n && !names_it(&seam_ops[end - 1]))
            continue;
        for (int bytes = 0; bytes < 3; bytes++) {
            for (size_t i = 0; i < n; i++) {
                bool loose = seam_ops[i].kind == OP_WRITE && !bytes_synced(i, n);
                kept[i] = seam_ops[i].kind == OP_WRITE ? !loose || bytes > 0 : i < end;
                torn[i] = loose && bytes == 1 ? seam_ops[i].n / 2 : seam_ops[i].n;
            }
            try(n, top, "ext4");
        }
    }
}

/* Among the many files of a command: one place is like the other. */
static bool in_a_row(size_t n) {
    if (n < 2 || n + 6 > seam_n)
        return false;
    for (size_t i = n - 2; i < n + 6; i++)
        if (seam_ops[i].kind != OP_WRITE && seam_ops[i].kind != OP_CREATE && seam_ops[i].kind != OP_UNLINK)
            return false;
    return true;
}

int main(int argc, char **argv) {
    char dir[300];
    struct stat top;
    unsigned choices = argc > 2 ? (unsigned)atoi(argv[2]) : 20;
    if (argc < 2)
        return 2;
    state ^= argc > 3 ? strtoull(argv[3], NULL, 10) * 0x9e3779b97f4a7c15u : 0;
    base = argv[1];
    base_fd = open(base, O_RDONLY | O_DIRECTORY);
    snprintf(dir, sizeof dir, "%s/before/a/store", base);
    if (mkdirat(base_fd, "before", 0700) != 0 || fstatat(base_fd, "before", &top, 0) != 0)
        return 3;
    seam_said = said;
    seam_recording = true;
    for (int i = 1; i <= 5; i++)
        if (!take(dir, i < 3 ? 3 : 1, i != 4) && i != 4)
            return 3;
    seam_recording = false;
    if (seam_n > OPS)
        return 3;
    for (size_t n = 0; n <= seam_n; n++) {
        if (in_a_row(n) && n % 16 != 0)
            continue;
        posix(n, top.st_ino, choices);
        ext4(n, top.st_ino);
    }
    printf("power: lost at each of %zu operations, %lu states of the disk, nothing that was reported lost\n", seam_n,
           n_states);
    return tree_remove(base_fd, "before") != 0;
}
