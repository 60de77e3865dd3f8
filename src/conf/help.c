/* The options, as --help prints them. */
#include "conf/conf.h"
#include "conf/keys.h"

enum { HELP_COLUMN = 33 };

static void option_line(struct out *out, const struct key *key) {
    size_t start = out->n;
    out_text(out, "  ");
    if (key->letter) {
        out_char(out, '-');
        out_char(out, key->letter);
        out_text(out, ", ");
    } else {
        out_text(out, "    ");
    }
    out_text(out, "--");
    out_text(out, key_name(key));
    out_char(out, ' ');
    out_text(out, key_text(key->argument));
    out_pad(out, start, HELP_COLUMN);
    out_text(out, key_text(key->help));
    out_char(out, '\n');
}

void conf_help(struct out *out) {
    for (enum key_id id = 0; id < K_N; id++)
        if (keys[id].flags & KEY_OPTION)
            option_line(out, &keys[id]);
}
