/* sys/privileges.h: gives up what a helper does not need.
 */
#ifndef SYS_PRIVILEGES_H
#define SYS_PRIVILEGES_H

#include <stdbool.h>

/* No new privileges by any exec, no capability now. Root gets its bounding set back at the exec unless
 * that could be emptied, so the helper calls this once more when it has begun. false and errno: not
 * even no_new_privs can be had. */
bool privileges_drop(void);

#endif
