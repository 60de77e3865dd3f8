/* sys/idle.h: waits for a signal while holding as little memory as can be.
 *
 * The program's pages come from its file and can be had again: before a long wait they are given back.
 * The kernel maps sixteen pages around each one that is touched, as far as the mapping goes, so those
 * that wait and take a signal on its way (model/nearby.h) are made a mapping of their own first. A
 * sleeping lastcall then holds its stack, its data, and these few, and a signal brings in no other.
 */
#ifndef SYS_IDLE_H
#define SYS_IDLE_H

#include "sys/sigmask.h"

/* As sigmask_wait for all signals. */
bool idle_wait(span most, struct signal_taken *taken);

#endif
