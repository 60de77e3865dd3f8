#include "text/utc.h"

#include <string.h>

static void two_digits(char *at, int64_t value) {
    at[0] = (char)('0' + value / 10 % 10);
    at[1] = (char)('0' + value % 10);
}

/* Days since 1970 to a date; years are counted from March, so that the leap day is the last. */
static void date_of(int64_t days, int64_t *year, int64_t *month, int64_t *day) {
    days += 719468;
    int64_t era = days / 146097, in_era = days % 146097;
    int64_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * y + y / 4 - y / 100), m = (5 * in_year + 2) / 153;
    *day = in_year - (153 * m + 2) / 5 + 1;
    *month = m < 10 ? m + 3 : m - 9;
    *year = y + era * 400 + (*month <= 2);
}

const char *utc_print(char into[static UTC_ROOM], int64_t seconds) {
    int64_t year, month, day, in_day;
    seconds = seconds > 0 ? seconds : 0;
    in_day = seconds % 86400;
    date_of(seconds / 86400, &year, &month, &day);
    memcpy(into, "0000-00-00T00:00:00Z", 21);
    two_digits(into, year / 100);
    two_digits(into + 2, year);
    two_digits(into + 5, month);
    two_digits(into + 8, day);
    two_digits(into + 11, in_day / 3600);
    two_digits(into + 14, in_day / 60 % 60);
    two_digits(into + 17, in_day % 60);
    return into;
}
