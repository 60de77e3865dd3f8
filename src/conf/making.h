/* conf/making.h: a command line of another init on its way to lastcall's own; personality*.c alone. */
#ifndef CONF_MAKING_H
#define CONF_MAKING_H

#include "conf/personality.h"
#include "conf/scan.h"
#include "text/out.h"
#include "text/variable.h"

struct making {
    struct calling *calling;
    struct arena *arena;
    struct scan scan;
    const char *self;         /* argv[0] */
    const char **own;
    int n_own;                /* at most one for each word of argv, and OWN_MORE */
    struct out out;           /* while a text is made */
};
#define TTY_SIGNALS (signal_bit(20) | signal_bit(21) | signal_bit(22)) /* TSTP, TTIN, TTOU */

enum { OWN_MORE = 6, STDOUT = 1, STDERR = 2 };

/* One word of lastcall's: an option, and its value if there is one. */
void own(struct making *m, const char *option, const char *value);

/* A text that is all there is to do: open, write to it, close (which returns false). */
struct out *saying(struct making *m);
struct out *complaint(struct making *m); /* begun as the other begins an error */
bool said(struct making *m, int stream, int code);
/* lastcall's own. */
bool licence(struct making *m);
/* What getopt(3) says of the word that stopped the scan. */
void complain(struct making *m, struct out *out);

/* One for each: fills in manners and own words; false: calling->text says why there is nothing to run. */
bool tini(struct making *m);
bool dumb_init(struct making *m);
bool catatonit(struct making *m);
extern const struct scan_option tini_options[], dumb_init_options[], catatonit_options[];

#endif
