/* sys/raw.h: a system call without the C library, whose pages need not be there then (model/nearby.h).
 *
 * The result, or -errno. Without HAVE_RAW it goes through the library.
 */
#ifndef SYS_RAW_H
#define SYS_RAW_H

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

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
#else
static inline long raw(long number, long a, long b, long c, long d) {
    long result = syscall(number, a, b, c, d);
    return result == -1 ? -errno : result;
}
#endif

#endif
