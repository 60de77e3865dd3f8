#include "net/streak.h"

bool streak_feed(struct streak *streak, bool pass, uint16_t successes, uint16_t failures) {
    uint16_t enough = pass ? successes : failures;
    if (streak->run == 0 || streak->last != pass)
        streak->run = 0;
    streak->last = pass;
    if (streak->run < UINT16_MAX)
        streak->run++;
    if (streak->run < enough || (streak->known && streak->passing == pass))
        return false;
    streak->known = true;
    streak->passing = pass;
    return true;
}
