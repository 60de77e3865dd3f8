/* Variables of commands and values that nothing sets, as far as can be known before a start. */
#include <string.h>

#include "conf/load.h"
#include "conf/spawnwords.h"
#include "model/limits.h"
#include "text/variable.h"

/* What lastcall sets, in one program or another. */
static const char ours[][15] = {
    "CAUSE", "CHECKPOINT_DIR", "CHECKPOINT_ID", "EXIT", "LAST_CAUSE", "LAST_VERDICT", "LEFT_MS", "MAIN_PID", "REPLICA",
    "SERVICE", "SOCKET", "STEP",
};

/* Who reads it: n_env of its `env` are there by then. */
struct reader { struct load *load; const struct surroundings *in; size_t n_env; struct place where; };

static bool is_ours(const char *name, size_t n) {
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (n == 9 + strlen(ours[i]) && memcmp(name, "LASTCALL_", 9) == 0 && memcmp(name + 9, ours[i], n - 9) == 0)
            return true;
    return false;
}

static bool is_passed(const struct surroundings *in, const char *name, size_t n) {
    for (size_t i = 0; in->env_pass && in->env_pass[i]; i++)
        if (strlen(in->env_pass[i]) == n && memcmp(in->env_pass[i], name, n) == 0)
            return true;
    return !in->env_clear;
}

/* The variables of lastcall's own options are not handed on. */
static bool is_set(const struct reader *reader, const char *name, size_t n) {
    for (size_t i = 0; reader->in->env && i < reader->n_env && reader->in->env[i]; i++)
        if (strncmp(reader->in->env[i], name, n) == 0 && reader->in->env[i][n] == '=')
            return true;
    const char *value = variable_n(reader->load->facts->envp, name, n);
    return is_ours(name, n) || (value && !conf_is_own_variable(value - n - 1) && is_passed(reader->in, name, n));
}

static bool is_said(const struct findings *findings, struct place where, const char *text) {
    for (uint32_t i = 0; i < findings->n; i++)
        if (findings->v[i].file == where.file && findings->v[i].line == where.line && strstr(findings->v[i].text, text))
            return true;
    return false;
}

static void warn(const struct reader *reader, const char *at, size_t n) {
    struct load *load = reader->load;
    const char *whole = copy_text(load->voice.arena, at, n + 3), *name = copy_text(load->voice.arena, at + 2, n); /* "${NAME}" */
    if (!whole || !name || is_said(load->voice.findings, reader->where, whole))
        return;
    if (reader->in->env_clear && variable_n(load->facts->envp, name, n))
        warning_at(load, reader->where, "%s is nothing here, for env-clear drops it; env-pass = %s", whole, name);
    else
        warning_at(load, reader->where, "%s is nothing here; ${%s:-default}, or mind that it is set where this runs", whole, name);
}

/* Behind the brace that ends what `text` is in. */
static const char *behind_brace(const char *text) {
    for (unsigned open = 1; *text && open > 0; text++)
        open += (text[0] == '$' && text[1] == '{') - (text[0] == '}');
    return text;
}

/* At "${"; the word of ${NAME:-word} counts where the name is not set, that of ${NAME:+word} where it is. */
static const char *look_at_name(const struct reader *reader, const char *at) {
    size_t n = words_name(at + 2, MAX_COMMAND);
    const char *behind = at + 2 + n;
    bool set = is_set(reader, at + 2, n);
    if (*behind == '}' && !set)
        warn(reader, at, n);
    if (*behind == '}')
        return behind + 1;
    return set == (behind[0] == ':' && behind[1] == '+') ? behind : behind_brace(behind);
}

/* As words.c reads it. */
static void look_at_text(const struct reader *reader, const char *at) {
    for (bool quoted = false; *at;) {
        if (*at == '\\' && at[1]) {
            at += 2;
        } else if (*at == '\'' && !quoted) {
            at++;
            at += strcspn(at, "'");
            at += *at == '\'';
        } else if (*at == '$' && at[1] == '$') {
            at += 2;
        } else if (*at == '$' && at[1] == '{') {
            at = look_at_name(reader, at);
        } else {
            quoted ^= *at++ == '"';
        }
    }
}

void unset_in_commands(struct load *load, const struct surroundings *in, const struct command *const *commands,
                       size_t n) {
    for (size_t i = 0; i < n && !in->env_file; i++) {
        struct reader reader = {load, in, SIZE_MAX, commands[i]->where};
        if (commands[i]->text)
            look_at_text(&reader, commands[i]->text);
    }
}

void unset_in_values(struct load *load, const struct surroundings *in, const struct section *section, enum key_id id,
                     size_t n_before) {
    struct reader reader = {load, in, n_before, {0}};
    for (const struct entry *entry = section ? section->entries : NULL; entry && !in->env_file; entry = entry->next) {
        const char *value = entry->key == id ? strchr(entry->text, '=') : NULL;
        if (!value)
            continue;
        reader.where = (struct place){section->where.file, entry->line};
        look_at_text(&reader, value + 1);
        reader.n_env++;
    }
}

size_t unset_values_of(const struct section *section, enum key_id id) {
    size_t n = 0;
    for (const struct entry *entry = section ? section->entries : NULL; entry; entry = entry->next)
        n += entry->key == id;
    return n;
}
