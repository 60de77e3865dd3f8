/* lastcall --help and --version, from the tables of options and verbs. */
#include "conf/conf.h"
#include "verbs/loading.h"
#include "verbs/verb.h"

enum { HELP_ROOM = 8192, VERB_COLUMN = 33 };

static void verb_line(struct out *out, const struct verb *verb) {
    size_t start = out->n;
    out_text(out, "  ");
    out_text(out, verb->name);
    out_char(out, ' ');
    out_text(out, verb->arguments);
    out_pad(out, start, VERB_COLUMN);
    out_text(out, verb->help);
    out_char(out, '\n');
}

static int print(const char *word, const char *text) {
    struct verb_call call = {.argc = 1, .argv = (char *[]){(char *)word, NULL}};
    return result_code(&call, write_text(1, text));
}

int help_print(void) {
    char text[HELP_ROOM];
    struct out out = out_on(text, sizeof text);
    out_text(&out, "Usage: lastcall [OPTIONS] [--] COMMAND [ARG...]\n"
                   "       lastcall [OPTIONS] -c FILE... [-- COMMAND [ARG...]]\n"
                   "       lastcall VERB [ARG...]\n\n"
                   "Runs programs, and closes them down properly inside one deadline.\n\nOptions:\n");
    conf_help(&out);
    out_text(&out, "\nEvery option has a variable: LASTCALL_GRACE is --grace. DUR is as 500ms, 1m30s.\n"
                   "The command line goes before variables, these before files.\n\nVerbs:\n");
    for (const struct verb *verb = verbs; verb->name; verb++)
        verb_line(&out, verb);
    out_text(&out, "\nSee lastcall(1), lastcall.ini(5) and lastcall-http(7).\n");
    return print("--help", out.text);
}

const char *verb_usage(const struct verb *verb) { return verb->usage ? verb->usage : verb->arguments; }

int verb_print(const struct verb *verb) {
    char text[320];
    struct out out = out_on(text, sizeof text);
    out_text(&out, "Usage: lastcall ");
    out_text(&out, verb->name);
    out_text(&out, *verb_usage(verb) ? " " : "");
    out_text(&out, verb_usage(verb));
    out_text(&out, "\n\n");
    out_text(&out, verb->help);
    out_text(&out, "; see lastcall(1)\n");
    return print(verb->name, text);
}

int version_print(void) { return print("--version", "lastcall " LASTCALL_VERSION "\n"); }
