#include "sys/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/pidfd.h"
#include "text/number.h"

enum { TICKS_PER_S = 100 }; /* of /proc, whatever the kernel's own are */

static char *put_text(char *at, const char *text) {
    size_t n = strlen(text);
    memcpy(at, text, n + 1);
    return at + n;
}

static char *put_number(char *at, uint64_t value) {
    char digits[20];
    size_t n = 0;
    do
        digits[n++] = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    while (n > 0)
        *at++ = digits[--n];
    *at = 0;
    return at;
}

static char *put_process(char *at, pid_t pid) {
    at = put_text(at, "/proc/");
    return pid == 0 ? put_text(at, "self") : put_number(at, (uint64_t)pid);
}

/* A /proc of another pid namespace numbers processes differently, and would name strangers: it counts
 * as none. (unshare --pid without a mount of its own is such a case.) */
static bool is_ours(void) {
    char text[24];
    ssize_t n = readlink("/proc/self", text, sizeof text);
    return n > 0 && number_parse(text, (size_t)n, INT32_MAX) == getpid();
}

static bool read_stat(pid_t pid, struct proc_stat *stat) {
    char path[48], text[512];
    put_text(put_process(path, pid), "/stat");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0)
        return false;
    text[n] = 0;
    return proc_stat_read(text, stat);
}

bool proc_stat(pid_t pid, struct proc_stat *stat) { return is_ours() && read_stat(pid, stat); }

bool proc_alive(struct proc_id id) {
    struct proc_stat stat;
    return proc_stat(id.pid, &stat) && stat.start == id.start && stat.state != 'Z' && stat.state != 'X';
}

struct listener { bool (*tell)(pid_t child, void *to); void *to; };

/* The kernel counts from the first child again at each read(2), and gives no more than a page: pages, then, lest many
 * children take the square of the time. False: the listener has heard enough. */
static bool children_of_task(pid_t pid, const char *task, const struct listener *listener) {
    char path[80], text[4096];
    int32_t pids[sizeof text / 2];
    struct proc_list children = {.into = pids, .room = sizeof pids / sizeof *pids};
    ssize_t n;
    bool more = true;
    char *at = put_text(put_process(path, pid), "/task/");
    put_text(put_text(at, task), "/children");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return true;
    for (; more && (n = read(fd, text, sizeof text)) > 0; children.n = 0) {
        proc_list_read(&children, text, (size_t)n);
        for (size_t i = 0; i < children.n && more; i++)
            more = listener->tell(pids[i], listener->to);
    }
    close(fd);
    return more;
}

/* getdents64(2) by hand: opendir(3) allocates. */
struct entry { uint64_t inode; int64_t offset; uint16_t bytes; uint8_t type; char name[]; };

static void each_child(pid_t pid, const struct listener *listener) {
    char path[48];
    _Alignas(8) char list[1024];
    put_text(put_process(path, pid), "/task");
    int fd = is_ours() ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    long n;
    bool more = true;
    while (more && (n = syscall(SYS_getdents64, fd, list, sizeof list)) > 0)
        for (long at = 0; at < n && more;) {
            const struct entry *entry = (const void *)(list + at);
            if (entry->name[0] >= '0' && entry->name[0] <= '9')
                more = children_of_task(pid, entry->name, listener);
            at += entry->bytes;
        }
    close(fd);
}

void proc_each_child(bool (*tell)(pid_t child, void *to), void *to) {
    each_child(0, &(struct listener){.tell = tell, .to = to});
}

struct pids { pid_t *v; size_t n, room; };

static bool keep_pid(pid_t child, void *to) {
    struct pids *pids = to;
    pids->v[pids->n++] = child;
    return pids->n < pids->room;
}

size_t proc_children(pid_t pid, pid_t *into, size_t room) {
    struct pids pids = {.v = into, .room = room};
    if (room > 0)
        each_child(pid, &(struct listener){.tell = keep_pid, .to = &pids});
    return pids.n;
}

bool proc_is_our_child(pid_t pid) {
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 && info.si_pid == 0;
}

static uint64_t tick_now(void) { return (uint64_t)(clock_boot().ns / (NS_PER_S / TICKS_PER_S)); }

size_t proc_children_of(struct proc_id parent, struct proc_id *into, size_t room) {
    pid_t pids[1024];
    uint64_t tick = tick_now(); /* first: whoever gets a pid after this has started in it, or later */
    size_t n = proc_children(parent.pid, pids, sizeof pids / sizeof *pids), added = 0;
    pid_t expected = parent.pid == 0 ? getpid() : parent.pid;
    for (size_t i = 0; i < n && added < room; i++) {
        struct proc_stat stat;
        if (read_stat(pids[i], &stat) && stat.parent == expected)
            into[added++] = (struct proc_id){
                .pid = pids[i], .young = parent.young || stat.start >= tick, .start = stat.start};
    }
    struct proc_stat again;
    if (added > 0 && parent.pid != 0 && !(read_stat(parent.pid, &again) && again.start == parent.start))
        return 0;
    return added;
}

size_t proc_descendants(struct proc_id *into, size_t n, size_t room) {
    for (size_t i = 0; i < n; i++)
        n += proc_children_of(into[i], into + n, room - n);
    return n;
}

static bool is_below_us(pid_t pid) {
    struct proc_stat stat;
    for (pid_t self = getpid(); pid > 0 && read_stat(pid, &stat); pid = stat.parent)
        if (stat.parent == self)
            return true;
    return false;
}

/* The pidfd pins the process first; its start time then says whether it is the one that is meant. */
int proc_signal(struct proc_id id, int sig) {
    struct proc_stat stat;
    int pidfd = pidfd_of(id.pid), result = ESRCH;
    if (pidfd < 0 && errno == ESRCH)
        return ESRCH;
    if (proc_stat(id.pid, &stat) && stat.start == id.start && (!id.young || is_below_us(id.pid))) {
        result = pidfd >= 0 ? pidfd_signal(pidfd, sig) : kill(id.pid, sig) == 0 ? 0 : errno;
        if (result == ENOSYS || result == EPERM) /* EPERM also from an old seccomp profile: ask again */
            result = kill(id.pid, sig) == 0 ? 0 : errno;
    }
    if (pidfd >= 0)
        close(pidfd);
    return result;
}
