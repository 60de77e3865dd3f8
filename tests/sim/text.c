/* text.c: a scene as text, and back. A line is a part, its words are what is not plain; # begins a comment. */
#include <ctype.h>

#include "fields.h"

/* ---- out ---- */

static void print_time(FILE *file, int64_t ns) {
    char fraction[16];
    int n = 9;
    if (ns == INT64_MAX) {
        fprintf(file, "ever");
        return;
    }
    snprintf(fraction, sizeof fraction, "%09lld", (long long)(ns % NS_PER_S));
    while (n > 0 && fraction[n - 1] == '0')
        n--;
    fprintf(file, n ? "%lld.%.*s" : "%lld", (long long)(ns / NS_PER_S), n, fraction);
}

static void print_after(FILE *file, const struct service *it) {
    const uint16_t *afters = scene.afters[it - scene.services];
    for (uint16_t i = 0; i < it->n_after; i++)
        fprintf(file, i ? ",%u" : " after=%u", afters[i]);
}

static void print_stop(FILE *file, const struct service *it) {
    if (it->n_stop == 1 && it->stop[0].signal == K_TERM)
        return;
    for (uint8_t i = 0; i < it->n_stop; i++) {
        fprintf(file, i ? ",%u@" : " stop=%u@", it->stop[i].signal);
        print_time(file, it->stop[i].after.ns);
    }
}

static void print_field(FILE *file, const void *it, const struct field *field) {
    int64_t value = field_get(it, field);
    if (field->type == F_AFTER)
        print_after(file, it);
    else if (field->type == F_STOP)
        print_stop(file, it);
    else if (value != field->plain) {
        fprintf(file, " %s=", field->name);
        if (field->words)
            fputs(field->words[value], file);
        else if (field->type == F_TIME)
            print_time(file, value);
        else
            fprintf(file, "%lld", (long long)value);
    }
}

void scene_print(FILE *file) {
    for (uint8_t kind = 0; kind < PARTS; kind++)
        for (uint16_t i = 0; i < (part_count(kind) ? *part_count(kind) : 1); i++) {
            fputs(parts[kind].name, file);
            for (unsigned f = 0; f < parts[kind].n_fields; f++)
                print_field(file, part_at(kind, i), &parts[kind].fields[f]);
            fputc('\n', file);
        }
}

/* ---- in ---- */

static bool read_time(const char **text, int64_t *ns) {
    char *end;
    int64_t scale = NS_PER_S / 10;
    if (strncmp(*text, "ever", 4) == 0) {
        *ns = INT64_MAX;
        *text += 4;
        return true;
    }
    *ns = strtoll(*text, &end, 10) * NS_PER_S;
    if (end == *text)
        return false;
    if (*end == '.')
        for (end++; isdigit((unsigned char)*end); end++, scale /= 10)
            *ns += (*end - '0') * scale;
    *text = end;
    return true;
}

static bool read_after(const char *text, struct service *it) {
    for (char *end; *text; text = *end == ',' ? end + 1 : end) {
        unsigned long which = strtoul(text, &end, 10);
        if (end == text || it->n_after == MAX_AFTER || which >= MOST_SERVICES)
            return false;
        scene.afters[it - scene.services][it->n_after++] = (uint16_t)which;
    }
    return true;
}

static bool read_stop(const char *text, struct service *it) {
    it->n_stop = 0;
    while (*text) {
        char *end;
        struct escalation *rung = &it->stop[it->n_stop];
        if (it->n_stop++ == MAX_ESCALATIONS)
            return false;
        rung->signal = (uint8_t)strtoul(text, &end, 10);
        text = end + 1;
        if (*end != '@' || !read_time(&text, &rung->after.ns))
            return false;
        text += *text == ',';
    }
    return true;
}

static bool read_word(const char *text, const char *const *words, int64_t *value) {
    for (*value = 0; words[*value]; (*value)++)
        if (strcmp(words[*value], text) == 0)
            return true;
    return false;
}

static bool read_value(const char *text, void *it, const struct field *field) {
    int64_t value;
    char *end = NULL;
    if (field->type == F_AFTER)
        return read_after(text, it);
    if (field->type == F_STOP)
        return read_stop(text, it);
    if (field->words ? !read_word(text, field->words, &value) : field->type == F_TIME && !read_time(&text, &value))
        return false;
    if (!field->words && field->type != F_TIME)
        value = strtoll(text, &end, 10);
    field_set(it, field, value);
    return (!end || (end != text && *end == '\0')) && field_get(it, field) == value;
}

static bool read_part(char *line) {
    char *word = strtok(line, " \n"), *value;
    uint8_t kind = 0;
    uint16_t *n, which = 0;
    if (!word || *word == '#')
        return true;
    while (kind < PARTS && strcmp(parts[kind].name, word) != 0)
        kind++;
    if (kind == PARTS)
        return false;
    if ((n = part_count(kind)) != NULL) {
        if (*n == parts[kind].most)
            return false;
        which = (*n)++;
        part_plain(kind, part_at(kind, which));
    }
    while ((word = strtok(NULL, " \n")) != NULL) {
        unsigned f = 0;
        if ((value = strchr(word, '=')) == NULL)
            return false;
        *value++ = '\0';
        while (f < parts[kind].n_fields && strcmp(parts[kind].fields[f].name, word) != 0)
            f++;
        if (f == parts[kind].n_fields || !read_value(value, part_at(kind, which), &parts[kind].fields[f]))
            return false;
    }
    return true;
}

static bool all_in_reach(void) {
    for (uint16_t i = 0; i < scene.n_fates; i++)
        if (scene.fates[i].owner >= MOST_SLOTS)
            return false;
    for (uint16_t i = 0; i < scene.n_events; i++)
        if (scene.events[i].event.job.job >= MOST_SLOTS)
            return false;
    return true;
}

bool scene_read(const char *path) {
    static char line[4096];
    FILE *file = fopen(path, "r");
    unsigned number = 0;
    bool well = file != NULL;
    scene_clear();
    part_plain(PART_POLICY, &scene);
    while (well && fgets(line, sizeof line, file)) {
        number++;
        well = read_part(line);
    }
    if (file)
        fclose(file);
    if (well) {
        scene_finish();
        well = all_in_reach() && scene_valid();
    }
    if (!well)
        printf("%s:%u: no scene, or one that conf would refuse\n", path, number);
    return well;
}
