/* conf/scan.h: one option after the other, as getopt_long(3) has it.
 *
 * Bundled letters, values attached or in the next word, long names that may be cut short while only
 * one begins so, "--" before the words. getopt itself keeps its state in globals and prints.
 */
#ifndef CONF_SCAN_H
#define CONF_SCAN_H

#include <stdbool.h>

struct scan_option { char letter; bool takes_value; const char *name; /* NULL: a letter alone */ };

enum scan_found { SCAN_OPTION, SCAN_END, SCAN_UNKNOWN, SCAN_NO_VALUE, SCAN_NOT_ONE, SCAN_UNWANTED };

struct scan {
    const struct scan_option *options; /* ends with a letter of 0 */
    int argc;
    char *const *argv;
    bool permutes;             /* options may stand behind words; else the first word ends them */
    const char **words;        /* room for argc: what is no option, in order */
    int n_words;
    enum scan_found found;
    char letter;               /* of the option, or what is none */
    const char *value;         /* NULL: it takes none */
    const char *long_word;     /* the whole word with a long name; NULL: it was a letter */
    int at;                    /* its own: the next word, and the rest of a bundle */
    const char *rest;
};

/* The next option; false at the end, and at what is wrong: found says which. */
bool scan_next(struct scan *scan);

#endif
