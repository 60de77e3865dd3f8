/* run/phases.c: announce and drain by themselves, for a prestop where no lastcall runs. */
#include "run/load.h"
#include "run/run.h"

/* The same way in as any other run has: variables count, and what is wrong is said. */
static int as_arguments(const char *const *paths, uint32_t n_paths, char **argv) {
    static char name[] = "lastcall", option[] = "-c";
    int n = 0;
    argv[n++] = name;
    for (uint32_t i = 0; i < n_paths && i < MAX_FILES; i++) {
        argv[n++] = option;
        argv[n++] = (char *)paths[i];
    }
    argv[n] = NULL;
    return n;
}

int run_phases(const char *const *paths, uint32_t n_paths, span late, struct arena *arena, char *const *envp) {
    char *argv[2 * MAX_FILES + 2];
    int argc = as_arguments(paths, n_paths, argv);
    struct options options;
    struct findings findings = {0};
    struct config config;
    struct facts facts = {.envp = envp, .phases_only = true};
    if (!conf_options(argc, argv, envp, arena, &options, &findings)) {
        load_print(&findings, false, load_wants_json(&options));
        return 2;
    }
    int error = load_config(&options, &facts, arena, &config, &findings);
    load_print(&findings, false, load_wants_json(&options));
    if (error != 0)
        return error;
    struct policy *policy = &config.model.policy;
    policy->phases_only = true;
    policy->net = policy->pid1 = false;
    return run_late(&config, arena, envp, late);
}
