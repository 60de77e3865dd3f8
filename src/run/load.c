#include "run/load.h"

#include <errno.h>
#include <string.h>

#include "conf/findings.h"
#include "conf/keys.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "sys/stderr.h"
#include "text/errtext.h"
#include "text/json.h"
#include "text/out.h"
#include "text/utc.h"

_Static_assert(MAX_FILES == 64, "as the message says");
enum { EXIT_USAGE = 2, EXIT_CONFIG = 78, LINE_ROOM = 1 << 16 /* a finding may name every service */ };

static void as_json(struct out *out, const struct finding *finding) {
    char time[UTC_ROOM];
    struct json json = json_on(out);
    json_open(&json, NULL, '{');
    json_text(&json, "time", utc_print(time, clock_wall_s()));
    json_text(&json, "level", finding->level == LEVEL_ERROR ? "error" : "warning");
    if (finding->file != NULL) {
        json_text(&json, "file", finding->file);
        json_int(&json, "line", finding->line);
    }
    json_text(&json, "message", finding->text);
    json_close(&json, '}');
}

static void as_text(struct out *out, const struct finding *finding) {
    out_text(out, "lastcall: ");
    if (finding->file != NULL) {
        out_text(out, finding->file);
        out_char(out, ':');
        if (finding->line != 0) {
            out_uint(out, finding->line);
            out_char(out, ':');
        }
        out_char(out, ' ');
    }
    out_text(out, finding->level == LEVEL_ERROR ? "error: " : "warning: ");
    out_safe(out, finding->text, strlen(finding->text));
}

/* Before the loop one may wait for a reader, but not for ever. false: there is none. */
static bool print(struct stderr_out *err, const struct finding *finding, bool json) {
    char buffer[LINE_ROOM];
    struct out out = out_on(buffer, sizeof buffer - 1);
    if (json)
        as_json(&out, finding);
    else
        as_text(&out, finding);
    buffer[out.n] = '\n';
    return stderr_patient_line(err, buffer, out.n + 1);
}

void load_print(const struct findings *findings, bool warnings, bool json) {
    struct stderr_out err = {0};
    bool heard = true;
    for (uint32_t i = 0; i < findings->n && heard; i++)
        if (warnings || findings->v[i].level == LEVEL_ERROR)
            heard = print(&err, &findings->v[i], json);
    stderr_close(&err);
}

bool load_wants_json(const struct options *options) {
    return options->given != NULL && options->given[K_LOG] != NULL && strcmp(options->given[K_LOG], "json") == 0;
}

static bool read_sources(const struct options *options, const struct voice *voice, struct source *sources, uint32_t *n) {
    struct file files[MAX_FILES];
    struct file_error error;
    if (!files_read(options->paths, options->n_paths, voice->arena, files, MAX_FILES, n, &error)) {
        say(voice, (struct place){.file = error.path}, LEVEL_ERROR, "%s",
            error.error == E2BIG ? "this would be more than 64 files; write several in one" : errtext(error.error));
        return false;
    }
    for (uint32_t i = 0; i < *n; i++)
        sources[i] = (struct source){.name = files[i].name, .text = files[i].text, .bytes = files[i].bytes};
    return true;
}

static int load_files(const struct options *options, const struct facts *facts, struct arena *arena,
                      struct config *config, struct findings *findings) {
    struct source sources[MAX_FILES];
    uint32_t n = 0;
    if (!read_sources(options, &(struct voice){arena, findings}, sources, &n))
        return EXIT_CONFIG;
    if (n == 0 && facts->advise)
        say(&(struct voice){arena, findings}, (struct place){.file = options->paths[0]}, LEVEL_WARNING, "no *.ini stands there");
    if (!conf_load(options, sources, n, facts, arena, config, findings))
        return findings->usage ? EXIT_USAGE : EXIT_CONFIG;
    return 0;
}

int load_config(const struct options *options, const struct facts *facts, struct arena *arena, struct config *config,
                struct findings *findings) {
    if (options->n_paths > 0)
        return load_files(options, facts, arena, config, findings);
    return conf_load(options, NULL, 0, facts, arena, config, findings) ? 0 : EXIT_USAGE;
}
