/* main.c: sim            as many seeds as fit into 20 seconds
 *         sim -n N -s S  N seeds, from S
 *         sim SEED       one, told
 */
#include <time.h>
#include <unistd.h>

#include "sim.h"

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int tell_one(uint64_t seed) {
    bool well = story(seed, true);
    if (!well)
        printf("FAILED at %.6f: %s\n", (double)sim.now.ns / 1e9, sim.failure);
    return !well;
}

static int failed(uint64_t seed, uint64_t passed) {
    printf("seed %llu failed: %s; it went like this:\n", (unsigned long long)seed, sim.failure);
    tell_one(seed);
    printf("again: build/sim %llu\n%llu passed, 1 failed\n", (unsigned long long)seed, (unsigned long long)passed);
    return 1;
}

int main(int argc, char **argv) {
    uint64_t n = UINT64_MAX, first = 1, passed = 0, events = 0;
    double began = seconds(), most = 20;
    int option;
    while ((option = getopt(argc, argv, "n:s:")) != -1) {
        if (option == '?')
            return 2;
        *(option == 'n' ? &n : &first) = strtoull(optarg, NULL, 10);
        most = option == 'n' ? 1e9 : most;
    }
    if (optind < argc)
        return tell_one(strtoull(argv[optind], NULL, 10));
    for (; passed < n && (passed % 1024 || seconds() - began < most); passed++) {
        if (!story(first + passed, false))
            return failed(first + passed, passed);
        events += sim.n_events;
    }
    printf("%llu events in %.1f s\n%llu passed, 0 failed\n", (unsigned long long)events, seconds() - began,
           (unsigned long long)passed);
    return 0;
}
