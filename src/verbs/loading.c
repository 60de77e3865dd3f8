#include "verbs/loading.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conf/findings.h"
#include "sys/files.h"

enum { ARENA_BYTES = 256 << 20, EXIT_CONFIG = 78, EXIT_OURS = 125 };

void write_all(int fd, const char *bytes, size_t n) {
    while (n > 0) {
        ssize_t done = write(fd, bytes, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return;
        bytes += done;
        n -= (size_t)done;
    }
}

void write_text(int fd, const char *text) { write_all(fd, text, strlen(text)); }

void *memory_take(size_t bytes) {
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static bool complain(const struct verb_call *call, const char *what, const char *write_what) {
    char line[512];
    struct out out = out_on(line, sizeof line);
    out_text(&out, "lastcall ");
    out_text(&out, call->argv[0]);
    out_text(&out, ": ");
    out_safe(&out, what, strlen(what));
    out_text(&out, write_what);
    out_char(&out, '\n');
    write_all(2, out.text, out.n);
    return false;
}

bool request_read(struct request *request, const struct verb_call *call, const char *own, bool *flag) {
    request->paths = memory_take(((size_t)call->argc + 1) * sizeof *request->paths);
    if (!request->paths)
        return complain(call, "there is no memory", "");
    for (int i = 1; i < call->argc; i++) {
        const char *word = call->argv[i];
        if (strcmp(word, "--") == 0 && i + 1 < call->argc) {
            request->command = call->argv + i + 1;
            break;
        }
        if (strcmp(word, own) == 0)
            *flag = true;
        else if (word[0] == '-' && word[1])
            return complain(call, word, strcmp(own, "--json") == 0 ? ": there is no such option; write --json or a file"
                                                                   : ": there is no such option; write --strict or a file");
        else
            request->paths[request->n_paths++] = word;
    }
    return request->n_paths > 0 || complain(call, "no file was named", "; write the files or their directory");
}

static void finding_print(const struct finding *finding, int fd, struct out *out) {
    const char *file = finding->file ? finding->file : "lastcall";
    out_safe(out, file, strlen(file));
    if (finding->file) {
        out_char(out, ':');
        out_uint(out, finding->line ? finding->line : 1);
    }
    out_text(out, finding->level == LEVEL_ERROR ? ": error: " : ": warning: ");
    write_all(fd, out->text, out->n);
    write_text(fd, finding->text);
    write_text(fd, "\n");
}

void findings_print(const struct findings *findings, int fd) {
    for (uint32_t i = 0; i < findings->n; i++) {
        char line[4096 + 64];
        struct out out = out_on(line, sizeof line);
        finding_print(&findings->v[i], fd, &out);
    }
}

/* What the command line of a run with these files would have been. */
static bool as_options(struct loading *loading, const struct request *request, char **envp) {
    unsigned n_command = 0, n = 1;
    const char **argv;
    while (request->command && request->command[n_command])
        n_command++;
    argv = arena_take(&loading->arena, (2 * request->n_paths + n_command + 3) * sizeof *argv);
    if (!argv)
        return false;
    argv[0] = "lastcall";
    for (unsigned i = 0; i < request->n_paths; i++) {
        argv[n++] = "-c";
        argv[n++] = request->paths[i];
    }
    if (n_command) {
        argv[n++] = "--";
        memcpy(argv + n, request->command, n_command * sizeof *argv);
        n += n_command;
    }
    return conf_options((int)n, (char *const *)argv, envp, &loading->arena, &loading->options, &loading->findings);
}

static bool read_sources(struct loading *loading, struct source *sources, uint32_t *n) {
    struct file files[MAX_FILES];
    struct file_error error = {0};
    if (!files_read(loading->options.paths, loading->options.n_paths, &loading->arena, files, MAX_FILES, n, &error)) {
        say(&loading->arena, &loading->findings, LEVEL_ERROR, (struct place){error.path, 0}, "it cannot be read: %s",
            error.error == E2BIG ? "there are more than 64 files" : strerror(error.error));
        return false;
    }
    for (uint32_t i = 0; i < *n; i++)
        sources[i] = (struct source){files[i].name, files[i].text, files[i].bytes};
    return true;
}

int loading_files(struct loading *loading, const struct request *request, char **envp) {
    struct source *sources;
    struct facts facts = {.envp = envp, .phases_only = true, .terminal = isatty(0)};
    uint32_t n = 0;
    char *memory = memory_take(ARENA_BYTES);
    *loading = (struct loading){.arena = {memory, memory ? memory + ARENA_BYTES : memory}};
    sources = memory ? arena_take(&loading->arena, MAX_FILES * sizeof *sources) : NULL;
    if (!sources) {
        write_text(2, "lastcall: there is no memory\n");
        return EXIT_OURS;
    }
    if (!as_options(loading, request, envp) || !read_sources(loading, sources, &n) ||
        !conf_load(&loading->options, sources, n, &facts, &loading->arena, &loading->config, &loading->findings))
        return EXIT_CONFIG;
    return 0;
}
