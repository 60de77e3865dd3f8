/* What the bench's timing programs share: the clock, and a command as PID 1 of namespaces of its own. */
#ifndef LAUNCH_H
#define LAUNCH_H

#include <stdint.h>
#include <sys/types.h>

enum { MAX_COMMANDS = 64 };
#define NS_PER_MS INT64_C(1000000)

/* Commands stand between commas on the command line. */
struct commands { char **v[MAX_COMMANDS]; int n; };
void split(struct commands *commands, char **words);
/* Another order each time: whose turn it was before decides on which processor one wakes. */
void shuffle(int *order, int n);

int64_t now_ns(void);
void die(const char *what, const char *whom);

/* PID 1 of a pid and a mount namespace, stdout to `out`, stderr to /dev/null. */
pid_t start(char **argv, int out);
int end_of(pid_t pid);
/* The first child that shows; 0: none within 5 s. */
pid_t first_child(pid_t init);
int children_of(pid_t init); /* how many; many are some */

#endif
