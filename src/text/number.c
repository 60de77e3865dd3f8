#include "text/number.h"

#include <stdbool.h>
#include <string.h>

int64_t number_parse(const char *text, size_t n, int64_t most) {
    int64_t value = 0;
    for (size_t i = 0; i < n; i++) {
        int digit = text[i] - '0';
        if (digit < 0 || digit > 9 || digit > most || value > (most - digit) / 10)
            return -1;
        value = value * 10 + digit;
    }
    return n > 0 ? value : -1;
}

int64_t number_loose(const char **at) {
    const char *text = *at + strspn(*at, " \t\n\v\f\r");
    bool minus = *text == '-';
    text += minus || *text == '+';
    size_t n = strspn(text, "0123456789");
    int64_t value = number_parse(text, n, INT32_MAX);
    if (n == 0)
        return 0;
    *at = text + n;
    value = value < 0 ? INT32_MAX + INT64_C(1) : value;
    return minus ? -value : value;
}
