/* run/phases.c: announce and drain by themselves, for a prestop where no lastcall runs. */
#include <sys/mman.h>

#include "run/load.h"
#include "run/run.h"

enum { ARENA_BYTES = 32 << 20 };

int run_phases(const char *const *paths, uint32_t n_paths, span late, char *const *envp) {
    static char name[] = "lastcall";
    char *const argv[] = {name, NULL};
    struct options options;
    struct findings findings = {0};
    struct config config;
    char *memory = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return 125;
    struct arena arena = {.at = memory, .end = memory + ARENA_BYTES};
    struct facts facts = {.envp = envp, .phases_only = true};
    if (!conf_options(1, argv, envp, &arena, &options, &findings)) {
        load_print(&findings, false, load_wants_json(&options));
        return 2;
    }
    options.paths = paths;
    options.n_paths = n_paths;
    int error = load_config(&options, &facts, &arena, &config, &findings);
    load_print(&findings, false, load_wants_json(&options));
    return error != 0 ? error : run_late(&config, &arena, envp, late);
}
