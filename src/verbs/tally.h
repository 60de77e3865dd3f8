/* verbs/tally.h: what the runs of a rehearsal have said of themselves, and the sum of it. */
#ifndef VERBS_TALLY_H
#define VERBS_TALLY_H

#include "model/instant.h"
#include "model/limits.h"

enum { MOST_RUNS = 1000 };

/* One run. used_ms -1: it did not get so far. */
struct result { int64_t used_ms, slowest_ms; bool clean; char slowest[MAX_NAME + 8]; };

struct tally { struct result v[MOST_RUNS]; unsigned n; };

/* From an answer to /status, which it cuts: the name, up to its quote, of a service that has ended by itself or was
 * started again; NULL: there is none. */
const char *tally_ended(char *status);
/* From a report, which it cuts. */
void tally_report(char *report, struct result *result);

unsigned tally_clean(const struct tally *tally);
/* Sorts the runs. false: stdout has not taken it. */
bool tally_print(struct tally *tally, span grace);

#endif
