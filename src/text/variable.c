#include "text/variable.h"

#include <string.h>

const char *variable_n(char *const *envp, const char *name, size_t n) {
    for (; envp && *envp; envp++)
        if (strncmp(*envp, name, n) == 0 && (*envp)[n] == '=')
            return *envp + n + 1;
    return NULL;
}

const char *variable(char *const *envp, const char *name) { return variable_n(envp, name, strlen(name)); }
