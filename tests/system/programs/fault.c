/* fault: runs a program under ptrace, and makes system calls of the lastcall in it fail.
 *
 *   fault LOG BINARY [ROLE CALL ERRNO FROM TO] -- PROGRAM [ARG...]
 *
 * The first process that executes BINARY is the role "self". What it and its children fork is "child" until it executes something,
 * and "net" from then on if that is BINARY called lastcall-net; other programs are let go. The calls of a role are
 * counted over all its processes: those from the FROMth to the TOth (0: and all after it) that are named CALL are not
 * made, but fail with ERRNO (a number). A tracer, and not a filter, so that lastcall may be PID 1 and need not know.
 *
 * LOG gets, when all is over, a line "ROLE CALL COUNT" each, and "hit COUNT". */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

enum role { NONE, BOX, SELF, CHILD, NET, ROLES };
static const char *const roles[ROLES] = {"none", "box", "self", "child", "net"};

enum { CALLS = 512, ROOM = 256 };

struct process { pid_t pid; enum role role; int failing; };

static struct process processes[ROOM];
static unsigned long counts[ROLES][CALLS], hits;
static const char *log_path, *binary;
static struct { enum role role; long call, error; unsigned long from, to; } wanted = {.call = -1};

static const struct { const char *name; int number; } calls[] = {
#define CALL(name) {#name, SYS_##name}
    CALL(accept4), CALL(bind), CALL(brk), CALL(capset), CALL(chdir), CALL(clock_gettime), CALL(clone), CALL(close),
    CALL(close_range), CALL(connect), CALL(dup), CALL(dup3), CALL(epoll_create1), CALL(epoll_ctl),
    CALL(epoll_pwait), CALL(execve), CALL(execveat), CALL(exit), CALL(exit_group), CALL(faccessat), CALL(fchmod),
    CALL(fchmodat), CALL(fchownat), CALL(fcntl), CALL(flock), CALL(fstat), CALL(fstatfs), CALL(fsync),
    CALL(ftruncate), CALL(futex), CALL(getdents64), CALL(getegid),
    CALL(geteuid), CALL(getgid), CALL(getpeername), CALL(getpgid), CALL(getpid), CALL(getppid), CALL(getrlimit),
    CALL(getsid), CALL(getsockname), CALL(getsockopt), CALL(gettid), CALL(getuid), CALL(ioctl), CALL(kill),
    CALL(linkat), CALL(listen), CALL(lseek), CALL(madvise), CALL(memfd_create), CALL(mkdirat), CALL(mmap),
    CALL(mprotect), CALL(mremap), CALL(munmap), CALL(nanosleep), CALL(newfstatat), CALL(openat), CALL(openat2), CALL(pidfd_open),
    CALL(pidfd_send_signal), CALL(pipe2), CALL(ppoll), CALL(prctl), CALL(pread64), CALL(prlimit64), CALL(pwrite64),
    CALL(pwritev2), CALL(read), CALL(readlinkat), CALL(readv), CALL(recvfrom), CALL(recvmsg), CALL(renameat),
    CALL(rt_sigaction), CALL(rt_sigpending), CALL(rt_sigprocmask), CALL(rt_sigtimedwait), CALL(sendmsg),
    CALL(sendto), CALL(set_tid_address), CALL(setpgid), CALL(setrlimit), CALL(setsid), CALL(setsockopt),
    CALL(shutdown), CALL(signalfd4), CALL(socket), CALL(socketpair), CALL(statx), CALL(symlinkat), CALL(syncfs), CALL(tgkill), CALL(tkill),
    CALL(umask), CALL(fchdir), CALL(uname), CALL(unlinkat), CALL(utimensat), CALL(wait4), CALL(waitid), CALL(write), CALL(writev),
#ifdef __x86_64__
    CALL(access), CALL(alarm), CALL(arch_prctl), CALL(dup2), CALL(epoll_wait), CALL(fork), CALL(getpgrp), CALL(lstat),
    CALL(mkdir), CALL(rmdir),
    CALL(open), CALL(pause), CALL(pipe), CALL(poll), CALL(readlink), CALL(rename), CALL(stat), CALL(unlink),
    CALL(vfork),
#endif
};

static void die(const char *what)
{
    fprintf(stderr, "fault: %s: %s\n", what, strerror(errno));
    exit(99);
}

/* ---- the table of processes ---- */

static struct process *find(pid_t pid)
{
    for (int i = 0; i < ROOM; i++)
        if (processes[i].pid == pid)
            return &processes[i];
    return NULL;
}

static pid_t parent_of(pid_t pid)
{
    char path[64], line[256];
    int parent = 0;

    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file) && sscanf(line, "PPid: %d", &parent) != 1)
        continue;
    if (file)
        fclose(file);
    return parent;
}

/* A new one: what it is follows from its parent, which waits in its own stop meanwhile. */
static struct process *add(pid_t pid)
{
    struct process *parent = find(parent_of(pid)), *p = find(0);

    if (!p)
        die("too many processes");
    *p = (struct process){.pid = pid, .role = BOX};
    if (parent && parent->role != BOX)
        p->role = parent->role == SELF || parent->role == CHILD ? CHILD : NONE;
    return p;
}

static int is_binary(pid_t pid, const char *as)
{
    char path[64], text[4096];

    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    ssize_t n = readlink(path, text, sizeof text - 1);
    text[n > 0 ? n : 0] = 0;
    if (strcmp(text, binary) != 0)
        return 0;
    snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
    FILE *file = fopen(path, "re");
    n = file ? (ssize_t)fread(text, 1, sizeof text - 1, file) : 0;
    text[n] = 0;
    if (file)
        fclose(file);
    return !as || strcmp(text, as) == 0;
}

