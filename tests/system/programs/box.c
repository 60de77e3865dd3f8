/* box: starts one program in namespaces of its own and tells what became of it.
 *
 *   box --status FD [OPTIONS] -- PROGRAM [ARG...]
 *
 * --mode pid1   the program is PID 1 of fresh pid, mount, net and ipc namespaces
 * --mode sub    the same namespaces, but box's own child is PID 1, and the program an ordinary process
 * --mode host   no namespaces, but for a /run of its own
 *
 * Messages on the status socket (SOCK_SEQPACKET), in this order:
 *   pid PID INIT      pids as seen from outside (INIT: PID 1 of the namespaces; 0 in host mode)
 *   left PID COMM     (mode sub) alive in the pid namespace when the program had exited; PID as seen inside
 *   exit STATUS       the raw wait status of the program
 *   fail TEXT         the box could not be built
 * When the other end of the status socket is closed, box kills what it has started. */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <grp.h>
#include <unistd.h>

enum mode { MODE_PID1, MODE_SUB, MODE_HOST };

static struct options {
    int status_fd;
    enum mode mode;
    long uid, gid;
    int ro_root, no_proc, no_dev, drop_caps, no_new_privs, setsid, ctty;
    const char *run;            /* tmpfs, missing, keep */
    const char *newroot;        /* where a root without /run is put together */
    const char *termination_log;
    long nofile;
    uint64_t block, ignore;     /* bit n-1: signal n */
    unsigned close_fds;         /* bit n: descriptor n */
    int kill_when_child;        /* signal to send as soon as the program has a child */
} opt = { .status_fd = -1, .uid = -1, .gid = -1, .run = "tmpfs", .setsid = 1 };

static int host_proc;

static void say(const char *format, ...)
{
    char line[256];
    va_list ap;

    va_start(ap, format);
    int n = vsnprintf(line, sizeof line, format, ap);
    va_end(ap);
    send(opt.status_fd, line, (size_t)(n < (int)sizeof line ? n : (int)sizeof line - 1), MSG_NOSIGNAL);
}

static void must(int ok, const char *what)
{
    if (ok)
        return;
    say("fail %s: %s", what, strerror(errno));
    _exit(99);
}

static void loopback_up(void)
{
    struct ifreq request = { .ifr_name = "lo" };
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    must(s >= 0, "socket");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    must(ioctl(s, SIOCSIFFLAGS, &request) == 0, "loopback");
    close(s);
}

/* A root that has everything but /run: a tmpfs with every other entry of / bound into it. */
static void root_without_run(void)
{
    char from[512], to[512], target[512];
    struct dirent *e;
    struct stat st;
    DIR *d = opendir("/");

    must(d != NULL, "opendir /");
    must(mount("tmpfs", opt.newroot, "tmpfs", 0, "mode=755") == 0, "mount new root");
    while ((e = readdir(d))) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || !strcmp(e->d_name, "run"))
            continue;
        snprintf(from, sizeof from, "/%s", e->d_name);
        snprintf(to, sizeof to, "%s/%s", opt.newroot, e->d_name);
        if (lstat(from, &st) != 0)
            continue;
        if (S_ISLNK(st.st_mode)) {
            ssize_t n = readlink(from, target, sizeof target - 1);
            target[n > 0 ? n : 0] = 0;
            must(symlink(target, to) == 0, "symlink");
        } else if (S_ISDIR(st.st_mode)) {
            must(mkdir(to, 0755) == 0, "mkdir");
            must(mount(from, to, NULL, MS_BIND | MS_REC, NULL) == 0, "bind");
        }
    }
    closedir(d);
    must(chdir(opt.newroot) == 0, "chdir new root");
    must(syscall(SYS_pivot_root, ".", ".") == 0, "pivot_root");
    must(umount2(".", MNT_DETACH) == 0, "umount old root");
    must(chdir("/") == 0, "chdir /");
}

