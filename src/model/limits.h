/* model/limits.h: the documented capacities. More than these in a file is an error there.
 *
 * Every array in the program is sized from a configuration that has been checked against them, so
 * nothing grows after the files have been read.
 */
#ifndef MODEL_LIMITS_H
#define MODEL_LIMITS_H

enum {
    MAX_SERVICES = 500,     /* [service] sections */
    MAX_UNITS = 1000,       /* service instances, replicas up to MAX counted */
    MAX_STEPS = 250,        /* [drain], [checkpoint] and [finish] sections together */
    MAX_CHECKPOINTS = 32,   /* [checkpoint] sections */
    MAX_KEEP = 1000,        /* `keep` of a checkpoint */
    MAX_CHECKS = 1000,      /* ready and live checks */
    MAX_STORE = 200,        /* bytes of the name of a checkpoint's store */
    MAX_NAME = 48,          /* bytes of a section's name */
    MAX_LINE = 4096,        /* bytes of a line of a file, its end not counted */
    MAX_WORDS = 512,        /* words of a command after expansion */
    MAX_COMMAND = 32768,    /* bytes of a command after expansion */
    MAX_ENV = 4096,         /* variables of a child */
    MAX_ENV_BYTES = 131072, /* bytes of a child's environment */
    MAX_AFTER = 32,         /* names in one `after` */
    MAX_ESCALATIONS = 4,    /* signals in one `stop-signal` */
    MAX_FILES = 64,         /* configuration files */
    MAX_GRACE_S = 86400,    /* the longest duration that may be written: a day */
    MAX_CLIENTS = 64,       /* connections that net serves at a time, of each kind */
    MAX_REPLIES = 32,       /* requests to PID 1 that wait for an answer */
    MAX_REPORT = 4096,      /* bytes of a termination message (Kubernetes cuts there) */
};

#endif
