/* seccomp: runs a program under a filter that refuses what Docker's default profile refuses.
 *
 *   seccomp new|old CMD...   old: the profile of a few years ago, which does not know the younger calls either
 *
 * clone3 is ENOSYS, so that libraries fall back to clone; all else is EPERM: what needs capabilities that a
 * container does not have, namespaces, and every system call that is younger than the profile. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

/* From pidfd_send_signal on the numbers are the same everywhere. */
enum { PIDFD_SEND_SIGNAL = 424, CLONE3 = 435, YOUNGEST = 462 };

static const int refused[] = {
    SYS_acct, SYS_add_key, SYS_adjtimex, SYS_bpf, SYS_chroot, SYS_clock_adjtime, SYS_clock_settime, SYS_delete_module,
    SYS_fanotify_init, SYS_finit_module, SYS_get_mempolicy, SYS_init_module, SYS_kcmp, SYS_kexec_load, SYS_keyctl,
    SYS_lookup_dcookie, SYS_mbind, SYS_migrate_pages, SYS_mount, SYS_move_pages, SYS_name_to_handle_at,
    SYS_nfsservctl, SYS_open_by_handle_at, SYS_perf_event_open, SYS_pivot_root, SYS_quotactl, SYS_reboot,
    SYS_request_key, SYS_set_mempolicy, SYS_setdomainname, SYS_sethostname, SYS_setns, SYS_settimeofday, SYS_swapoff,
    SYS_swapon, SYS_syslog, SYS_umount2, SYS_unshare, SYS_userfaultfd, SYS_vhangup,
    425 /* io_uring_setup */, 426, 427, 428 /* open_tree */, 429, 430 /* fsopen */, 431, 432, 433,
    438 /* pidfd_getfd */, 442 /* mount_setattr */,
#if defined(__x86_64__)
    SYS__sysctl, SYS_ioperm, SYS_iopl, SYS_sysfs, SYS_uselib, SYS_ustat, SYS_create_module, SYS_get_kernel_syms,
    SYS_query_module,
#endif
};

static struct sock_filter code[512];
static unsigned short n;

static void put(unsigned short op, unsigned char yes, unsigned char no, unsigned value)
{
    code[n++] = (struct sock_filter){ op, yes, no, value };
}

static void answer(unsigned short op, unsigned value, int error)
{
    put(BPF_JMP | op | BPF_K, 0, 1, value);
    put(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | (unsigned)error);
}

static void build(int old)
{
    unsigned namespaces = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |
                          CLONE_NEWCGROUP;

    put(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, arch));
    put(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ARCH);
    put(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM);
    put(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
    answer(BPF_JEQ, CLONE3, old ? EPERM : ENOSYS);
    answer(BPF_JGT, YOUNGEST, EPERM);
    if (old)
        answer(BPF_JGE, PIDFD_SEND_SIGNAL, EPERM);
    for (unsigned i = 0; i < sizeof refused / sizeof *refused; i++)
        answer(BPF_JEQ, (unsigned)refused[i], EPERM);
    put(BPF_JMP | BPF_JEQ | BPF_K, 0, 3, SYS_clone);
    put(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, args[0]));
    put(BPF_JMP | BPF_JSET | BPF_K, 0, 1, namespaces);
    put(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM);
    put(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    build(!strcmp(argv[1], "old"));
    struct sock_fprog program = { n, code };
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); /* without CAP_SYS_ADMIN, as in a container */
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
            perror("seccomp");
            return 98;
        }
    }
    execv(argv[2], argv + 2);
    perror(argv[2]);
    return 98;
}
