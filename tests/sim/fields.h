/* tests/sim/fields.h: the parts of a scene by name, so that one table serves printing, reading and making small.
 *
 * What is not said is plain: the value that a part of this kind has in the simplest of scenes.
 */
#ifndef SIM_FIELDS_H
#define SIM_FIELDS_H

#include "sim.h"

enum field_type {
    F_BOOL, F_U8, F_U16, F_INDEX /* a u16, NONE: none */, F_I16, F_I32, F_U32, F_U64,
    F_TIME,  /* a span or an instant */
    F_AFTER, /* the services that a service waits for */
    F_STOP,  /* its stop signals */
};
struct field { const char *name; uint32_t offset; uint8_t type; int64_t plain; const char *const *words; };
enum part_kind { PART_POLICY, PART_SERVICE, PART_CHECK, PART_STEP, PART_PROCESS, PART_EVENT, PART_TURN, PARTS };
struct part { const char *name; const struct field *fields; unsigned n_fields; size_t size; uint16_t most; };

extern const struct part parts[PARTS];
uint16_t *part_count(uint8_t kind); /* NULL: there is one, always */
void *part_at(uint8_t kind, uint16_t which);
int64_t field_get(const void *it, const struct field *field);
void field_set(void *it, const struct field *field, int64_t value);
void part_plain(uint8_t kind, void *it);

#endif