/* A /dev of its own, so that a termination log can be put there. */
static void own_dev(void)
{
    static const struct { const char *name; unsigned minor; } mem[] = {
        { "null", 3 }, { "zero", 5 }, { "full", 7 }, { "random", 8 }, { "urandom", 9 },
    };
    char path[64];

    umask(0);
    must(mount("/dev", "/mnt", NULL, MS_BIND | MS_REC, NULL) == 0, "bind /dev");
    must(mount("tmpfs", "/dev", "tmpfs", 0, "mode=755") == 0, "mount /dev");
    for (size_t i = 0; i < sizeof mem / sizeof *mem; i++) {
        snprintf(path, sizeof path, "/dev/%s", mem[i].name);
        must(mknod(path, S_IFCHR | 0666, makedev(1, mem[i].minor)) == 0, path);
        must(chmod(path, 0666) == 0, path);
    }
    must(mknod("/dev/tty", S_IFCHR | 0666, makedev(5, 0)) == 0, "/dev/tty");
    must(symlink("/proc/self/fd", "/dev/fd") == 0, "/dev/fd");
    must(mkdir("/dev/pts", 0755) == 0 && mkdir("/dev/shm", 01777) == 0, "mkdir /dev");
    mount("/mnt/pts", "/dev/pts", NULL, MS_BIND, NULL);
    must(umount2("/mnt", MNT_DETACH) == 0, "umount /mnt");
    must(close(open("/dev/termination-log", O_CREAT | O_WRONLY | O_CLOEXEC, 0666)) == 0, "termination log");
    must(mount(opt.termination_log, "/dev/termination-log", NULL, MS_BIND, NULL) == 0, "bind termination log");
    umask(022);
}

static void read_only_root(void)
{
    struct { uint64_t set, clear, propagation, userns; } attr = { .set = 1 /* MOUNT_ATTR_RDONLY */ };

    must(syscall(442 /* mount_setattr */, AT_FDCWD, "/", 0x8000 /* AT_RECURSIVE */, &attr, sizeof attr) == 0,
         "read-only root");
}

static void mounts(void)
{
    char cwd[512];

    must(getcwd(cwd, sizeof cwd) != NULL, "getcwd");
    if (!strcmp(opt.run, "missing"))
        root_without_run();
    if (opt.termination_log)
        own_dev();
    if (!strcmp(opt.run, "tmpfs"))
        must(mount("tmpfs", "/run", "tmpfs", 0, "mode=755") == 0, "mount /run");
    if (opt.ro_root)
        read_only_root();
    if (opt.no_dev)
        must(mount("tmpfs", "/dev", "tmpfs", MS_RDONLY, NULL) == 0, "cover /dev");
    if (opt.no_proc)
        must(mount("tmpfs", "/proc", "tmpfs", MS_RDONLY, NULL) == 0, "cover /proc");
    else
        must(mount("proc", "/proc", "proc", 0, NULL) == 0, "mount /proc");
    must(chdir(cwd) == 0, "chdir back");
}

static void drop_capabilities(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct none[2] = { { 0 } };

    for (int c = 0; c < 64; c++)
        prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    must(syscall(SYS_capset, &header, none) == 0, "capset");
}

/* Raw, because libc refuses the signals that it keeps for itself. */
static void signals(void)
{
    struct { void *handler; unsigned long flags; void *restorer; uint64_t mask; } action = { 0 };

    for (int s = 1; s <= 64; s++) {
        action.handler = (opt.ignore >> (s - 1) & 1) ? (void *)SIG_IGN : (void *)SIG_DFL;
        syscall(SYS_rt_sigaction, s, &action, NULL, 8);
    }
    must(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &opt.block, NULL, 8) == 0, "mask");
}

