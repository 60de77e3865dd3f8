/* Commands that swallow the signals they should hand on. */
#include <string.h>

#include "conf/load.h"
#include "conf/spawnwords.h"

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* words: each ends with a blank. */
static bool is_one_of(const char *name, const char *words) {
    size_t n = strlen(name);
    for (; *words; words += strcspn(words, " ") + 1)
        if (n && strncmp(words, name, n) == 0 && words[n] == ' ')
            return true;
    return false;
}

/* Whether a shell stays there while it runs the script: it has several commands and the last does not
 * begin with exec. A shell execs a script's only command by itself. */
static bool stays(const char *script) {
    const char *last = script;
    char quote = 0;
    for (const char *c = script; *c; c++) {
        if (*c == '\\' && c[1] && quote != '\'') {
            c++;
        } else if (quote) {
            quote = *c == quote ? 0 : quote;
        } else if (*c == '"' || *c == '\'') {
            quote = *c;
        } else if (*c == '>' && c[1] == '&') {
            c++; /* 2>&1 */
        } else if (*c == ';' || *c == '|' || *c == '&' || *c == '\n') {
            last = c + 1;
        }
    }
    if (last == script)
        return false;
    last += strspn(last, " \t\n");
    return strncmp(last, "exec ", 5) != 0 && strncmp(last, "exec\t", 5) != 0;
}

void lint_command(struct load *load, const struct command *command) {
    struct words words;
    const char *name;
    size_t at = 0;
    if (words_make(&words, command->text, NULL) != WORDS_OK)
        return;
    if (words.n > 1 && strcmp(base_name(words.argv[0]), "busybox") == 0)
        at = 1;
    name = base_name(words.argv[at]);
    if (is_one_of(name, "npm npx yarn pnpm "))
        warning_at(load, command->where, "%s does not hand signals on to the program; the program itself, as node server.js", name);
    else if (is_one_of(name, "sh bash dash ash zsh ksh mksh ") && words.n > at + 2 && words.argv[at + 1][0] == '-' &&
             strchr(words.argv[at + 1], 'c') && words.argv[at + 1][1] != '-' && stays(words.argv[at + 2]))
        warning_at(load, command->where,
                   "%s stays in front of the program and does not hand signals on; exec before the last command", name);
}
