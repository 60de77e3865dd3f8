/* The command line and LASTCALL_*: which option has which text. What the texts mean is load.c's. */
#include <string.h>

#include "conf/load.h"

struct reading {
    struct voice voice;
    struct options *options;
    int at, argc;
    char *const *argv;
    uint32_t room;         /* of options->paths */
};

#define usage(r, ...) say(&(r)->voice, (struct place){0}, LEVEL_ERROR, __VA_ARGS__)

static bool add_path(struct reading *r, const char *path) {
    struct options *options = r->options;
    if (options->n_paths == r->room) {
        uint32_t room = r->room ? r->room * 2 : 4;
        const char **longer = arena_take(r->voice.arena, room * sizeof *longer);
        if (!longer)
            return false;
        if (options->n_paths)
            memcpy(longer, options->paths, options->n_paths * sizeof *longer);
        options->paths = longer;
        r->room = room;
    }
    ((const char **)options->paths)[options->n_paths++] = path;
    return true;
}

/* "a" and "b" become "a,b". */
static const char *join(struct reading *r, const char *first, const char *second) {
    struct out out = text_open(r->voice.arena);
    out_text(&out, first);
    out_char(&out, ',');
    out_text(&out, second);
    return text_close(r->voice.arena, &out);
}

static void set(struct reading *r, enum key_id id, const char *value, const char *origin) {
    struct options *options = r->options;
    if (!*value && id != K_CONFIG) {
        usage(r, "%s has an empty value; write %s", origin, key_text(keys[id].argument));
        return;
    }
    if (id == K_CONFIG && (!*value || !add_path(r, value)))
        usage(r, "%s needs a path; write -c PATH", origin);
    if (id == K_HELP)
        options->help = true;
    if (id == K_VERSION)
        options->version = true;
    if (options->given[id] && (keys[id].flags & KEY_LIST))
        value = join(r, options->given[id], value);
    else if (options->given[id] && !(keys[id].flags & KEY_NO_VALUE))
        usage(r, "%s stands twice; write it once", origin);
    options->given[id] = value;
    options->origin[id] = origin;
}

/* The value of an option: attached, or the next word. */
static const char *value_for(struct reading *r, enum key_id id, const char *attached) {
    if (attached || (keys[id].flags & KEY_NO_VALUE))
        return attached;
    return r->at + 1 < r->argc ? r->argv[++r->at] : NULL;
}

static void unknown_option(struct reading *r, const char *word, size_t n) {
    enum key_id near = key_nearest(0, word + 2, n - 2);
    const char *text = copy_text(r->voice.arena, word, n);
    if (near != K_N)
        usage(r, "there is no option %s; write --%s", text ? text : "", key_name(&keys[near]));
    else
        usage(r, "there is no option %s; write -- before the command, or see lastcall --help", text ? text : "");
}

static void long_option(struct reading *r, const char *word) {
    size_t n = strcspn(word, "=");
    enum key_id id = key_of_option(word + 2, n - 2);
    const char *attached = word[n] ? word + n + 1 : NULL, *value;
    if (id == K_N) {
        unknown_option(r, word, n);
        return;
    }
    value = value_for(r, id, attached);
    if (keys[id].flags & KEY_NO_VALUE) {
        if (attached)
            usage(r, "--%s takes no value; write --%s alone", key_name(&keys[id]), key_name(&keys[id]));
        value = "yes";
    }
    if (value)
        set(r, id, value, copy_text(r->voice.arena, word, n));
    else
        usage(r, "--%s needs a value; write --%s %s", key_name(&keys[id]), key_name(&keys[id]), key_text(keys[id].argument));
}

/* One or several letters; the first that takes a value takes the rest of the word. */
static void short_options(struct reading *r, const char *word) {
    for (const char *letter = word + 1; *letter; letter++) {
        enum key_id id = key_of_letter(*letter);
        char name[3] = {'-', *letter, 0};
        const char *value = "yes";
        if (id == K_N) {
            usage(r, "there is no option %s; write -- before the command, or see lastcall --help", name);
            return;
        }
        if (!(keys[id].flags & KEY_NO_VALUE))
            value = value_for(r, id, letter[1] ? letter + 1 : NULL);
        if (value)
            set(r, id, value, copy_text(r->voice.arena, name, 2));
        else
            usage(r, "%s needs a value; write %s %s", name, name, key_text(keys[id].argument));
        if (!(keys[id].flags & KEY_NO_VALUE))
            return;
    }
}

static void command_line(struct reading *r) {
    bool dashes = false;
    for (r->at = 1; r->at < r->argc; r->at++) {
        const char *word = r->argv[r->at];
        if (word[0] != '-' || !word[1])
            break;
        if (word[1] == '-' && !word[2]) {
            dashes = true;
            r->at++;
            break;
        }
        if (word[1] == '-')
            long_option(r, word);
        else
            short_options(r, word);
    }
    if (r->at < r->argc)
        r->options->command = r->argv + r->at;
    if (r->at < r->argc && r->options->n_paths && !dashes)
        usage(r, "%s is neither an option nor behind --; write -- before a command, -c before every file", r->argv[r->at]);
    if (r->at < r->argc && !*r->argv[r->at])
        usage(r, "the command is an empty word; write the program's name");
}

/* LASTCALL_CONFIG may name several, parted by colons. */
static void variable_paths(struct reading *r, const char *value) {
    while (*value) {
        size_t n = strcspn(value, ":");
        const char *path = copy_text(r->voice.arena, value, n);
        if (n && path)
            add_path(r, path);
        value += n + (value[n] == ':');
    }
}

static void variables(struct reading *r, char *const *envp) {
    for (; envp && *envp; envp++) {
        size_t n = strcspn(*envp, "=");
        enum key_id id = key_of_variable(*envp);
        if (id == K_N || !(*envp)[n] || !(*envp)[n + 1] || r->options->given[id])
            continue; /* an empty one is none; the command line comes first */
        r->options->given[id] = *envp + n + 1;
        r->options->origin[id] = copy_text(r->voice.arena, *envp, n);
        if (id == K_CONFIG)
            variable_paths(r, *envp + n + 1);
    }
}

bool conf_options(int argc, char *const *argv, char *const *envp, struct arena *arena,
                  struct options *options, struct findings *findings) {
    struct reading r = {.voice = {arena, findings}, .options = options, .argc = argc, .argv = argv};
    *options = (struct options){
        .given = arena_take(arena, K_N * sizeof *options->given), .origin = arena_take(arena, K_N * sizeof *options->origin),
    };
    if (!options->given || !options->origin) {
        usage(&r, "there is no memory for the options");
        return false;
    }
    command_line(&r);
    variables(&r, envp);
    if (!findings->errors && !options->command && !options->n_paths && !options->help && !options->version)
        usage(&r, "there is no command; write lastcall -- COMMAND, or lastcall -c FILE (see lastcall --help)");
    return findings->errors == 0;
}
