/* sys/shared.h: memory that children write and their parent reads.
 */
#ifndef SYS_SHARED_H
#define SYS_SHARED_H

#include <stddef.h>

/* Zeroed, kept over fork, gone from what is exec'd. NULL: none; errno. */
void *shared_memory(size_t bytes);

#endif
