#include "sys/idle.h"

#include <elf.h>
#include <link.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>

#include "model/nearby.h"
#include "sys/raw.h"

enum { MAPS = 4 };

struct map { void *start; size_t bytes; };
struct maps { struct map v[MAPS]; unsigned n; };

#ifdef HAVE_RAW
extern const char __start_nearby[], __stop_nearby[]; /* the linker's */

/* All that is nearby comes back at once, wherever its pages lie: the kernel fetches what is around a page only
 * within the same 64 kB. */
static NEARBY void fetch_nearby(void) {
    enum { LEAST_PAGE = 4096 };
    uintptr_t stop = (uintptr_t)__stop_nearby;
    for (uintptr_t at = (uintptr_t)__start_nearby & ~(uintptr_t)(LEAST_PAGE - 1); at < stop; at += LEAST_PAGE)
        (void)*(const volatile char *)at;
}

__attribute__((noinline)) NEARBY
static long give_back_and_wait(const struct maps *maps, siginfo_t *info, const struct timespec *time) {
    signal_set all = ALL_SIGNALS;
    for (unsigned i = 0; i < maps->n; i++)
        raw(SYS_madvise, (long)maps->v[i].start, (long)maps->v[i].bytes, MADV_DONTNEED, 0);
    fetch_nearby();
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
    unsigned long page = getauxval(AT_PAGESZ);
    unsigned long start = (unsigned long)__start_nearby & ~(page - 1);
    raw(SYS_madvise, (long)start, (long)((unsigned long)__stop_nearby - start), MADV_RANDOM, 0);
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
