/* main.c: sim [-n N] [-b N] [-s SEED] [-k DIR]   N shutdowns of up to eight services, N of up to 200, from SEED;
 *                                             the scene of one that fails is made small and kept in DIR
 *         sim [-s SEED] -r N                   N that are written down, read and played again: are they the same?
 *         sim -q ...                           says which seed fails, and no more
 *         sim SEED, sim bSEED                  one, told; b: of up to 200 services
 *         sim [-t] FILE...                     kept scenes; -t: told
 */
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "sim.h"

static const char *keep;
static bool quiet;

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const char *size(void) { return sim.big ? "b" : ""; }
static double when(void) { return (double)sim.now.ns / 1e9; }

/* ---- one that fails ---- */

static void keep_scene(void) {
    char path[512];
    FILE *file;
    snprintf(path, sizeof path, "%s/%s%llu.scene", keep, size(), (unsigned long long)sim.seed);
    file = fopen(path, "w");
    if (!file) {
        perror(path);
        return;
    }
    fprintf(file, "# %s\n", sim.failure);
    scene_print(file);
    fclose(file);
    printf("kept as %s\n", path);
}

static int failed(uint64_t seed) {
    const char *rule = sim.rule;
    printf("seed %s%llu fails: %s\n", size(), (unsigned long long)seed, sim.failure);
    if (quiet)
        return 1;
    story(seed, RECORDED);
    if (sim.too_large || story(seed, READ) || sim.rule != rule) {
        printf("it cannot be made small; told: build/sim %s%llu\n", size(), (unsigned long long)seed);
        return 1;
    }
    printf("made small in %u tries:\n", shrink());
    scene_print(stdout);
    if (keep)
        keep_scene();
    sim.trace = true;
    story(seed, READ);
    printf("%.6f: %s\n", when(), sim.failure);
    return 1;
}

/* A crash or an endless loop of the core: at least the seed is said. */
static void stricken(int sig) {
    static uint64_t seen;
    char text[80];
    if (sig == SIGALRM && seen != sim.seed) {
        seen = sim.seed;
        alarm(30);
        return;
    }
    snprintf(text, sizeof text, "seed %s%llu: %s\n", size(), (unsigned long long)sim.seed, strsignal(sig));
    if (write(1, text, strlen(text)) < 0)
        _exit(4);
    _exit(3);
}

/* ---- many ---- */

static int many(uint64_t first, uint64_t n, bool big) {
    double began = seconds();
    uint64_t events = 0;
    sim.big = big;
    for (uint64_t seed = first; seed < first + n; seed++) {
        if (!story(seed, DRAWN))
            return failed(seed);
        events += sim.n_events;
    }
    if (n > 0)
        printf("%llu shutdowns of up to %u services, %llu events, %.1f s: no rule broken\n", (unsigned long long)n,
               big ? MOST_SERVICES : 8u, (unsigned long long)events, seconds() - began);
    return 0;
}

/* Written down, read and played, a run must be the same. */
static int round_trips(uint64_t first, uint64_t n) {
    const char *path = "/dev/shm/sim.scene";
    for (uint64_t seed = first; seed < first + n; seed++) {
        uint64_t hash;
        FILE *file;
        if (!story(seed, RECORDED))
            return failed(seed);
        if (sim.too_large)
            continue;
        hash = sim.hash;
        file = fopen(path, "w");
        if (!file) {
            perror(path);
            return 2;
        }
        scene_print(file);
        fclose(file);
        if (!scene_read(path) || !story(seed, READ) || sim.hash != hash) {
            printf("seed %llu: what was written down is not what happened: %s\n", (unsigned long long)seed, path);
            return 1;
        }
    }
    unlink(path);
    printf("%llu shutdowns written down and played again: the same\n", (unsigned long long)n);
    return 0;
}

static int tell_one(const char *which) {
    sim.big = *which == 'b';
    sim.trace = true;
    if (story(strtoull(which + sim.big, NULL, 10), DRAWN))
        return 0;
    printf("%.6f: %s\n", when(), sim.failure);
    return 1;
}

static int scenes(int n, char **paths) {
    int bad = 0;
    for (int i = 0; i < n; i++) {
        if (!scene_read(paths[i]))
            return 2;
        if (!story(0, READ)) {
            bad = 1;
            printf("%s: %.6f: %s\n", paths[i], when(), sim.failure);
        }
    }
    printf("%d kept scenes: %s\n", n, bad ? "a rule is broken" : "no rule broken");
    return bad;
}

int main(int argc, char **argv) {
    uint64_t small = 0, big = 0, trips = 0, first = 1;
    int option;
    while ((option = getopt(argc, argv, "n:b:s:r:k:tq")) != -1)
        switch (option) {
        case 'n': small = strtoull(optarg, NULL, 10); break;
        case 'b': big = strtoull(optarg, NULL, 10); break;
        case 's': first = strtoull(optarg, NULL, 10); break;
        case 'r': trips = strtoull(optarg, NULL, 10); break;
        case 'k': keep = optarg; break;
        case 't': sim.trace = true; break;
        case 'q': quiet = true; break;
        default: return 2;
        }
    signal(SIGSEGV, stricken), signal(SIGABRT, stricken), signal(SIGFPE, stricken), signal(SIGALRM, stricken);
    alarm(30);
    if (optind < argc && strchr(argv[optind], '.'))
        return scenes(argc - optind, argv + optind);
    if (optind < argc)
        return tell_one(argv[optind]);
    if (trips > 0)
        return round_trips(first, trips);
    return many(first, small, false) || many(first, big, true);
}
