/* text/errtext.h: what an errno means to a person, for those that lastcall's own calls give.
 */
#ifndef TEXT_ERRTEXT_H
#define TEXT_ERRTEXT_H

/* "no such file or directory"; "an error of the system" for one that is not expected. strerror(3) would
 * bring two kilobytes of others along. */
const char *errtext(int error);

#endif
