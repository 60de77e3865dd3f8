/* Any words as the command line of another init, which the first byte chooses, and behind an empty one its variables:
 * all there is to say, or a command line of our own that is right.
 * For: src/conf/personality.c src/conf/scan.c src/conf/tini.c src/conf/dumb_init.c src/conf/catatonit.c */
#include "conf/personality.h"
#include "fuzz.h"

enum { MOST = 40 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static _Alignas(8) char memory[1 << 18];
    static char names[][16] = {"tini", "dumb-init", "catatonit", "docker-init", "tini-static"};
    static char *none[] = {NULL};
    if (size < 1)
        return 0;
    char *text = copy_of(data + 1, size - 1, true), *end = text + size - 1, *at = text;
    char *argv[MOST + 2] = {names[data[0] % 5]}, *envp[MOST + 1];
    struct arena arena = {memory, memory + sizeof memory};
    struct calling calling = {.argv = argv, .envp = envp, .pid = data[0] & 0x80 ? 1 : 7, .subreaper = data[0] & 0x40};
    struct findings findings = {0};
    struct options options = {0};
    struct config config = {0};
    calling.argc = 1 + words_of(&at, end, argv + 1, MOST);
    words_of(&at, end, envp, MOST);
    MUST(personality_call(personality_of(argv[0]), &calling, &arena));
    if (calling.text != NULL) {
        MUST(*calling.text && (calling.stream == 1 || calling.stream == 2) && calling.exit >= 0 && calling.exit < 256);
    } else {
        struct facts facts = {.envp = envp, .pid1 = calling.pid == 1};
        MUST(conf_options(calling.own_argc, calling.own_argv, none, &arena, &options, &findings));
        MUST(conf_load(&options, NULL, 0, &facts, &arena, &config, &findings));
        personality_apply(&calling, &config);
        MUST(config.model.policy.single == !calling.pause && config.model.n_units == !calling.pause);
        MUST(config.manners.as != AS_LASTCALL);
    }
    memset(memory, 0, (size_t)(arena.at - memory));
    free(text);
    return 0;
}
