/* core/agenda.h: who is due when. A binary heap over a fixed number of alarms, each set at most once.
 *
 * agenda_next is O(1), setting or clearing an alarm O(log n). Two alarms at the same instant ring in
 * the order of their numbers, so a run can be repeated exactly.
 */
#ifndef CORE_AGENDA_H
#define CORE_AGENDA_H

#include "model/instant.h"

struct agenda {
    instant *at;      /* by alarm */
    uint16_t *heap;   /* alarms that are set, earliest first */
    uint16_t *place;  /* by alarm: its place in heap, AGENDA_OFF if it is not set */
    uint16_t n, alarms;
};
enum { AGENDA_OFF = 0xffff };

uint64_t agenda_bytes(uint16_t alarms);
/* memory: agenda_bytes(alarms), aligned to 8. All alarms are off. */
void agenda_layout(struct agenda *agenda, uint16_t alarms, void *memory);
/* NEVER turns it off. */
void agenda_set(struct agenda *agenda, uint16_t alarm, instant at);
/* When the alarm rings; NEVER if it is off. */
instant agenda_when(const struct agenda *agenda, uint16_t alarm);
instant agenda_next(const struct agenda *agenda);
/* The earliest alarm if it is due, turned off; AGENDA_OFF if none is. */
uint16_t agenda_take(struct agenda *agenda, instant now);

#endif
