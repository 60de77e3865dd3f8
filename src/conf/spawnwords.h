/* conf/spawnwords.h: a command's words and environment, made in the child at each spawn.
 *
 * Pure, no allocation: the caller brings the storage. Quotes and backslashes as in sh(1) (single,
 * double, backslash); ${NAME}, ${NAME:-word}, ${NAME:+word} and $$ (a dollar sign) are expanded, not
 * split again; an unquoted expansion to nothing vanishes; a quoted one is an empty word. $NAME without
 * braces is text.
 */
#ifndef CONF_SPAWNWORDS_H
#define CONF_SPAWNWORDS_H

#include <stdbool.h>
#include <stddef.h>

struct words {
    char *argv[512 + 1];   /* MAX_WORDS, ends with NULL */
    size_t n;
    char bytes[32768];     /* MAX_COMMAND */
    size_t used;
};
enum words_error {
    WORDS_OK, WORDS_OPEN_QUOTE, WORDS_OPEN_BRACE, WORDS_BAD_NAME, WORDS_TRAILING_BACKSLASH,
    WORDS_TOO_MANY, WORDS_TOO_LONG, WORDS_EMPTY,
};
/* envp NULL: nothing is expanded, only checked and split (for validation). */
enum words_error words_make(struct words *words, const char *text, char *const *envp);
/* Expands one value (of env =) into out, same rules but not split. */
enum words_error words_value(char *out, size_t room, const char *text, char *const *envp);
const char *words_error_text(enum words_error error);
/* Bytes of the variable's name with which text begins; text ends after `most` bytes, or with what is no name. */
size_t words_name(const char *text, size_t most);

struct environment {
    char *envp[4096 + 1];   /* MAX_ENV, ends with NULL */
    size_t n;
    char bytes[131072];     /* MAX_ENV_BYTES */
    size_t used;
};
void environment_clear(struct environment *environment);
/* Each returns false when there is no room. A name that is there is replaced. */
bool environment_take(struct environment *environment, char *const *envp, bool without_own);
bool environment_keep(struct environment *environment, const char *const *names); /* drops all others */
bool environment_set(struct environment *environment, const char *name, const char *value);
/* Reads env-file text (NAME=value lines, # comments, optional `export `, quotes as in a shell
 * assignment, no expansion); 0, or the line that is wrong (from 1), or -1 when there is no room. */
long environment_read(struct environment *environment, const char *text, size_t bytes);

#endif
