/* tests/unit/conf_support.h: files as texts into a configuration, and what was found wrong with them.
 */
#ifndef TESTS_CONF_SUPPORT_H
#define TESTS_CONF_SUPPORT_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/keys.h"

#define UNUSED __attribute__((unused)) /* not every test needs all */

static _Alignas(8) char memory[4 << 20];
static struct arena arena;
static struct findings findings;
static struct options options;
static struct config config;
UNUSED static const struct policy *const policy = &config.model.policy;

struct world {
    const char *const *words;   /* of the command line, behind -c ... */
    const char *const *envp;
    bool terminal, phases_only;
};

/* Loads texts as a.ini, b.ini, ... Each text is copied to the byte, so that reading on would be seen. */
static bool load_all(struct world world, unsigned n, const char *const *texts, const size_t *bytes) {
    static const char *const names[] = {"a.ini", "b.ini", "c.ini"};
    static const char *const none[] = {NULL};
    const char *argv[32] = {"lastcall"};
    struct source sources[3];
    struct facts facts = {.envp = (char *const *)(world.envp ? world.envp : none), .terminal = world.terminal,
                          .phases_only = world.phases_only};
    int argc = 1;
    bool good;
    memset(memory, 0, sizeof memory);
    arena = (struct arena){memory, memory + sizeof memory};
    findings = (struct findings){0};
    for (unsigned i = 0; i < n; i++) {
        char *copy = malloc(bytes[i] ? bytes[i] : 1);
        argv[argc++] = "-c";
        argv[argc++] = names[i];
        memcpy(copy, texts[i], bytes[i]);
        sources[i] = (struct source){names[i], copy, bytes[i]};
    }
    for (const char *const *word = world.words; word && *word; word++)
        argv[argc++] = *word;
    cr_assert(conf_options(argc, (char *const *)argv, (char *const *)facts.envp, &arena, &options, &findings));
    good = conf_load(&options, sources, n, &facts, &arena, &config, &findings);
    for (unsigned i = 0; i < n; i++)
        free((char *)sources[i].text);
    cr_assert_eq(good, findings.errors == 0);
    return good;
}

UNUSED static bool load_in(struct world world, const char *text) { return load_all(world, 1, &text, (size_t[]){strlen(text)}); }
static bool load(const char *text) { return load_in((struct world){0}, text); }
UNUSED static bool load_two(const char *first, const char *second) {
    const char *texts[] = {first, second};
    return load_all((struct world){0}, 2, texts, (size_t[]){strlen(first), strlen(second)});
}

UNUSED static void print_findings(void) {
    for (uint32_t i = 0; i < findings.n; i++)
        fprintf(stderr, "%s:%u: %s\n", findings.v[i].file, findings.v[i].line, findings.v[i].text);
}

#define good(text) do { if (!load(text)) { print_findings(); cr_assert_fail("it has errors"); } } while (0)
#define clean(text) do { good(text); print_findings(); cr_assert_eq(findings.n, 0); } while (0)

UNUSED static const struct finding *find(uint32_t line, const char *says) {
    for (uint32_t i = 0; i < findings.n; i++)
        if (findings.v[i].line == line && strstr(findings.v[i].text, says))
            return &findings.v[i];
    return NULL;
}

/* Exactly one error, on this line of a.ini. */
UNUSED static void expect_error(uint32_t line, const char *says) {
    if (findings.errors != 1 || !find(line, says))
        print_findings();
    cr_assert_eq(findings.errors, 1, "%u errors, not 1: %s", findings.errors, says);
    cr_assert_not_null(find(line, says), "not found in line %u: %s", line, says);
    cr_assert_eq(find(line, says)->level, LEVEL_ERROR);
    cr_assert_str_eq(find(line, says)->file, "a.ini");
}
#define bad(text, line, says) do { load(text); expect_error(line, says); } while (0)

/* A key of a service, or of a drain. */
#define bad_in_service(key, says) bad("[service a]\ncommand = a\n" key "\n", 3, says)
#define bad_in_drain(key, says) bad("[service a]\ncommand = a\n[drain d]\ntimeout = 1s\n" key "\n", 5, says)
#define warns(text, line, says) do { \
        good(text); \
        if (!find(line, says)) print_findings(); \
        cr_assert_not_null(find(line, says)); \
        cr_assert_eq(find(line, says)->level, LEVEL_WARNING); \
    } while (0)

UNUSED static const struct service *service(const char *name) {
    for (uint16_t i = 0; i < config.model.n_services; i++)
        if (strcmp(config.model.services[i].name, name) == 0)
            return &config.model.services[i];
    cr_assert_fail("no service %s", name);
    return NULL;
}
UNUSED static const struct service_spec *spec(const char *name) { return &config.services[service(name) - config.model.services]; }
UNUSED static const struct step_policy *step(const char *name) {
    for (uint16_t i = 0; i < config.model.n_steps; i++)
        if (strcmp(config.model.steps[i].name, name) == 0)
            return &config.model.steps[i];
    cr_assert_fail("no step %s", name);
    return NULL;
}
UNUSED static const struct step_spec *act(const char *name) { return &config.steps[step(name) - config.model.steps]; }
#define is_span(actual, expected) cr_assert_eq((actual).ns, (expected).ns, "%lld", (long long)(actual).ns)

#endif
