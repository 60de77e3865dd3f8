/* text/variable.h: one variable of an environment.
 */
#ifndef TEXT_VARIABLE_H
#define TEXT_VARIABLE_H

#include <stddef.h>

/* Its value, "" if it is empty; NULL: it is not set, or envp is NULL. name need not end after n bytes. */
const char *variable_n(char *const *envp, const char *name, size_t n);
const char *variable(char *const *envp, const char *name);

#endif
