/* Which program a command runs in the end; commands that swallow the signals they should hand on. */
#include <string.h>

#include "conf/load.h"
#include "conf/spawnwords.h"
#include "model/limits.h"

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

/* ---- what stands before a program and becomes it, or hands its signals on ---- */

/* plain: words of its own that are no options; options: those that take a word. */
static const struct wrapper { char name[22]; uint8_t plain; const char *options; } wrappers[] = {
    {"env", 0, "uC"}, {"nohup", 0, ""}, {"nice", 0, "n"}, {"setsid", 0, ""}, {"busybox", 0, ""}, {"gosu", 1, ""},
    {"su-exec", 1, ""}, {"tini", 0, "ep"}, {"dumb-init", 0, "r"}, {"catatonit", 0, ""}, {"docker-entrypoint.sh", 0, ""},
    {"docker-php-entrypoint", 0, ""},
};

static const struct wrapper *wrapper_of(const char *word) {
    for (size_t i = 0; i < sizeof wrappers / sizeof *wrappers; i++)
        if (strcmp(base_name(word), wrappers[i].name) == 0)
            return &wrappers[i];
    return NULL;
}

static size_t behind(const struct wrapper *wrapper, const struct words *words, size_t at) {
    for (; at < words->n && words->argv[at][0] == '-' && strcmp(words->argv[at], "--") != 0; at++)
        if (words->argv[at][1] && !words->argv[at][2] && strchr(wrapper->options, words->argv[at][1]))
            at++;
    at += at < words->n && strcmp(words->argv[at], "--") == 0;
    while (at < words->n && strcmp(wrapper->name, "env") == 0 && strchr(words->argv[at], '='))
        at++;
    return at + wrapper->plain;
}

size_t lint_program(const struct words *words) {
    const struct wrapper *wrapper;
    size_t at = 0, next;
    while ((wrapper = wrapper_of(words->argv[at])) && (next = behind(wrapper, words, at + 1)) < words->n)
        at = next;
    return at;
}

/* ---- shells ---- */

/* The script of `sh -c`, also of `bash --norc -eo pipefail -c`; NULL: there is none. */
static const char *script_of(const struct words *words, size_t at) {
    bool given = false;
    if (!is_one_of(base_name(words->argv[at]), "sh bash dash ash zsh ksh mksh "))
        return NULL;
    for (at++; at < words->n && (words->argv[at][0] == '-' || words->argv[at][0] == '+'); at++) {
        const char *option = words->argv[at];
        given |= option[1] != '-' && strchr(option, 'c') != NULL;
        if (option[1] != '-' && (option[strlen(option) - 1] == 'o' || option[strlen(option) - 1] == 'O'))
            at++;
    }
    return given && at < words->n ? words->argv[at] : NULL;
}

/* What is known of a script: how many commands are parted in it, which it becomes, whether it handles signals. */
struct script { unsigned parted; const char *becomes; bool traps; };

static const char *behind_word(const char *text, const char *word) {
    size_t n = strlen(word);
    return strncmp(text, word, n) == 0 && (text[n] == ' ' || text[n] == '\t') ? text + n + strspn(text + n, " \t") : NULL;
}

static void look_at_command(struct script *script, const char *text) {
    static const char *const before[] = {"then", "else", "do", "{"};
    const char *rest;
    text += strspn(text, " \t\n");
    for (size_t i = 0; i < sizeof before / sizeof *before; i++)
        if ((rest = behind_word(text, before[i])) != NULL)
            text = rest;
    rest = behind_word(text, "exec");
    if (rest && !strchr("0123456789<>", *rest)) /* exec 3>file becomes nothing */
        script->becomes = rest;
    script->traps |= behind_word(text, "trap") != NULL;
}

/* Behind what belongs together and parts no commands: quotes, $(…), `…`, a comment, 2>&1, &>log. */
static const char *skip(const char *c, const char *start) {
    if (*c == '\\' && c[1])
        return c + 2;
    if (*c == '\'' || *c == '"' || *c == '`') {
        char quote = *c++;
        while (*c && *c != quote)
            c += *c == '\\' && quote != '\'' && c[1] ? 2 : 1;
        return *c ? c + 1 : c;
    }
    if (*c == '$' && c[1] == '(') {
        for (c += 2; *c && *c != ')';)
            c = skip(c, start);
        return *c ? c + 1 : c;
    }
    if (*c == '#' && (c == start || strchr(" \t\n;", c[-1])))
        return c + strcspn(c, "\n");
    if ((*c == '>' && (c[1] == '&' || c[1] == '|')) || (*c == '<' && c[1] == '&') || (*c == '&' && c[1] == '>'))
        return c + 2;
    return c + 1;
}

static struct script read_script(const char *text) {
    struct script script = {0};
    look_at_command(&script, text);
    for (const char *c = text; *c;) {
        const char *next = skip(c, text);
        if (next == c + 1 && strchr(";|&\n", *c)) {
            script.parted++;
            look_at_command(&script, next);
        }
        c = next;
    }
    return script;
}

const char *lint_becomes(const struct words *words, size_t at) {
    const char *text = script_of(words, at);
    return text ? read_script(text).becomes : NULL;
}

bool lint_words(struct words *words, const struct command *command) {
    if (command->text)
        return words_make(words, command->text, NULL) == WORDS_OK;
    for (words->n = 0; command->argv && command->argv[words->n] && words->n < MAX_WORDS; words->n++)
        words->argv[words->n] = command->argv[words->n];
    words->argv[words->n] = NULL;
    return words->n > 0;
}

/* A shell execs a script's only command by itself. */
void lint_command(struct load *load, const struct command *command) {
    struct words words;
    if (!lint_words(&words, command))
        return;
    size_t at = lint_program(&words);
    const char *name = base_name(words.argv[at]), *text = script_of(&words, at);
    struct script script = {0};
    if (text)
        script = read_script(text);
    if (is_one_of(name, "npm npx yarn pnpm "))
        warning_at(load, command->where, "%s does not hand signals on to the program; the program itself, as node server.js", name);
    else if (script.parted > 0 && !script.becomes && !script.traps)
        warning_at(load, command->where,
                   "%s stays in front of the program and does not hand signals on; exec before the last command", name);
}
