/* lastcall check FILE...: everything that is wrong with a configuration. */
#include "conf/findings.h"
#include "verbs/loading.h"
#include "verbs/timetable.h"

int verb_check(const struct verb_call *call) {
    struct request request = {0};
    struct loading loading;
    struct timetable timetable;
    unsigned strict = 0;
    const struct verb_option options[] = {{"--strict", NULL, &strict, 0}};
    int code;
    if (!request_read(&request, call, options, 1))
        return 2;
    code = loading_files(&loading, &request, call->envp);
    if (code == 0 && timetable_make(&timetable, &loading.config.model))
        timetable_lint(&timetable, &loading.arena, &loading.findings);
    findings_print(&loading.findings, 1);
    return code ? code : strict && loading.findings.n > 0 ? 78 : 0;
}
