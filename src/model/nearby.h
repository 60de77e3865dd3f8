/* model/nearby.h: what runs between a signal and the program that it is for stands side by side.
 *
 * Those few pages stay in memory while lastcall rests; all others are given back (sys/idle.h), and what
 * has to come back first would delay the signal.
 */
#ifndef MODEL_NEARBY_H
#define MODEL_NEARBY_H

#define NEARBY __attribute__((section("nearby")))

#endif
