/* verbs/talk.h: what the client verbs share: their words, and one request to the running lastcall.
 */
#ifndef VERBS_TALK_H
#define VERBS_TALK_H

#include "model/instant.h"
#include "text/out.h"
#include "verbs/verb.h"

enum { EXIT_NO = 1, EXIT_WORDS = 2, EXIT_FAILED = 125, WORDS_MOST = 64 };

/* One option of a verb: with a value (each time it is given, into values), or without. */
struct verb_option {
    const char *name;        /* "--late" */
    const char **values;     /* NULL: none is taken */
    unsigned *n;             /* how often it was given */
    unsigned room;           /* of values */
};

struct verb_words {
    const char **plain;      /* those that are no options */
    unsigned n, room;
    char ***command;         /* where to put what stands behind "--"; NULL: nothing may */
};
/* Sorts the words of a call. false: it has said what is wrong and what to write (exit 2). */
bool words_sort(const struct verb_call *call, const struct verb_option *options, unsigned n_options,
                struct verb_words *words);
/* Whether there are so many; if not it has said so. */
bool words_enough(const struct verb_call *call, const struct verb_words *words, unsigned least);
/* Both; `plain` holds n_plain words afterwards, as many as were wanted. */
bool words_read(const struct verb_call *call, const struct verb_option *options, unsigned n_options,
                const char **plain, unsigned n_plain);

/* One line to stderr: "lastcall VERB: TEXT". */
void complain_about(const struct verb_call *call, const char *text);

struct talk_answer {
    int code;                /* 0: nobody answered */
    int error;               /* then: errno of the last try */
    char *body;              /* n bytes, and room for one more */
    size_t n;
    char *memory;            /* taken for it; NULL: none */
    int fd;                  /* open until talk_forget() or the exit: a lastcall that exits waits for that */
};

/* Gives back what was taken for it: for whoever asks again and again. */
void talk_forget(struct talk_answer *answer);

/* Asks the lastcall that `control` names (NULL: LASTCALL_CONTROL, LASTCALL_SOCKET, the default places).
 * Nothing is printed. */
struct talk_answer talk_ask(const struct verb_call *call, const char *control, const char *method, const char *path,
                            instant by);
/* The body to stdout and true if the answer is 2xx; else one line to stderr: what the answer says, or that
 * there is nobody, and where it was looked for. */
bool talk_print(const struct verb_call *call, const char *control, const struct talk_answer *answer);

#endif
