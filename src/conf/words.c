/* A command's words, as sh(1) splits them, with ${NAME} from an environment. */
#include <string.h>

#include "conf/spawnwords.h"
#include "model/limits.h"
#include "text/variable.h"

_Static_assert(sizeof((struct words *)0)->argv / sizeof(char *) == MAX_WORDS + 1, "as many words as documented");
_Static_assert(sizeof((struct words *)0)->bytes == MAX_COMMAND, "as many bytes as documented");

enum { NESTING = 8 }; /* ${A:-${B:-…}}: deeper than that nobody reads it */

struct maker {
    char *out;
    size_t used, room;
    char *const *envp;  /* NULL: ${…} stays as it is written */
    enum words_error error;
    bool any;           /* the word exists, though it may be empty: a quote or a byte was seen */
};

static void put(struct maker *m, bool live, char c) {
    if (!live)
        return;
    if (m->used + 1 >= m->room) {
        m->error = WORDS_TOO_LONG;
        return;
    }
    m->out[m->used++] = c;
    m->any = true;
}

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\n'; }

size_t words_name(const char *text, size_t most) {
    size_t n = 0;
    while (n < most && (text[n] == '_' || ((text[n] | 0x20) >= 'a' && (text[n] | 0x20) <= 'z') ||
                        (n > 0 && text[n] >= '0' && text[n] <= '9')))
        n++;
    return n;
}

static const char *scan(struct maker *m, const char *p, bool quoted, bool live, int braces);

/* p is behind "${"; returns behind its "}". Without an environment the text itself is put. */
static const char *expansion(struct maker *m, const char *p, bool quoted, bool live, int braces) {
    const char *name = p, *start = p - 2, *value;
    bool checking = !m->envp;
    size_t n = words_name(name, MAX_COMMAND);
    char operator = 0;
    p = name + n;
    value = variable_n(m->envp, name, n);
    if (n > 0 && p[0] == ':' && (p[1] == '-' || p[1] == '+')) {
        bool filled = value && *value;
        operator = p[1];
        p = scan(m, p + 2, quoted, live && !checking && filled == (operator == '+'), braces + 1);
        if (m->error)
            return p;
    }
    if (n == 0 || *p != '}')
        m->error = *p ? WORDS_BAD_NAME : WORDS_OPEN_BRACE;
    else if (checking)
        while (start <= p)
            put(m, live, *start++);
    else if (operator != '+')
        while (value && *value)
            put(m, live, *value++);
    return p + 1;
}

/* p is behind a backslash. */
static const char *escape(struct maker *m, const char *p, bool quoted, bool live) {
    if (!*p) {
        m->error = WORDS_TRAILING_BACKSLASH;
        return p;
    }
    if (quoted && !strchr("\\\"$`", *p))
        put(m, live, '\\');
    put(m, live, *p);
    return p + 1;
}

static const char *single_quoted(struct maker *m, const char *p, bool live) {
    m->any |= live;
    while (*p && *p != '\'')
        put(m, live, *p++);
    if (!*p)
        m->error = WORDS_OPEN_QUOTE;
    return p + 1;
}

/* Reads one word, or the word inside ${NAME:-…} up to its brace (braces > 0), or what stands inside
 * double quotes. live: what is read is put. Returns where it stopped. */
static const char *scan(struct maker *m, const char *p, bool quoted, bool live, int braces) {
    bool own_quote = false; /* opened in here, so it must be closed in here */
    if (braces > NESTING)
        m->error = WORDS_BAD_NAME;
    while (m->error == WORDS_OK && *p) {
        bool in_quotes = quoted || own_quote;
        char c = *p++;
        if (c == '\\') {
            p = escape(m, p, in_quotes, live);
        } else if (c == '$' && *p == '{') {
            p = expansion(m, p + 1, in_quotes, live, braces);
        } else if (c == '$' && *p == '$') {
            put(m, live, *p++);
        } else if (c == '"' && !quoted) {
            own_quote = !own_quote;
            m->any |= live;
        } else if (c == '\'' && !in_quotes) {
            p = single_quoted(m, p, live);
        } else if ((braces > 0 && c == '}' && !own_quote) || (braces == 0 && blank(c) && !in_quotes)) {
            return p - 1;
        } else {
            put(m, live, c);
        }
    }
    if (m->error == WORDS_OK && own_quote)
        m->error = WORDS_OPEN_QUOTE;
    else if (m->error == WORDS_OK && braces > 0)
        m->error = WORDS_OPEN_BRACE;
    return p;
}

enum words_error words_make(struct words *words, const char *text, char *const *envp) {
    struct maker m = {.out = words->bytes, .room = sizeof words->bytes, .envp = envp};
    words->n = 0;
    for (;;) {
        size_t start = m.used;
        while (blank(*text))
            text++;
        if (!*text)
            break;
        m.any = false;
        text = scan(&m, text, false, true, 0);
        if (m.error)
            return m.error;
        if (!m.any)
            continue;
        if (words->n == MAX_WORDS)
            return WORDS_TOO_MANY;
        words->argv[words->n++] = m.out + start;
        m.out[m.used++] = 0; /* put() keeps a byte free for it */
        if (m.used == m.room)
            return WORDS_TOO_LONG;
    }
    words->argv[words->n] = NULL;
    words->used = m.used;
    return words->n ? WORDS_OK : WORDS_EMPTY;
}

enum words_error words_value(char *out, size_t room, const char *text, char *const *envp) {
    struct maker m = {.out = out, .room = room, .envp = envp};
    if (room == 0)
        return WORDS_TOO_LONG;
    for (;;) {
        text = scan(&m, text, false, true, 0);
        if (m.error || !*text)
            break;
        put(&m, true, *text++); /* a blank: kept, a value is not split */
    }
    out[m.used] = 0;
    return m.error;
}

const char *words_error_text(enum words_error error) {
    switch (error) {
    case WORDS_OK: return "ok";
    case WORDS_OPEN_QUOTE: return "a quote is not closed";
    case WORDS_OPEN_BRACE: return "a ${ is not closed with }";
    case WORDS_BAD_NAME: return "after ${ only NAME}, NAME:-word} or NAME:+word} may stand; write $$ for a dollar sign";
    case WORDS_TRAILING_BACKSLASH: return "a backslash ends it";
    case WORDS_TOO_MANY: return "it has more than 512 words";
    case WORDS_TOO_LONG: return "it is longer than 32768 bytes";
    case WORDS_EMPTY: return "it is empty";
    }
    return "";
}
