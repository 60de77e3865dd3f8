#include "run/load.h"

#include <errno.h>
#include <string.h>

#include "sys/files.h"
#include "sys/stderr.h"
#include "text/out.h"

enum { EXIT_USAGE = 2, EXIT_CONFIG = 78 };

/* Before the loop one may wait for a reader, but not for ever. false: there is none. */
static bool print(struct stderr_out *err, const char *file, uint32_t line, uint8_t level, const char *text) {
    char buffer[2048];
    struct out out = out_on(buffer, sizeof buffer - 1);
    out_text(&out, "lastcall: ");
    if (file != NULL) {
        out_text(&out, file);
        out_char(&out, ':');
        if (line != 0) {
            out_uint(&out, line);
            out_char(&out, ':');
        }
        out_char(&out, ' ');
    }
    out_text(&out, level == LEVEL_ERROR ? "error: " : "warning: ");
    out_safe(&out, text, strlen(text));
    buffer[out.n] = '\n';
    return stderr_patient_line(err, buffer, out.n + 1);
}

void load_print(const struct findings *findings, bool warnings) {
    struct stderr_out err = {0};
    bool heard = true;
    for (uint32_t i = 0; i < findings->n && heard; i++)
        if (warnings || findings->v[i].level == LEVEL_ERROR)
            heard = print(&err, findings->v[i].file, findings->v[i].line, findings->v[i].level, findings->v[i].text);
    stderr_close(&err);
}

static int read_sources(const struct options *options, struct arena *arena, struct source *sources, uint32_t *n) {
    struct file files[MAX_FILES];
    struct file_error error;
    if (!files_read(options->paths, options->n_paths, arena, files, MAX_FILES, n, &error)) {
        struct stderr_out err = {0};
        print(&err, error.path, 0, LEVEL_ERROR, strerror(error.error));
        stderr_close(&err);
        return EXIT_CONFIG;
    }
    for (uint32_t i = 0; i < *n; i++)
        sources[i] = (struct source){.name = files[i].name, .text = files[i].text, .bytes = files[i].bytes};
    return 0;
}

static int load_files(const struct options *options, const struct facts *facts, struct arena *arena,
                      struct config *config, struct findings *findings) {
    struct source sources[MAX_FILES];
    uint32_t n = 0;
    int error = read_sources(options, arena, sources, &n);
    if (error != 0)
        return error;
    if (!conf_load(options, sources, n, facts, arena, config, findings))
        return EXIT_CONFIG;
    return 0;
}

int load_config(const struct options *options, const struct facts *facts, struct arena *arena, struct config *config,
                struct findings *findings) {
    if (options->n_paths > 0)
        return load_files(options, facts, arena, config, findings);
    return conf_load(options, NULL, 0, facts, arena, config, findings) ? 0 : EXIT_USAGE;
}
