/* text/ids.h: the names that stand in a store: "000042-20261121T031500Z", and what may be put before it.
 */
#ifndef TEXT_IDS_H
#define TEXT_IDS_H

#include <stdint.h>

#include "model/checkpoint.h"

enum id_form {
    ID_WHOLE,      /* a checkpoint */
    ID_NEW,        /* ".new-": an attempt */
    ID_OLD,        /* ".old-": one that is being removed */
    ID_LINK,       /* ".latest-": a link that has not been moved into its place */
    ID_DAMAGED,    /* "damaged-": set aside */
    ID_NONE,       /* none of the store's */
};
enum { ID_NAME = CHECKPOINT_ID + 8 };   /* room for the longest form */

/* *number: of the id; untouched for ID_NONE. */
enum id_form id_parse(const char *name, uint32_t *number);
/* The id of a number, at a time in seconds since 1970. */
void id_print(char into[static CHECKPOINT_ID], uint32_t number, int64_t seconds);
/* The id in another form. */
void id_name(char into[static ID_NAME], enum id_form form, const char *id);

#endif
