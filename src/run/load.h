/* run/load.h: from options to a configuration, or to every complaint about it on stderr.
 */
#ifndef RUN_LOAD_H
#define RUN_LOAD_H

#include "conf/conf.h"

/* All that is wrong, a line each, on stderr; json: an object each. */
void load_print(const struct findings *findings, bool warnings, bool json);
/* Whether the options ask for lines of JSON: for what is said before there is a configuration. */
bool load_wants_json(const struct options *options);

/* Reads the files of options and makes config. 0; or the exit code, and the findings say why. */
int load_config(const struct options *options, const struct facts *facts, struct arena *arena,
                struct config *config, struct findings *findings);

#endif
