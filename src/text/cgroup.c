#include "text/cgroup.h"

#include <string.h>

const struct cgroup_file cgroup_v1 = {.root = "/sys/fs/cgroup/memory", .group = "", .name = "memory.oom_control"};
const struct cgroup_file cgroup_v2 = {.root = "/sys/fs/cgroup", .group = "", .name = "memory.events"};

/* Where the field at `at` ends; NULL if its line ends before. */
static const char *field_end(const char *at, char end) {
    while (*at != 0 && *at != '\n' && *at != end)
        at++;
    return *at == end ? at : NULL;
}

static const char *next_line(const char *line) {
    const char *end = strchr(line, '\n');
    return end == NULL ? NULL : end + 1;
}

/* list: words with ',' between them and ':' behind the last. */
static bool names_memory(const char *list) {
    for (;;) {
        size_t n = strcspn(list, ",:");
        if (n == 6 && memcmp(list, "memory", 6) == 0)
            return true;
        if (list[n] == ':')
            return false;
        list += n + 1;
    }
}

/* One that leaves the root of our cgroup namespace is nowhere below the mount. */
static bool is_below(const char *path, size_t n) {
    for (size_t i = 0; i + 3 <= n; i++)
        if (memcmp(path + i, "/..", 3) == 0 && (i + 3 == n || path[i + 3] == '/'))
            return false;
    return n > 0 && path[0] == '/';
}

/* "NUMBER:CONTROLLERS:PATH". Version 2 names no controllers; where a line names memory it is version 1's. */
static void take_line(const char *line, struct cgroup_file *file) {
    const char *list = field_end(line, ':'), *path = list == NULL ? NULL : field_end(list + 1, ':');
    const char *end = path == NULL ? NULL : field_end(++path, '\n');
    bool v1 = end != NULL && names_memory(list + 1);
    if (end == NULL || !is_below(path, (size_t)(end - path)) || !(v1 || (path == list + 2 && file->root == NULL)))
        return;
    *file = v1 ? cgroup_v1 : cgroup_v2;
    file->group = path;
    file->n = end - path == 1 ? 0 : (size_t)(end - path);
}

bool cgroup_memory(const char *text, struct cgroup_file *file) {
    *file = (struct cgroup_file){0};
    for (const char *line = text; line != NULL; line = next_line(line))
        take_line(line, file);
    return file->root != NULL;
}

void cgroup_path(struct out *out, const struct cgroup_file *file) {
    out_text(out, file->root);
    out_bytes(out, file->group, file->n);
    out_char(out, '/');
    out_text(out, file->name);
}

/* Digits to the line's end; more than a number holds is no number. */
static bool number(const char *at, uint64_t *into) {
    uint64_t value = 0;
    const char *start = at;
    for (; *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
            return false;
    if (at == start || *at != '\n')
        return false;
    *into = value;
    return true;
}

bool cgroup_oom_kills(const char *text, uint64_t *kills) {
    static const char key[] = "oom_kill ";
    size_t n = sizeof key - 1;
    for (const char *line = text; line != NULL; line = next_line(line))
        if (strncmp(line, key, n) == 0)
            return number(line + n, kills);
    return false;
}
