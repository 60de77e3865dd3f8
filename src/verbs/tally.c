#include "verbs/tally.h"

#include <string.h>

#include "text/out.h"
#include "verbs/loading.h"

/* The number behind "KEY": in this text; -1: none. */
static int64_t number_of(const char *json, const char *key) {
    const char *at = strstr(json, key);
    int64_t value = -1;
    if (!at)
        return -1;
    for (at += strlen(key); *at >= '0' && *at <= '9'; at++)
        value = (value < 0 ? 0 : value * 10) + (*at - '0');
    return value;
}

static bool has_ended(const char *service) {
    const char *end = strchr(service, '}'), *backoff = strstr(service, "\"state\":\"backoff\""),
               *failed = strstr(service, "\"state\":\"failed\"");
    return number_of(service, "\"restarts\":") > 0 || (backoff && backoff < end) || (failed && failed < end);
}

const char *tally_ended(char *status) {
    static const char name[] = "{\"name\":\"";
    char *list = strstr(status, "\"services\":[");
    if (list)
        list[strcspn(list, "]")] = 0;
    for (const char *service = list; service && (service = strstr(service, name)) != NULL; service++)
        if (has_ended(service))
            return service + strlen(name);
    return NULL;
}

static void look_at_step(struct result *result, const char *step) {
    int64_t start = number_of(step, "\"start_ms\":"), end = number_of(step, "\"end_ms\":");
    const char *name = strstr(step, "\"name\":\"");
    if (start < 0 || end < 0 || !name || end - start <= result->slowest_ms)
        return;
    name += strlen("\"name\":\"");
    size_t n = strcspn(name, "\"");
    n = n < sizeof result->slowest ? n : sizeof result->slowest - 1;
    memcpy(result->slowest, name, n);
    result->slowest[n] = 0;
    result->slowest_ms = end - start;
}

void tally_report(char *report, struct result *result) {
    result->used_ms = number_of(report, "\"used_ms\":");
    result->clean = strstr(report, "\"verdict\":\"clean\"") != NULL;
    for (char *step = strstr(report, "\"steps\":["); step && (step = strstr(step, "{\"phase\"")) != NULL;) {
        char *end = strchr(step, '}');
        if (!end)
            return;
        *end = 0;
        look_at_step(result, step);
        step = end + 1;
    }
}

static void sort(struct result *results, unsigned n) {
    for (unsigned i = 1; i < n; i++)
        for (unsigned k = i; k > 0 && results[k].used_ms < results[k - 1].used_ms; k--) {
            struct result other = results[k];
            results[k] = results[k - 1];
            results[k - 1] = other;
        }
}

unsigned tally_clean(const struct tally *tally) {
    unsigned clean = 0;
    for (unsigned i = 0; i < tally->n; i++)
        clean += tally->v[i].clean;
    return clean;
}

static void put_ms(struct out *out, const char *before_it, int64_t ms) {
    out_text(out, before_it);
    out_tenths(out, ms);
    out_text(out, " s");
}

/* stops: the runs that came to one, the shortest first. */
static void put_times(struct out *out, const struct result *stops, unsigned n, span grace) {
    const struct result *slowest = stops;
    put_ms(out, ": median ", stops[n / 2].used_ms);
    put_ms(out, ", worst ", stops[n - 1].used_ms);
    if (!is_forever(grace))
        put_ms(out, " of ", span_ms(grace));
    for (unsigned i = 1; i < n; i++)
        if (stops[i].slowest_ms > slowest->slowest_ms)
            slowest = &stops[i];
    if (slowest->slowest_ms == 0)
        return;
    out_text(out, "; the longest step was ");
    out_text(out, slowest->slowest);
    put_ms(out, ", ", slowest->slowest_ms);
}

bool tally_print(struct tally *tally, span grace) {
    char text[512];
    struct out out = out_on(text, sizeof text);
    unsigned none = 0, n;
    sort(tally->v, tally->n);
    while (none < tally->n && tally->v[none].used_ms < 0)
        none++;
    n = tally->n - none;
    out_text(&out, "rehearsed ");
    out_uint(&out, n);
    out_text(&out, n == 1 ? " stop, " : " stops, ");
    out_uint(&out, tally_clean(tally));
    out_text(&out, " clean");
    if (n > 0)
        put_times(&out, tally->v + none, n, grace);
    out_char(&out, '\n');
    return write_all(1, out.text, out.n);
}
