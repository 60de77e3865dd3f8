#include "core/agenda.h"

uint64_t agenda_bytes(uint16_t alarms) {
    return (uint64_t)alarms * (sizeof(instant) + 2 * sizeof(uint16_t));
}

void agenda_layout(struct agenda *agenda, uint16_t alarms, void *memory) {
    agenda->at = memory;
    agenda->heap = (uint16_t *)(agenda->at + alarms);
    agenda->place = agenda->heap + alarms;
    agenda->alarms = alarms;
    agenda->n = 0;
    for (uint16_t i = 0; i < alarms; i++)
        agenda->place[i] = AGENDA_OFF;
}

static bool rings_first(const struct agenda *agenda, uint16_t a, uint16_t b) {
    int64_t at_a = agenda->at[a].ns, at_b = agenda->at[b].ns;
    return at_a != at_b ? at_a < at_b : a < b;
}

static void put(struct agenda *agenda, uint16_t place, uint16_t alarm) {
    agenda->heap[place] = alarm;
    agenda->place[alarm] = place;
}

static void rise(struct agenda *agenda, uint16_t place) {
    uint16_t alarm = agenda->heap[place];
    while (place > 0) {
        uint16_t parent = (uint16_t)((place - 1) / 2);
        if (!rings_first(agenda, alarm, agenda->heap[parent]))
            break;
        put(agenda, place, agenda->heap[parent]);
        place = parent;
    }
    put(agenda, place, alarm);
}

static void sink(struct agenda *agenda, uint16_t place) {
    uint16_t alarm = agenda->heap[place];
    for (;;) {
        uint32_t child = 2u * place + 1;
        if (child >= agenda->n)
            break;
        if (child + 1 < agenda->n && rings_first(agenda, agenda->heap[child + 1], agenda->heap[child]))
            child++;
        if (!rings_first(agenda, agenda->heap[child], alarm))
            break;
        put(agenda, place, agenda->heap[child]);
        place = (uint16_t)child;
    }
    put(agenda, place, alarm);
}

static void drop(struct agenda *agenda, uint16_t alarm) {
    uint16_t place = agenda->place[alarm], last = agenda->heap[--agenda->n];
    agenda->place[alarm] = AGENDA_OFF;
    if (last == alarm)
        return;
    put(agenda, place, last);
    rise(agenda, place);
    sink(agenda, agenda->place[last]);
}

void agenda_set(struct agenda *agenda, uint16_t alarm, instant at) {
    bool on = agenda->place[alarm] != AGENDA_OFF;
    if (is_never(at)) {
        if (on)
            drop(agenda, alarm);
        return;
    }
    agenda->at[alarm] = at;
    if (!on)
        put(agenda, agenda->n++, alarm);
    rise(agenda, agenda->place[alarm]);
    sink(agenda, agenda->place[alarm]);
}

instant agenda_when(const struct agenda *agenda, uint16_t alarm) {
    return agenda->place[alarm] == AGENDA_OFF ? NEVER : agenda->at[alarm];
}

instant agenda_next(const struct agenda *agenda) {
    return agenda->n ? agenda->at[agenda->heap[0]] : NEVER;
}

uint16_t agenda_take(struct agenda *agenda, instant now) {
    uint16_t first;
    if (!agenda->n || !due(agenda->at[agenda->heap[0]], now))
        return AGENDA_OFF;
    first = agenda->heap[0];
    drop(agenda, first);
    return first;
}
