#include "text/ids.h"

#include <string.h>

#include "text/number.h"
#include "text/out.h"
#include "text/utc.h"

static const char *const prefixes[] = {"", ".new-", ".old-", ".latest-", "damaged-"};
_Static_assert(sizeof prefixes / sizeof *prefixes == ID_NONE, "a prefix a form");

enum { DIGITS_LEAST = 6, DIGITS_MOST = 10, TIME = 17 /* "-20261121T031500Z" */ };

static bool is_time(const char *text) {
    if (strlen(text) != TIME || text[0] != '-' || text[9] != 'T' || text[16] != 'Z')
        return false;
    return number_parse(text + 1, 8, INT64_MAX) >= 0 && number_parse(text + 10, 6, INT64_MAX) >= 0;
}

/* One number has one way to be written: zeros only fill it up to the least digits. */
static bool is_id(const char *text, uint32_t *number) {
    size_t digits = strspn(text, "0123456789");
    if (digits < DIGITS_LEAST || digits > DIGITS_MOST || (digits > DIGITS_LEAST && text[0] == '0'))
        return false;
    int64_t value = number_parse(text, digits, UINT32_MAX);
    if (value < 0 || !is_time(text + digits))
        return false;
    *number = (uint32_t)value;
    return true;
}

enum id_form id_parse(const char *name, uint32_t *number) {
    for (enum id_form form = ID_WHOLE; form < ID_NONE; form++) {
        size_t n = strlen(prefixes[form]);
        if (strncmp(name, prefixes[form], n) == 0 && is_id(name + n, number))
            return form;
    }
    return ID_NONE;
}

void id_print(char into[static CHECKPOINT_ID], uint32_t number, int64_t seconds) {
    char time[UTC_ROOM];
    struct out out = out_on(into, CHECKPOINT_ID);
    for (uint32_t least = 100000; least > 1 && number < least; least /= 10)
        out_char(&out, '0');
    out_uint(&out, number);
    out_char(&out, '-');
    for (const char *at = utc_print(time, seconds); *at != 0; at++)
        if (*at != '-' && *at != ':')
            out_char(&out, *at);
}

void id_name(char into[static ID_NAME], enum id_form form, const char *id) {
    struct out out = out_on(into, ID_NAME);
    out_text(&out, prefixes[form]);
    out_text(&out, id);
}
