#include "sys/privileges.h"

#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PR_CAP_AMBIENT
#define PR_CAP_AMBIENT 47
#define PR_CAP_AMBIENT_CLEAR_ALL 4
#endif

bool privileges_drop(void) {
    enum { CAPABILITIES = 64, VERSION_3 = 0x20080522 };
    struct { uint32_t version; int pid; } head = {VERSION_3, 0};
    struct { uint32_t effective, permitted, inheritable; } none[2] = {{0}};
    for (int capability = 0; capability < CAPABILITIES; capability++)
        prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    syscall(SYS_capset, &head, none);
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}
