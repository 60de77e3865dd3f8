#include "sys/idle.h"

#include <elf.h>
#include <link.h>
#include <signal.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

enum { MAPS = 4, WAITING_BYTES = 512 };

struct map { void *start; size_t bytes; };
struct maps { struct map v[MAPS]; unsigned n; };

/* Raw and inline: calling the C library's would need its page as well. */
#if defined(__x86_64__)
#define HAVE_RAW 1
static inline long raw(long number, long a, long b, long c, long d) {
    register long r10 __asm__("r10") = d;
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
#define HAVE_RAW 1
static inline long raw(long number, long a, long b, long c, long d) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory", "cc");
    return x0;
}
#endif

#ifdef HAVE_RAW
/* Smaller than its alignment, so it stands in one page. */
__attribute__((noinline, aligned(WAITING_BYTES)))
static long give_back_and_wait(const struct maps *maps, siginfo_t *info, const struct timespec *time) {
    signal_set all = ALL_SIGNALS;
    for (unsigned i = 0; i < maps->n; i++)
        raw(SYS_madvise, (long)maps->v[i].start, (long)maps->v[i].bytes, MADV_DONTNEED, 0);
    return raw(SYS_rt_sigtimedwait, (long)&all, (long)info, (long)time, sizeof all);
}

/* What is mapped from the file and never written to. A program that is not linked statically, or
 * moved when it was loaded, is left as it is. */
static void find(struct maps *maps) {
    const ElfW(Phdr) *at = (const void *)getauxval(AT_PHDR);
    unsigned long n = at == NULL ? 0 : getauxval(AT_PHNUM), page = getauxval(AT_PAGESZ);
    maps->n = 0;
    for (; n-- > 0; at++) {
        unsigned long start = at->p_vaddr & ~(page - 1), end = (at->p_vaddr + at->p_memsz + page - 1) & ~(page - 1);
        if (at->p_type == PT_PHDR || at->p_type == PT_INTERP || at->p_type == PT_DYNAMIC)
            maps->n = MAPS;
        if (at->p_type == PT_LOAD && !(at->p_flags & PF_W) && maps->n < MAPS)
            maps->v[maps->n++] = (struct map){(void *)start, end - start};
    }
    maps->n = maps->n == MAPS ? 0 : maps->n;
}

/* Another flag makes a mapping of its own. */
static void set_apart(void) {
    unsigned long page = getauxval(AT_PAGESZ), here = (unsigned long)(void *)give_back_and_wait;
    madvise((void *)(here & ~(page - 1)), page, MADV_RANDOM);
}

bool idle_wait(span most, struct signal_taken *taken) {
    struct maps maps;
    siginfo_t info;
    struct timespec time = {.tv_sec = most.ns / NS_PER_S, .tv_nsec = most.ns % NS_PER_S};
    find(&maps);
    if (maps.n == 0)
        return sigmask_wait(ALL_SIGNALS, most, taken);
    set_apart();
    long sig = give_back_and_wait(&maps, &info, is_forever(most) ? NULL : &time);
    if (sig <= 0)
        return false;
    *taken = (struct signal_taken){.sig = (int)sig, .code = info.si_code, .from = info.si_pid, .uid = info.si_uid};
    return true;
}
#else
bool idle_wait(span most, struct signal_taken *taken) { return sigmask_wait(ALL_SIGNALS, most, taken); }
#endif
