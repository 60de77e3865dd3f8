/* Any text as what /proc/self/cgroup and the files of a memory cgroup hold.
 * For: src/text/cgroup.c */
#include <stdlib.h>
#include <string.h>

#include "text/cgroup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1), path[CGROUP_PATH];
    struct out out = out_on(path, sizeof path);
    struct cgroup_file file;
    uint64_t kills;
    memcpy(text, data, size);
    text[size] = 0;
    if (cgroup_memory(text, &file)) {
        cgroup_path(&out, &file);
        if (strncmp(path, "/sys/fs/cgroup/", 15) != 0 || strstr(path, "/../") != NULL || strchr(path, '\n') != NULL)
            abort();
    }
    if (cgroup_oom_kills(text, &kills) && strstr(text, "oom_kill ") == NULL)
        abort();
    free(text);
    return 0;
}
