/* A child's environment: taken over, filtered, added to. */
#include <string.h>

#include "conf/conf.h"
#include "conf/spawnwords.h"
#include "model/limits.h"

_Static_assert(sizeof((struct environment *)0)->envp / sizeof(char *) == MAX_ENV + 1, "as many variables as documented");
_Static_assert(sizeof((struct environment *)0)->bytes == MAX_ENV_BYTES, "as many bytes as documented");

void environment_clear(struct environment *environment) {
    environment->n = environment->used = 0;
    environment->envp[0] = NULL;
}

/* Length of the name of an assignment. */
static size_t name_length(const char *assignment) {
    const char *equals = strchr(assignment, '=');
    return equals ? (size_t)(equals - assignment) : strlen(assignment);
}

static char **find(struct environment *environment, const char *name, size_t n) {
    char **at = environment->envp;
    while (*at && (strncmp(*at, name, n) != 0 || ((*at)[n] != '=' && (*at)[n] != 0)))
        at++;
    return at;
}

/* Puts an assignment that outlives the environment in the place of its name, or at the end. */
static bool put(struct environment *environment, char *assignment, size_t name) {
    char **at = find(environment, assignment, name);
    if (!*at) {
        if (environment->n == MAX_ENV)
            return false;
        environment->envp[++environment->n] = NULL;
    }
    *at = assignment;
    return true;
}

/* Not copied: the assignments outlive the environment. */
bool environment_take(struct environment *environment, char *const *envp, bool without_own) {
    for (; *envp; envp++)
        if ((!without_own || !conf_is_own_variable(*envp)) && !put(environment, *envp, name_length(*envp)))
            return false;
    return true;
}

bool environment_keep(struct environment *environment, const char *const *names) {
    size_t kept = 0;
    for (size_t i = 0; i < environment->n; i++) {
        const char *const *name = names;
        size_t n = name_length(environment->envp[i]);
        while (name && *name && (strncmp(*name, environment->envp[i], n) != 0 || (*name)[n] != 0))
            name++;
        if (name && *name)
            environment->envp[kept++] = environment->envp[i];
    }
    environment->envp[environment->n = kept] = NULL;
    return true;
}

static bool set(struct environment *environment, const char *name, size_t n, const char *value, size_t bytes) {
    char *at = environment->bytes + environment->used;
    size_t room = sizeof environment->bytes - environment->used;
    if (n >= room || bytes >= room || n + bytes + 2 > room)
        return false;
    memcpy(at, name, n);
    at[n] = '=';
    memmove(at + n + 1, value, bytes);
    at[n + 1 + bytes] = 0;
    environment->used += n + bytes + 2;
    return put(environment, at, n);
}

bool environment_set(struct environment *environment, const char *name, const char *value) {
    return set(environment, name, strlen(name), value, strlen(value));
}

/* An env-file's text while it is read. */
struct lines { const char *at, *end; long line; };

static bool skip_blanks(struct lines *in) {
    const char *start = in->at;
    while (in->at < in->end && (*in->at == ' ' || *in->at == '\t'))
        in->at++;
    return in->at > start;
}

static bool at_line_end(const struct lines *in) {
    return in->at == in->end || *in->at == '\n' || (*in->at == '\r' && (in->at + 1 == in->end || in->at[1] == '\n'));
}

static void next_line(struct lines *in) {
    while (in->at < in->end && *in->at != '\n')
        in->at++;
    if (in->at < in->end)
        in->at++;
    in->line++;
}

/* What stands in quotes, newlines too; `in` is behind the opening one. */
static bool quoted(struct lines *in, char quote, char *out, size_t *n, size_t room) {
    while (in->at < in->end && *in->at != quote) {
        char c = *in->at++;
        if (c == 0)
            return false;
        if (c == '\\' && quote == '"' && in->at < in->end && strchr("\\\"$`\n", *in->at) && *in->at) {
            c = *in->at++;
            if (c == '\n') {
                in->line++;
                continue;
            }
        } else if (c == '\n') {
            in->line++;
        }
        if (*n < room)
            out[(*n)++] = c;
    }
    if (in->at == in->end)
        return false;
    in->at++;
    return true;
}

/* A value up to its line's end; blanks inside it are kept, around it not. What does not fit makes *n
 * equal to room. */
static bool value(struct lines *in, char *out, size_t *n, size_t room) {
    size_t keep = 0; /* what ends a value and is no blank, or was quoted */
    while (!at_line_end(in)) {
        char c = *in->at++;
        if (c == '#' && *n > keep)
            break;
        if (c == 0)
            return false;
        if (c == '\'' || c == '"') {
            if (!quoted(in, c, out, n, room))
                return false;
            keep = *n;
            continue;
        }
        if (c == '\\') {
            if (at_line_end(in))
                return false;
            c = *in->at++;
            keep = *n + 1;
        }
        if (*n < room)
            out[(*n)++] = c;
        if (c != ' ' && c != '\t')
            keep = *n;
    }
    if (*n < room)
        *n = keep < *n ? keep : *n;
    return true;
}

/* NAME=value; 0, or as environment_read. */
static long assignment(struct environment *environment, struct lines *in) {
    const char *name = in->at;
    long line = in->line;
    size_t n = words_name(name, (size_t)(in->end - name)), bytes = 0, names, room;
    bool commented; /* NAME= # and nothing else */
    char *out;
    in->at += n;
    if (n == 0 || in->at == in->end || *in->at++ != '=')
        return line;
    names = n + 1;
    room = sizeof environment->bytes - environment->used;
    if (names + 1 >= room)
        return -1;
    room -= names; /* one byte more than the value may have: filling it means that it did not fit */
    out = environment->bytes + environment->used + names; /* just where set() will have it */
    commented = skip_blanks(in) && in->at < in->end && *in->at == '#';
    if (!commented && !value(in, out, &bytes, room))
        return line;
    if (bytes == room || !set(environment, name, n, out, bytes))
        return -1;
    return 0;
}

long environment_read(struct environment *environment, const char *text, size_t bytes) {
    static const char export[] = "export";
    struct lines in = {.at = text, .end = text + bytes, .line = 1};
    for (; in.at < in.end; next_line(&in)) {
        long error;
        skip_blanks(&in);
        if (at_line_end(&in) || *in.at == '#')
            continue;
        if ((size_t)(in.end - in.at) > sizeof export && memcmp(in.at, export, sizeof export - 1) == 0 &&
            (in.at[sizeof export - 1] == ' ' || in.at[sizeof export - 1] == '\t')) {
            in.at += sizeof export;
            skip_blanks(&in);
        }
        error = assignment(environment, &in);
        if (error)
            return error;
    }
    return 0;
}
