/* verbs/loading.h: files into a configuration, for the verbs that look at one.
 */
#ifndef VERBS_LOADING_H
#define VERBS_LOADING_H

#include "conf/conf.h"
#include "verbs/talk.h"
#include "verbs/verb.h"

struct loading {
    struct arena arena;
    struct options options;
    struct config config;      /* good if loading_files() returned 0 */
    struct findings findings;
};

/* The words of a verb call: files, and a command behind "--". */
struct request {
    const char **paths;
    unsigned n_paths;
    char **command;            /* NULL: none */
    bool advise;               /* as in struct facts */
    const char *platform;
};

/* Fills in the request, and the verb's own options. false: it has said what is wrong. */
bool request_read(struct request *request, const struct verb_call *call, const struct verb_option *options,
                  unsigned n_options);

/* 0, or 78: errors are among the findings. */
int loading_files(struct loading *loading, const struct verb_call *call, const struct request *request);

/* A line each: "file:line: level: text". false: they could not be written. */
bool findings_print(const struct findings *findings, int fd);

/* All of it, whatever it takes; false and errno: it could not be written. */
bool write_all(int fd, const char *bytes, size_t n);
bool write_text(int fd, const char *text);
/* The exit code of a verb whose result is what it prints: 0; or 1, and it has said why that was not written. */
int result_code(const struct verb_call *call, bool wrote);

/* Zeroed memory that costs nothing until it is touched; NULL and errno: there is none. */
void *memory_try(size_t bytes);
/* The same; without it the verb has said so, and ends. */
void *memory_take(const struct verb_call *call, size_t bytes);
struct arena arena_of(const struct verb_call *call, size_t bytes);

#endif
