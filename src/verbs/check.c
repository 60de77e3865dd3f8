/* lastcall check FILE...: everything that is wrong with a configuration, or hardly meant. */
#include "conf/findings.h"
#include "text/json.h"
#include "verbs/loading.h"
#include "verbs/timetable.h"

enum { EXIT_CONFIG = 78, LINE_ROOM = 1 << 16 /* a cycle may name every service */ };

/* An array with an object for each, for editors. */
static bool print_json(const struct findings *findings) {
    bool wrote = write_text(1, "[");
    for (uint32_t i = 0; i < findings->n && wrote; i++) {
        const struct finding *finding = &findings->v[i];
        char line[LINE_ROOM];
        struct out out = out_on(line, sizeof line);
        struct json json = json_on(&out);
        json_open(&json, NULL, '{');
        json_text(&json, "file", finding->file ? finding->file : "");
        json_int(&json, "line", finding->file && finding->line == 0 ? 1 : finding->line);
        json_text(&json, "level", finding->level == LEVEL_ERROR ? "error" : "warning");
        json_text(&json, "message", finding->text);
        json_close(&json, '}');
        wrote = write_text(1, i ? ",\n" : "\n") && write_all(1, out.text, out.n);
    }
    return wrote && write_text(1, findings->n ? "\n]\n" : "]\n");
}

int verb_check(const struct verb_call *call) {
    struct request request = {.advise = true};
    struct loading loading;
    struct timetable timetable;
    unsigned strict = 0, json = 0, platforms = 0;
    const struct verb_option options[] = {{"--strict", NULL, &strict, 0}, {"--json", NULL, &json, 0},
                                          {"--platform", &request.platform, &platforms, 1}};
    int code;
    if (!request_read(&request, call, options, 3))
        return EXIT_WORDS;
    if (request.platform && !conf_knows_platform(request.platform)) {
        complain_about(call, "--platform: write kubernetes, docker, ecs, fargate, cloud-run, heroku or nomad");
        return EXIT_WORDS;
    }
    code = loading_files(&loading, call, &request);
    if (code == 0) {
        timetable_make(&timetable, call, &loading.config.model);
        timetable_lint(&timetable, &loading.arena, &loading.findings);
    }
    int wrote = result_code(call, json ? print_json(&loading.findings) : findings_print(&loading.findings, 1));
    return wrote != 0 ? wrote : code ? code : strict && loading.findings.n > 0 ? EXIT_CONFIG : 0;
}
