/* The store by command, for the tests: driver DIR COMMAND...
 *
 *     begin | commit | abandon | latest | verify ID | pick ID | look | close | open | make
 *     file PATH BYTES     a file of the attempt, of that many bytes (made of its path and the seed)
 *     sh COMMAND          a shell in the attempt's directory
 *     keep N | hash 0 | cause TEXT
 *     took                what the command before took: microseconds, and kilobytes of memory at most until then
 *
 * Each prints one line: the command, "ok" or "failed", stage, errno, and what else the result holds.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store/sealed.h"
#include "store/store.h"

static struct checkpoint_result result;
static struct store_label label = {"jobs", "host", "test", true, NULL};
static char files[CHECKPOINT_PATH];
static uint16_t keep = 3;

static const char *const stages[CHECKPOINT_STAGES] = {
    [CHECKPOINT_OK] = "ok", [CHECKPOINT_OPEN] = "open", [CHECKPOINT_LOCK] = "lock", [CHECKPOINT_CLEAN] = "clean",
    [CHECKPOINT_BEGIN] = "begin", [CHECKPOINT_GATE] = "gate", [CHECKPOINT_COMMAND] = "command",
    [CHECKPOINT_EMPTY] = "empty", [CHECKPOINT_REFUSED] = "refused", [CHECKPOINT_CHANGED] = "changed",
    [CHECKPOINT_READ] = "read", [CHECKPOINT_MANIFEST] = "manifest", [CHECKPOINT_SYNC] = "sync",
    [CHECKPOINT_RENAME] = "rename", [CHECKPOINT_LATEST] = "latest", [CHECKPOINT_VERIFY] = "verify",
};

static void say(const char *command, bool good) {
    printf("%s %s stage=%s errno=%d id=%s files=%llu bytes=%llu damaged=%u damaged_id=%s volatile=%d path=%s\n", command,
           good ? "ok" : "failed", stages[result.stage], result.error, result.id, (unsigned long long)result.files,
           (unsigned long long)result.bytes, result.damaged, result.damaged_id, result.volatile_store, result.path);
    fflush(stdout);
}

static void make_file(const char *path, size_t bytes) {
    static char text[251 * 256];
    int dir = open(files, O_RDONLY | O_DIRECTORY);
    int fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0)
        perror(path), exit(3);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(path[i % strlen(path)] + i / 251);
    for (size_t n; bytes > 0; bytes -= n) {
        n = bytes < sizeof text ? bytes : sizeof text;
        if (write(fd, text, n) != (ssize_t)n)
            perror(path), exit(3);
    }
    close(fd);
    close(dir);
}

static void shell(const char *command) {
    pid_t child = fork();
    int status;
    if (child == 0) {
        if (chdir(files) == 0)
            execl("/bin/sh", "sh", "-c", command, NULL);
        _exit(127);
    }
    waitpid(child, &status, 0);
    if (status != 0)
        exit(4);
}

static int64_t now_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000ll + time.tv_nsec / 1000;
}

static int64_t began, ended;

static void took(void) {
    char status[4096] = "";   /* getrusage(2) would count what was there before the exec */
    int fd = open("/proc/self/status", O_RDONLY);
    ssize_t n = read(fd, status, sizeof status - 1);
    close(fd);
    const char *peak = n > 0 ? strstr(status, "VmHWM:") : NULL;
    printf("took %lld us, %d kB\n", (long long)(ended - began), peak != NULL ? atoi(peak + 6) : -1);
}

static bool list(struct store *store) {
    char id[CHECKPOINT_ID];
    uint64_t below = UINT64_MAX;
    while (store_next(store, &below, id))
        printf("has %s\n", id);
    return true;
}

static bool entries(struct store *store, const char *id) {
    static const char *const types[] = {"file", "dir", "link"};
    struct manifest_head head;
    if (!store_pick(store, id, &head, &result))
        return false;
    printf("head %s %s %s %s %s\n", head.name, head.id, head.host, head.cause, head.time);
    struct sealed *sealed = store_manifest(store);
    while (sealed_next(sealed))
        printf("entry %s %s %llu %o %s\n", types[sealed->entry.type], sealed->entry.path,
               (unsigned long long)sealed->entry.size, sealed->entry.mode,
               sealed->entry.target != NULL ? sealed->entry.target : "");
    return sealed->ended;
}

int main(int argc, char **argv) {
    struct store *store = &store_room;
    bool good = true;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 2; i < argc; i++) {
        const char *what = argv[i];
        if (strcmp(what, "took") != 0)
            began = now_us();
        if (strcmp(what, "make") == 0 || strcmp(what, "open") == 0)
            good = store_open(store, argv[1], what[0] == 'm', &result);
        else if (strcmp(what, "look") == 0)
            good = store_open_to_look(store, argv[1], false, &result);
        else if (strcmp(what, "begin") == 0)
            good = store_begin(store, &result), snprintf(files, sizeof files, "%s", result.path);
        else if (strcmp(what, "commit") == 0)
            good = store_commit(store, &label, keep, &result);
        else if (strcmp(what, "latest") == 0)
            good = store_latest(store, &result);
        else if (strcmp(what, "list") == 0)
            good = list(store);
        else if (strcmp(what, "verify") == 0)
            good = store_verify(store, argv[++i], &result);
        else if (strcmp(what, "pick") == 0)
            good = entries(store, argv[++i]);
        else if (strcmp(what, "abandon") == 0)
            store_abandon(store);
        else if (strcmp(what, "close") == 0)
            store_close(store);
        else if (strcmp(what, "took") == 0)
            took();
        else if (strcmp(what, "keep") == 0)
            keep = (uint16_t)atoi(argv[++i]);
        else if (strcmp(what, "hash") == 0)
            label.hash = atoi(argv[++i]);
        else if (strcmp(what, "cause") == 0)
            label.cause = argv[++i];
        else if (strcmp(what, "sh") == 0)
            shell(argv[++i]);
        else if (strcmp(what, "file") == 0)
            make_file(argv[i + 1], (size_t)atoll(argv[i + 2])), i += 2;
        else
            return 2;
        if (strcmp(what, "took") != 0)
            ended = now_us();
        say(what, good);
        if (!good)
            return 1;
    }
    return 0;
}
