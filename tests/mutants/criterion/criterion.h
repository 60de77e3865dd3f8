/* What the unit tests use of Criterion, in one process and without a fork a test: a thousand broken cores are
 * tested in the time in which Criterion starts up. The first assertion that fails is enough.
 *
 *   unit               all tests; each says its name first, so that the last one said has failed
 *   unit SUITE.NAME    one
 */
#ifndef MUTANTS_CRITERION_H
#define MUTANTS_CRITERION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct criterion_suite { void (*init)(void), (*fini)(void); };
struct criterion_test { const char *name; void (*run)(void); const struct criterion_suite *suite; struct criterion_test *next; };

void criterion_add(struct criterion_test *test);
void criterion_failed(void) __attribute__((noreturn));

#define TestSuite(in, ...) static const struct criterion_suite suite_##in = {__VA_ARGS__}
/* A suite that nobody has declared is all zeros: this definition is a tentative one. */
#define Test(in, title) \
    static const struct criterion_suite suite_##in; \
    static void test_##in##_##title(void); \
    __attribute__((constructor)) static void add_##in##_##title(void) { \
        static struct criterion_test test = {.name = #in "." #title, .run = test_##in##_##title, .suite = &suite_##in}; \
        criterion_add(&test); \
    } \
    static void test_##in##_##title(void)

#define cr_assert(holds, ...) ((holds) ? (void)0 : criterion_failed())
#define cr_assert_not(holds, ...) cr_assert(!(holds))
#define cr_assert_null(it, ...) cr_assert((it) == NULL)
#define cr_assert_not_null(it, ...) cr_assert((it) != NULL)
#define cr_assert_eq(a, b, ...) cr_assert((a) == (b))
#define cr_assert_neq(a, b, ...) cr_assert((a) != (b))
#define cr_assert_lt(a, b, ...) cr_assert((a) < (b))
#define cr_assert_gt(a, b, ...) cr_assert((a) > (b))
#define cr_assert_leq(a, b, ...) cr_assert((a) <= (b))
#define cr_assert_geq(a, b, ...) cr_assert((a) >= (b))
#define cr_assert_str_eq(a, b, ...) cr_assert(strcmp(a, b) == 0)
#define cr_assert_fail(...) criterion_failed()

#endif
