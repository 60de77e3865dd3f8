#include "text/signame.h"

#include <string.h>

#include "model/signals.h"
#include "text/number.h"
#include "text/out.h"

/* Linux on the machines that Debian builds for, but for alpha, mips and sparc. */
static const char names[][8] = {
    "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
    "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
    "WINCH", "IO", "PWR", "SYS",
};
static const struct { char name[6]; uint8_t sig; } aliases[] = {
    {"IOT", 6}, {"CLD", 17}, {"POLL", 29}, {"UNUSED", 31},
};
enum { NAMED = sizeof names / sizeof *names, ALIASES = sizeof aliases / sizeof *aliases, RTMIDDLE = 49 };
_Static_assert(NAMED == 32, "a name for every signal below the real-time ones");

static char upper(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c; }

/* Whether text is the word, whatever its case; room: of the word, which need not end with a NUL. */
static bool same(const char *text, size_t n, const char *word, size_t room) {
    if (strnlen(word, room) != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (upper(text[i]) != word[i])
            return false;
    return true;
}

/* One or two digits, else -1. */
static int small_number(const char *text, size_t n) {
    return n > 2 ? -1 : (int)number_parse(text, n, 99);
}

/* RTMIN, RTMIN+N, RTMAX, RTMAX-N */
static int realtime(const char *text, size_t n) {
    bool min = same(text, n < 5 ? n : 5, "RTMIN", 5), max = same(text, n < 5 ? n : 5, "RTMAX", 5);
    int distance = 0;
    if (!min && !max)
        return 0;
    if (n > 5 && (text[5] != (min ? '+' : '-') || (distance = small_number(text + 6, n - 6)) < 0))
        return 0;
    if (distance > SIGNAL_MAX - RTMIN_BASE)
        return 0;
    return min ? RTMIN_BASE + distance : SIGNAL_MAX - distance;
}

int signame_parse(const char *text, size_t n) {
    int number = small_number(text, n);
    if (number >= 0)
        return number <= SIGNAL_MAX ? number : 0;
    if (n > 3 && same(text, 3, "SIG", 3)) {
        text += 3;
        n -= 3;
    }
    for (int i = 1; i < NAMED; i++)
        if (same(text, n, names[i], sizeof names[i]))
            return i;
    for (int i = 0; i < ALIASES; i++)
        if (same(text, n, aliases[i].name, sizeof aliases[i].name))
            return aliases[i].sig;
    return realtime(text, n);
}

const char *signame(int sig, char buffer[static SIGNAME_ROOM]) {
    struct out out = out_on(buffer, SIGNAME_ROOM);
    if (sig > 0 && sig < NAMED) {
        out_text(&out, names[sig]);
    } else if (sig < RTMIN_BASE || sig > SIGNAL_MAX) {
        out_int(&out, sig);
    } else {
        bool low = sig <= RTMIDDLE;
        int distance = low ? sig - RTMIN_BASE : SIGNAL_MAX - sig;
        out_text(&out, low ? "RTMIN" : "RTMAX");
        if (distance > 0) {
            out_char(&out, low ? '+' : '-');
            out_int(&out, distance);
        }
    }
    return buffer;
}
