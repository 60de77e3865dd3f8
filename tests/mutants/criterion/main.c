/* main.c: runs the tests that have announced themselves; see criterion.h. */
#include <criterion/criterion.h>
#include <unistd.h>

static struct criterion_test *first, **last = &first;

void criterion_add(struct criterion_test *test) {
    *last = test;
    last = &test->next;
}

void criterion_failed(void) { exit(1); }

static void run(const struct criterion_test *test) {
    char line[256];
    int length = snprintf(line, sizeof line, "%s\n", test->name);
    if (write(STDOUT_FILENO, line, (size_t)length) != length)
        exit(2);
    if (test->suite->init)
        test->suite->init();
    test->run();
    if (test->suite->fini)
        test->suite->fini();
}

int main(int argc, char **argv) {
    for (const struct criterion_test *test = first; test; test = test->next)
        if (argc < 2 || strcmp(test->name, argv[1]) == 0)
            run(test);
    return 0;
}