static void executed(struct process *p)
{
    static int there;

    if (p->role == BOX && !there && is_binary(p->pid, NULL)) {
        p->role = SELF;
        there = 1;
    } else if (p->role == CHILD) {
        p->role = is_binary(p->pid, "lastcall-net") ? NET : NONE;
    }
}

/* ---- one call ---- */

/* Skips the call that is about to be made, or sets what it has returned. */
static void change(pid_t pid, int skip, long result)
{
#if defined(__x86_64__)
    size_t at = skip ? offsetof(struct user_regs_struct, orig_rax) : offsetof(struct user_regs_struct, rax);
    ptrace(PTRACE_POKEUSER, pid, at, skip ? -1L : result);
#elif defined(__aarch64__)
    int none = -1;
    struct user_regs_struct regs;
    struct iovec call = {&none, sizeof none}, all = {&regs, sizeof regs};
    if (skip) {
        ptrace(PTRACE_SETREGSET, pid, 0x404 /* NT_ARM_SYSTEM_CALL */, &call);
    } else if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &all) == 0) {
        regs.regs[0] = (unsigned long)result;
        ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &all);
    }
#else
#error "how is a system call skipped here?"
#endif
}

static void call(struct process *p)
{
    struct __ptrace_syscall_info info;

    if (ptrace(PTRACE_GET_SYSCALL_INFO, p->pid, sizeof info, &info) <= 0)
        return;
    if (info.op == PTRACE_SYSCALL_INFO_EXIT && p->failing) {
        change(p->pid, 0, -wanted.error);
        p->failing = 0;
    }
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY || info.entry.nr >= CALLS)
        return;
    unsigned long n = ++counts[p->role][info.entry.nr];
    if (p->role == wanted.role && (long)info.entry.nr == wanted.call && n >= wanted.from &&
        (wanted.to == 0 || n <= wanted.to)) {
        change(p->pid, 1, 0);
        p->failing = 1;
        hits++;
    }
}

/* ---- all of them ---- */

static void go_on(const struct process *p, int sig)
{
    int how = p->role == NONE ? PTRACE_DETACH : p->role == BOX ? PTRACE_CONT : PTRACE_SYSCALL;

    ptrace(how, p->pid, 0, (long)sig);
}

static void stopped(struct process *p, int status)
{
    int sig = WSTOPSIG(status), event = status >> 16;

    if (event == PTRACE_EVENT_STOP && sig != SIGTRAP) {
        ptrace(PTRACE_LISTEN, p->pid, 0, 0); /* it has been stopped, and shall be */
        return;
    }
    if (sig == (SIGTRAP | 0x80))
        call(p);
    if (event == PTRACE_EVENT_EXEC)
        executed(p);
    go_on(p, event || sig == (SIGTRAP | 0x80) ? 0 : sig);
    if (p->role == NONE)
        p->pid = 0;
}

static int follow(pid_t first)
{
    int status, result = 0;
    pid_t pid;

    while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
        struct process *p = pid > 0 ? find(pid) : NULL;
        if (pid <= 0)
            continue;
        if (WIFSTOPPED(status)) {
            stopped(p ? p : add(pid), status);
        } else {
            if (pid == first)
                result = status;
            if (p)
                p->pid = 0;
        }
    }
    return result;
}

static void tell(void)
{
    FILE *file = fopen(log_path, "we");

    if (!file)
        die(log_path);
    for (int role = SELF; role < ROLES; role++)
        for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
            if (counts[role][calls[i].number]) {
                fprintf(file, "%s %s %lu\n", roles[role], calls[i].name, counts[role][calls[i].number]);
                counts[role][calls[i].number] = 0;
            }
    for (int role = SELF; role < ROLES; role++)
        for (int i = 0; i < CALLS; i++)
            if (counts[role][i])
                fprintf(file, "%s #%d %lu\n", roles[role], i, counts[role][i]);
    fprintf(file, "hit %lu\n", hits);
    if (fclose(file) != 0)
        die(log_path);
}

static void want(char **words)
{
    for (int role = SELF; role < ROLES; role++)
        if (!strcmp(words[0], roles[role]))
            wanted.role = (enum role)role;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (!strcmp(words[1], calls[i].name))
            wanted.call = calls[i].number;
    wanted.error = atol(words[2]);
    wanted.from = strtoul(words[3], NULL, 10);
    wanted.to = strtoul(words[4], NULL, 10);
    if (!wanted.role || wanted.call < 0)
        die("no such role or call");
}

int main(int argc, char **argv)
{
    int gate[2], i = 3;
    char byte;

    if (argc < 5)
        return 2;
    log_path = argv[1];
    binary = argv[2];
    if (strcmp(argv[3], "--") != 0) {
        want(argv + 3);
        i = 8;
    }
    if (pipe(gate) != 0)
        die("pipe");
    pid_t pid = fork();
    if (pid == 0) {
        close(gate[1]);
        if (read(gate[0], &byte, 1) == 1)
            close(gate[0]), execv(argv[i + 1], argv + i + 1);
        _exit(99);
    }
    long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
                   PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
    processes[0] = (struct process){.pid = pid, .role = BOX};
    if (ptrace(PTRACE_SEIZE, pid, 0, options) != 0 || write(gate[1], "x", 1) != 1)
        die("ptrace");
    close(gate[0]);
    close(gate[1]);
    int status = follow(pid);
    tell();
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
