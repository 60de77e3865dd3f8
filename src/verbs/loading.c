#include "verbs/loading.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "run/load.h"
#include "text/errtext.h"
#include "verbs/talk.h"

enum { ARENA_BYTES = 256 << 20, EXIT_CONFIG = 78 };

bool write_all(int fd, const char *bytes, size_t n) {
    while (n > 0) {
        ssize_t done = write(fd, bytes, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        bytes += done;
        n -= (size_t)done;
    }
    return true;
}

bool write_text(int fd, const char *text) { return write_all(fd, text, strlen(text)); }

int result_code(const struct verb_call *call, bool wrote) {
    char text[64];
    struct out out = out_on(text, sizeof text);
    if (wrote)
        return 0;
    out_text(&out, "stdout: ");
    out_text(&out, errtext(errno));
    complain_about(call, text);
    return EXIT_NO;
}

void *memory_try(size_t bytes) {
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void *memory_take(const struct verb_call *call, size_t bytes) {
    void *memory = memory_try(bytes);
    if (memory == NULL) {
        complain_about(call, "not enough memory");
        _exit(EXIT_FAILED);
    }
    return memory;
}

struct arena arena_of(const struct verb_call *call, size_t bytes) {
    char *memory = memory_take(call, bytes);
    return (struct arena){.at = memory, .end = memory + bytes};
}

bool request_read(struct request *request, const struct verb_call *call, const struct verb_option *options,
                  unsigned n_options) {
    struct verb_words words = {.room = (unsigned)call->argc, .command = &request->command};
    words.plain = request->paths = memory_take(call, ((size_t)call->argc + 1) * sizeof *request->paths);
    if (!words_sort(call, options, n_options, &words))
        return false;
    request->n_paths = words.n;
    if (words.n == 0)
        complain_about(call, "no file was named; write the files, or their directory");
    return words.n > 0;
}

/* A text may be as long as a cycle of all services: it is written as it is. */
bool findings_print(const struct findings *findings, int fd) {
    bool wrote = true;
    for (uint32_t i = 0; i < findings->n && wrote; i++) {
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
        wrote = write_all(fd, out.text, out.n) && write_text(fd, finding->text) && write_text(fd, "\n");
    }
    return wrote;
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

int loading_files(struct loading *loading, const struct verb_call *call, const struct request *request) {
    char **envp = call->envp;
    struct facts facts = {.envp = envp, .phases_only = true, .terminal = isatty(0), .advise = request->advise,
                          .platform = request->platform};
    *loading = (struct loading){.arena = arena_of(call, ARENA_BYTES)};
    if (!as_options(loading, request, envp))
        return EXIT_CONFIG;
    return load_config(&loading->options, &facts, &loading->arena, &loading->config, &loading->findings);
}
