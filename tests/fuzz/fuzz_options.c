/* Any words as lastcall's command line, behind an empty one its variables, and behind another a file for each -c.
 * For: src/conf/options.c src/conf/keys.c src/conf/help.c */
#include "conf/conf.h"
#include "fuzz.h"

enum { MOST = 40 };

static void findings_say_why(const struct findings *findings, bool good) {
    MUST(good == (findings->errors == 0) && findings->errors <= findings->n && findings->usage <= findings->errors);
    for (uint32_t i = 0; i < findings->n; i++)
        MUST(is_a_line(findings->v[i].text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static _Alignas(8) char memory[1 << 20];
    static char name[] = "lastcall";
    char *text = copy_of(data, size, true), *at = text, *argv[MOST + 2] = {name}, *envp[MOST + 1];
    struct arena arena = {memory, memory + sizeof memory};
    struct findings findings = {0};
    struct options options = {0};
    struct config config = {0};
    struct source sources[MOST];
    int argc = 1 + words_of(&at, text + size, argv + 1, MOST);
    words_of(&at, text + size, envp, MOST);
    struct facts facts = {.envp = envp};
    bool good = conf_options(argc, argv, envp, &arena, &options, &findings);
    findings_say_why(&findings, good);
    if (good && !options.help && !options.version && options.n_paths <= MOST) {
        MUST(options.command != NULL || options.n_paths > 0);
        for (uint32_t i = 0; i < options.n_paths; i++)
            sources[i] = (struct source){options.paths[i], at, (size_t)(text + size - at)};
        good = conf_load(&options, sources, options.n_paths, &facts, &arena, &config, &findings);
        findings_say_why(&findings, good);
    }
    memset(memory, 0, (size_t)(arena.at - memory));
    free(text);
    return 0;
}
