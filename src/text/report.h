/* text/report.h: what a shutdown did, as one JSON object of at most MAX_REPORT bytes.
 *
 * Pure: from rows and a few values. When it does not fit, pending steps are left out first, then
 * skipped ones, then those that went well, then the latest: what went wrong first is kept.
 */
#ifndef TEXT_REPORT_H
#define TEXT_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "model/limits.h"
#include "model/page.h"
#include "model/row.h"

struct report_process { const char *service, *comm; int32_t pid; }; /* service NULL: not known */

struct report {
    const struct model *model;
    const struct row *rows;
    uint16_t n_rows;
    const char *summary, *cause, *host, *version;
    uint8_t verdict;
    int16_t exit;                  /* -1: not known yet */
    instant zero;                  /* from which steps are counted: the clock's start */
    span grace, used;              /* grace FOREVER: none */
    int64_t time_s;                /* when this was written, seconds since 1970 */
    const struct report_process *killed, *left;
    uint16_t n_killed, n_left;
    int64_t oom;                   /* OOM kills; -1: not known */
    const char *checkpoint;        /* the newest that this stop has taken; NULL: none */
};

/* Ends with a newline, which is counted. Returns the bytes; 0 if not even what is not left out fits. */
size_t report_make(char into[static MAX_REPORT + 1], const struct report *report);

/* The verdict and the cause of such a report, or of the first 4 kB of one. false: it holds no verdict that there is. */
bool report_read(const char *text, size_t n, char *verdict, size_t verdict_room, char *cause, size_t cause_room);

#endif