static void become(char **argv, int gate)
{
    char byte;

    must(read(gate, &byte, 1) == 1, "gate");
    if (opt.setsid)
        setsid();
    if (opt.ctty)
        must(ioctl(0, TIOCSCTTY, 1) == 0, "controlling terminal");
    if (opt.nofile > 0) {
        struct rlimit limit = { (rlim_t)opt.nofile, (rlim_t)opt.nofile };
        must(setrlimit(RLIMIT_NOFILE, &limit) == 0, "RLIMIT_NOFILE");
    }
    if (opt.no_new_privs)
        must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
    if (opt.gid >= 0) {
        must(setgroups(0, NULL) == 0, "setgroups");
        must(setresgid((gid_t)opt.gid, (gid_t)opt.gid, (gid_t)opt.gid) == 0, "setgid");
    }
    if (opt.uid >= 0)
        must(setresuid((uid_t)opt.uid, (uid_t)opt.uid, (uid_t)opt.uid) == 0, "setuid");
    if (opt.drop_caps)
        drop_capabilities();
    if (opt.mode == MODE_PID1)
        must(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0, "pdeathsig");
    for (int fd = 0; fd < 32; fd++)
        if (opt.close_fds >> fd & 1)
            close(fd);
    signals();
    execv(argv[0], argv);
    must(0, argv[0]);
}

/* A /proc of this pid namespace that is mounted nowhere: the program may have been given an empty one. */
static DIR *open_proc(void)
{
    int fs = (int)syscall(430 /* fsopen */, "proc", 1);

    must(fs >= 0, "fsopen");
    must(syscall(431 /* fsconfig */, fs, 6 /* create */, NULL, NULL, 0) == 0, "fsconfig");
    int mounted = (int)syscall(432 /* fsmount */, fs, 1, 0);
    must(mounted >= 0, "fsmount");
    close(fs);
    int root = openat(mounted, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close(mounted);
    return fdopendir(root);
}

static void tell_left(void)
{
    char path[320], comm[64];
    struct dirent *e;
    DIR *d = open_proc();

    must(d != NULL, "open /proc");
    while ((e = readdir(d))) {
        if (!isdigit((unsigned char)e->d_name[0]) || !strcmp(e->d_name, "1"))
            continue;
        snprintf(path, sizeof path, "%s/comm", e->d_name);
        int fd = openat(dirfd(d), path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, comm, sizeof comm - 1);
        if (fd >= 0)
            close(fd);
        if (n <= 0)
            continue;
        comm[n - 1] = 0;
        say("left %s %s", e->d_name, comm);
    }
    closedir(d);
}

/* PID 1 of the namespaces in mode sub: reaps, and reports what the program left behind. */
static void init_of_sub(char **argv, int gate, int forked)
{
    int status;

    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    pid_t pid = fork();
    must(pid >= 0, "fork");
    if (pid == 0)
        become(argv, gate);
    must(write(forked, "x", 1) == 1, "forked");
    for (;;) {
        pid_t gone = waitpid(-1, &status, 0);
        if (gone == pid || (gone < 0 && errno == ECHILD))
            break;
    }
    /* Zombies that were handed to us are reaped, not reported. */
    int other;
    while (waitpid(-1, &other, WNOHANG) > 0)
        ;
    tell_left();
    say("exit %d", status);
    _exit(0);
}

static pid_t first_child(pid_t parent)
{
    char path[64], text[64];

    snprintf(path, sizeof path, "%d/task/%d/children", parent, parent);
    int fd = openat(host_proc, path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return 0;
    text[n] = 0;
    return atoi(text);
}

static void kill_as_soon_as_it_has_a_child(pid_t pid)
{
    siginfo_t info;

    for (;;) {
        if (first_child(pid) > 0)
            break;
        info.si_pid = 0;
        if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid)
            return;
    }
    kill(pid, opt.kill_when_child);
}

static void start(char **argv)
{
    int gate[2], forked[2];

    host_proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    must(pipe2(gate, O_CLOEXEC) == 0 && pipe2(forked, O_CLOEXEC) == 0, "pipe");
    if (opt.mode != MODE_HOST) {
        must(unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWPID) == 0, "unshare");
        must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private mounts");
        loopback_up();
    }
    if (opt.mode == MODE_HOST) {
        must(unshare(CLONE_NEWNS) == 0, "unshare");
        must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private mounts");
        must(mount("tmpfs", "/run", "tmpfs", 0, "mode=755") == 0, "mount /run");
    }
    pid_t init = fork();
    must(init >= 0, "fork");
    if (init == 0) {
        close(gate[1]);
        if (opt.mode != MODE_HOST)
            mounts();
        if (opt.mode == MODE_SUB)
            init_of_sub(argv, gate[0], forked[1]);
        must(write(forked[1], "x", 1) == 1, "forked");
        become(argv, gate[0]);
    }
    close(gate[0]);
    close(forked[1]);
    char byte;
    if (read(forked[0], &byte, 1) != 1)
        _exit(99);
    pid_t pid = opt.mode == MODE_SUB ? first_child(init) : init;
    say("pid %d %d", pid, opt.mode == MODE_HOST ? 0 : init);
    must(write(gate[1], "x", 1) == 1, "gate");
    if (opt.kill_when_child)
        kill_as_soon_as_it_has_a_child(pid);

    int pidfd = (int)syscall(SYS_pidfd_open, init, 0);
    struct pollfd polls[2] = { { pidfd, POLLIN, 0 }, { opt.status_fd, 0, 0 } };
    while (poll(polls, 2, -1) < 0 && errno == EINTR)
        ;
    if (!polls[0].revents)
        kill(init, SIGKILL);
    int status = 0;
    waitpid(init, &status, 0);
    if (opt.mode != MODE_SUB)
        say("exit %d", status);
}

