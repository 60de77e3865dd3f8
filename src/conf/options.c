/* The command line and LASTCALL_*: which option has which text. What the texts mean is load.c's. */
#include <string.h>

#include "conf/load.h"

struct reading {
    struct voice voice;
    struct options *options;
    int at, argc;
    char *const *argv;
};

#define usage(r, ...) say(&(r)->voice, (struct place){0}, LEVEL_ERROR, __VA_ARGS__)

static void add_path(struct reading *r, const char *path) {
    struct options *options = r->options;
    if (!options->paths)
        options->paths = arena_take(r->voice.arena, MAX_FILES * sizeof *options->paths);
    if (!options->paths || options->n_paths == MAX_FILES)
        usage(r, "there are more than 64 files; fewer -c, or a directory");
    else
        ((const char **)options->paths)[options->n_paths++] = path;
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
    if (!*value)
        usage(r, "%s has an empty value; %s %s", origin, origin, key_text(keys[id].argument));
    else if (id == K_CONFIG)
        add_path(r, value);
    if (options->given[id] && (keys[id].flags & KEY_LIST))
        value = join(r, options->given[id], value);
    else if (options->given[id] && !(keys[id].flags & KEY_NO_VALUE))
        usage(r, "%s stands twice; it once", origin);
    options->given[id] = value;
    options->origin[id] = origin;
}

/* An option as it was written, and its value: attached, or the next word. */
static void take(struct reading *r, enum key_id id, const char *origin, const char *attached) {
    bool bare = keys[id].flags & KEY_NO_VALUE;
    if (bare && attached)
        usage(r, "%s takes no value; %s alone", origin, origin);
    else if (!bare && !attached && r->at + 1 == r->argc)
        usage(r, "%s needs a value; %s %s", origin, origin, key_text(keys[id].argument));
    else
        set(r, id, bare ? "yes" : attached ? attached : r->argv[++r->at], origin);
}

static void unknown(struct reading *r, const char *option, size_t n) {
    enum key_id near = n > 2 ? key_nearest(0, option + 2, n - 2) : K_N;
    if (near != K_N)
        usage(r, "there is no option %s; --%s", option, key_name(&keys[near]));
    else
        usage(r, "there is no option %s; -- before the command, or see lastcall --help", option);
}

static void long_option(struct reading *r, const char *word) {
    size_t n = strcspn(word, "=");
    enum key_id id = key_of_option(word + 2, n - 2);
    const char *option = copy_text(r->voice.arena, word, n);
    if (id == K_N || !option)
        unknown(r, option ? option : "", n);
    else
        take(r, id, option, word[n] ? word + n + 1 : NULL);
}

/* One or several letters; the first that takes a value takes the rest of the word. */
static void short_options(struct reading *r, const char *word) {
    bool bare = true;
    for (const char *letter = word + 1; *letter && bare; letter++) {
        enum key_id id = key_of_letter(*letter);
        char *option = arena_take(r->voice.arena, 3);
        if (!option)
            return;
        option[0] = '-';
        option[1] = *letter;
        bare = id != K_N && (keys[id].flags & KEY_NO_VALUE);
        if (id == K_N)
            unknown(r, option, 2);
        else
            take(r, id, option, !bare && letter[1] ? letter + 1 : NULL);
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
        usage(r, "%s is neither an option nor behind --; -- before a command, -c before every file", r->argv[r->at]);
    if (r->at < r->argc && !*r->argv[r->at])
        usage(r, "the command is an empty word; the program's name");
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
    options->help = options->given[K_HELP] != NULL;
    options->version = options->given[K_VERSION] != NULL;
    if (!findings->errors && !options->command && !options->n_paths && !options->help && !options->version)
        usage(&r, "there is no command; lastcall -- COMMAND, or lastcall -c FILE (see lastcall --help)");
    return findings->errors == 0;
}
