/* run/load.h: from options to a configuration, or to every complaint about it on stderr.
 */
#ifndef RUN_LOAD_H
#define RUN_LOAD_H

#include "conf/conf.h"

/* All that is wrong, a line each, on stderr. */
void load_print(const struct findings *findings, bool warnings);

/* Reads the files of options and makes config. 0; or the exit code, and it has been said why. */
int load_config(const struct options *options, const struct facts *facts, struct arena *arena,
                struct config *config, struct findings *findings);

#endif
