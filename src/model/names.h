/* model/names.h: the words for states, as /status, the report and the log print them. (Rows: row.h.)
 */
#ifndef MODEL_NAMES_H
#define MODEL_NAMES_H

#include <stdint.h>

const char *life_name(uint8_t life);             /* "starting", "running", "drained", "stopping", "exited" */
const char *unit_state_name(uint8_t unit_state); /* "waiting", "starting", "up", "backoff", "stopping", "down", "failed" */
const char *verdict_name(uint8_t verdict);       /* "none", "clean", "degraded", "forced", "overran", "interrupted" */
const char *checkpoint_state_name(uint8_t state); /* "waiting", "restoring", "idle", "saving", "failed" */
const char *check_kind_name(uint8_t kind);       /* "http", "tcp", "exec", "notify", "fd", "file", "delay" */

#endif
