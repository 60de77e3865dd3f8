#include "conf/scan.h"

#include <stddef.h>
#include <string.h>

static bool stop(struct scan *scan, enum scan_found found) {
    scan->found = found;
    return false;
}

/* The value of an option that takes one: what is attached, or the next word. */
static bool take(struct scan *scan, const struct scan_option *option, const char *attached) {
    scan->found = SCAN_OPTION;
    scan->letter = option->letter;
    scan->value = attached;
    if (!option->takes_value || attached)
        return true;
    if (scan->at == scan->argc)
        return stop(scan, SCAN_NO_VALUE);
    scan->value = scan->argv[scan->at++];
    return true;
}

static bool letter(struct scan *scan) {
    const struct scan_option *option = scan->options;
    scan->letter = *scan->rest++;
    while (option->letter && option->letter != scan->letter)
        option++;
    const char *attached = option->takes_value && *scan->rest ? scan->rest : NULL;
    if (attached || !*scan->rest)
        scan->rest = NULL;
    return option->letter ? take(scan, option, attached) : stop(scan, SCAN_UNKNOWN);
}

static bool long_name(struct scan *scan, const char *word) {
    const struct scan_option *found = NULL;
    size_t n = strcspn(word, "=");
    scan->long_word = word - 2;
    for (const struct scan_option *option = scan->options; option->letter; option++) {
        if (!option->name || strncmp(option->name, word, n) != 0)
            continue;
        if (found)
            return stop(scan, SCAN_NOT_ONE);
        found = option;
        if (!option->name[n])
            break;
    }
    if (!found)
        return stop(scan, SCAN_UNKNOWN);
    if (word[n] && !found->takes_value)
        return stop(scan, SCAN_UNWANTED);
    return take(scan, found, word[n] ? word + n + 1 : NULL);
}

static bool has_long_names(const struct scan *scan) {
    for (const struct scan_option *option = scan->options; option->letter; option++)
        if (option->name)
            return true;
    return false;
}

bool scan_next(struct scan *scan) {
    bool ended = false;
    scan->long_word = NULL;
    if (scan->rest)
        return letter(scan);
    while (scan->at < scan->argc) {
        const char *word = scan->argv[scan->at++];
        if (!ended && word[0] == '-' && word[1]) {
            ended = word[1] == '-' && !word[2];
            if (ended)
                continue;
            if (word[1] == '-' && has_long_names(scan))
                return long_name(scan, word + 2);
            scan->rest = word + 1;
            return letter(scan);
        }
        scan->words[scan->n_words++] = word;
        ended |= !scan->permutes;
    }
    return stop(scan, SCAN_END);
}
