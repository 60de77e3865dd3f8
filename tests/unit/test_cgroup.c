/* What the kernel says of memory cgroups. */
#include <criterion/criterion.h>

#include "text/cgroup.h"

static char path[CGROUP_PATH];

static const char *path_of(const char *text) {
    struct cgroup_file file;
    struct out out = out_on(path, sizeof path);
    if (!cgroup_memory(text, &file))
        return "";
    cgroup_path(&out, &file);
    return path;
}

static int64_t kills_in(const char *text) {
    uint64_t kills = 77;
    bool good = cgroup_oom_kills(text, &kills);
    cr_assert(good || kills == 77);
    return good ? (int64_t)kills : -1;
}

Test(cgroup, version_2) {
    cr_assert_str_eq(path_of("0::/\n"), "/sys/fs/cgroup/memory.events");
    cr_assert_str_eq(path_of("0::/system.slice/docker-1f.scope\n"),
                     "/sys/fs/cgroup/system.slice/docker-1f.scope/memory.events");
    cr_assert_str_eq(path_of("0::/a:b,memory/..c\n"), "/sys/fs/cgroup/a:b,memory/..c/memory.events");
}

Test(cgroup, version_1) {
    static const char wanted[] = "/sys/fs/cgroup/memory/docker/1f/memory.oom_control";
    cr_assert_str_eq(path_of("9:name=systemd:/s\n4:memory:/docker/1f\n1:cpu:/\n0::/u\n"), wanted);
    cr_assert_str_eq(path_of("0::/u\n4:cpu,memory,pids:/docker/1f\n"), wanted);
    cr_assert_str_eq(path_of("5:cpuset:/a\n4:memory:/docker/1f\n"), wanted);
    cr_assert_str_eq(path_of("4:memory:/\n"), "/sys/fs/cgroup/memory/memory.oom_control");
}

Test(cgroup, other_hierarchies_do_not_count) {
    cr_assert_str_eq(path_of("3:cpu,memoryless,mem:/a\n2:name=memory:/b\n"), "");
    cr_assert_str_eq(path_of("2:name=memory:/b\n0::/u\n"), "/sys/fs/cgroup/u/memory.events");
}

Test(cgroup, a_path_that_leaves_the_namespace_is_refused) {
    cr_assert_str_eq(path_of("0::/..\n"), "");
    cr_assert_str_eq(path_of("0::/../other\n"), "");
    cr_assert_str_eq(path_of("0::/a/../../etc\n"), "");
}

Test(cgroup, broken_lines) {
    static const char *const others[] = {"", "\n", "0", "0:", "0::", "0::\n", "0::u\n", "0::/cut", "4:memory\n", "4:memory:",
                                         "4:memory:/cut", "4:memory:u\n", ":\n:\n"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        cr_assert_str_eq(path_of(others[i]), "", "%s", others[i]);
}

Test(cgroup, kills) {
    cr_assert_eq(kills_in("low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\noom_group_kill 1\n"), 2);
    cr_assert_eq(kills_in("oom_kill_disable 0\nunder_oom 0\noom_kill 41\n"), 41);
    cr_assert_eq(kills_in("oom_kill 0\n"), 0);
    cr_assert_eq(kills_in("oom_kill 9223372036854775807\n"), INT64_MAX);
}

Test(cgroup, no_number) {
    static const char *const others[] = {"", "oom_kill", "oom_kill \n", "oom_kill 1", "oom_kill x\n", "oom_kill 1x\n",
                                         "oom_kill -1\n", "xoom_kill 1\n", "oom_kill_disable 1\n",
                                         "oom_kill 18446744073709551616\n", "oom_kill 99999999999999999999\n"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        cr_assert_eq(kills_in(others[i]), -1, "%s", others[i]);
}