static uint64_t signal_list(char *text)
{
    uint64_t set = 0;

    for (char *word = strtok(text, ","); word; word = strtok(NULL, ","))
        set |= 1ULL << (atoi(word) - 1);
    return set;
}

int main(int argc, char **argv)
{
    int i = 1;

    for (; i < argc && strcmp(argv[i], "--"); i += 2) {
        char *name = argv[i], *value = argv[i + 1];
        if (!strcmp(name, "--status"))
            opt.status_fd = atoi(value);
        else if (!strcmp(name, "--mode"))
            opt.mode = !strcmp(value, "pid1") ? MODE_PID1 : !strcmp(value, "sub") ? MODE_SUB : MODE_HOST;
        else if (!strcmp(name, "--uid"))
            opt.uid = atol(value);
        else if (!strcmp(name, "--gid"))
            opt.gid = atol(value);
        else if (!strcmp(name, "--ro-root"))
            opt.ro_root = atoi(value);
        else if (!strcmp(name, "--no-proc"))
            opt.no_proc = atoi(value);
        else if (!strcmp(name, "--no-dev"))
            opt.no_dev = atoi(value);
        else if (!strcmp(name, "--drop-caps"))
            opt.drop_caps = atoi(value);
        else if (!strcmp(name, "--no-new-privs"))
            opt.no_new_privs = atoi(value);
        else if (!strcmp(name, "--setsid"))
            opt.setsid = atoi(value);
        else if (!strcmp(name, "--ctty"))
            opt.ctty = atoi(value);
        else if (!strcmp(name, "--run"))
            opt.run = value;
        else if (!strcmp(name, "--newroot"))
            opt.newroot = value;
        else if (!strcmp(name, "--termination-log"))
            opt.termination_log = value;
        else if (!strcmp(name, "--nofile"))
            opt.nofile = atol(value);
        else if (!strcmp(name, "--block"))
            opt.block = signal_list(value);
        else if (!strcmp(name, "--ignore"))
            opt.ignore = signal_list(value);
        else if (!strcmp(name, "--close"))
            opt.close_fds |= 1u << atoi(value);
        else if (!strcmp(name, "--kill-when-child"))
            opt.kill_when_child = atoi(value);
        else {
            fprintf(stderr, "box: unknown option %s\n", name);
            return 99;
        }
    }
    fcntl(opt.status_fd, F_SETFD, FD_CLOEXEC);
    start(argv + i + 1);
    return 0;
}
