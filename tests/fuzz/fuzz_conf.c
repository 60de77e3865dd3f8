/* Any bytes as a configuration file: a configuration, or findings that say why not, each in one safe line. */
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

/* Says something, in one line that is safe for a terminal. */
static bool is_a_line(const char *text) {
    bool safe = *text != 0;
    for (; *text; text++)
        safe = safe && (unsigned char)*text >= ' ' && *text != 0x7f;
    return safe;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static _Alignas(8) char memory[1 << 20];
    static const char *argv[] = {"lastcall", "-c", "fuzz.ini", NULL};
    static char *envp[] = {NULL};
    struct arena arena = {memory, memory + sizeof memory};
    struct findings findings = {0};
    struct options options = {0};
    struct config config = {0};
    char *text = malloc(size ? size : 1); /* exact, so that one byte too far is seen */
    struct source source = {"fuzz.ini", text, size};
    struct facts facts = {.envp = envp};
    memcpy(text, data, size);
    if (!conf_options(3, (char *const *)argv, envp, &arena, &options, &findings))
        abort();
    if (conf_load(&options, &source, 1, &facts, &arena, &config, &findings) != (findings.errors == 0))
        abort();
    for (uint32_t i = 0; i < findings.n; i++)
        if (!is_a_line(findings.v[i].text))
            abort();
    free(text);
    memset(memory, 0, (size_t)(arena.at - memory));
    return 0;
}
