#include "verbs/loading.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "run/load.h"
#include "verbs/talk.h"

enum { ARENA_BYTES = 256 << 20, EXIT_CONFIG = 78 };

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

bool request_read(struct request *request, const struct verb_call *call, const char *own, bool *flag) {
    request->paths = memory_take(((size_t)call->argc + 1) * sizeof *request->paths);
    for (int i = 1; i < call->argc; i++) {
        const char *word = call->argv[i];
        if (strcmp(word, "--") == 0 && i + 1 < call->argc) {
            request->command = call->argv + i + 1;
            break;
        }
        if (strcmp(word, own) == 0) {
            *flag = true;
        } else if (word[0] == '-') {
            complain_about(call, "there is no such option; see lastcall --help");
            return false;
        } else {
            request->paths[request->n_paths++] = word;
        }
    }
    if (request->n_paths == 0)
        complain_about(call, "no file was named; write the files, or their directory");
    return request->n_paths > 0;
}

/* A text may be as long as a cycle of all services: it is written as it is. */
void findings_print(const struct findings *findings, int fd) {
    for (uint32_t i = 0; i < findings->n; i++) {
        const struct finding *finding = &findings->v[i];
        char start[MAX_LINE + 64];
        struct out out = out_on(start, sizeof start);
        out_text(&out, finding->file ? finding->file : "lastcall");
        out_char(&out, ':');
        if (finding->file) {
            out_uint(&out, finding->line ? finding->line : 1);
            out_char(&out, ':');
        }
        out_text(&out, finding->level == LEVEL_ERROR ? " error: " : " warning: ");
        write_all(fd, out.text, out.n);
        write_text(fd, finding->text);
        write_text(fd, "\n");
    }
}

/* What a run with these files would have: the variables count, and no other option. */
static bool as_options(struct loading *loading, const struct request *request, char **envp) {
    static const char *const words[] = {"lastcall", "--version", NULL}; /* needs no command */
    struct options *options = &loading->options;
    if (!conf_options(2, (char *const *)words, envp, &loading->arena, options, &loading->findings))
        return false;
    options->paths = request->paths;
    options->n_paths = request->n_paths;
    options->command = request->command;
    return true;
}

int loading_files(struct loading *loading, const struct request *request, char **envp) {
    struct facts facts = {.envp = envp, .phases_only = true, .terminal = isatty(0)};
    char *memory = memory_take(ARENA_BYTES);
    *loading = (struct loading){.arena = {memory, memory ? memory + ARENA_BYTES : memory}};
    if (!as_options(loading, request, envp))
        return EXIT_CONFIG;
    return load_config(&loading->options, &facts, &loading->arena, &loading->config, &loading->findings);
}
