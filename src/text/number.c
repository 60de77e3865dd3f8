#include "text/number.h"

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
