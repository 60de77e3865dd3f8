/* The image of a plan: what stands in it is text, whatever a name holds. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "text/svg.h"

static char text[SVG_HEAD + SVG_PER_BAR];

static void draw(const char *name) {
    struct out out = out_on(text, sizeof text);
    struct svg_bar bar = {.name = name, .phase = "drain", .end_ms = 5000, .promised_ms = 2000};
    svg_plan(&out, "A stop", &bar, 1, 10000, 1000);
    cr_assert_not(out.cut);
}

static void shows(const char *name, const char *as) {
    draw(name);
    cr_assert_not_null(strstr(text, as), "no %s in %s", as, text);
}

#define ELLIPSIS "\xe2\x80\xa6"
#define EURO "\xe2\x82\xac"

Test(svg, a_name_is_text) {
    shows("web", ">web <tspan");
    shows("a<b>&\"c\"\x01", ">a&lt;b&gt;&amp;&quot;c&quot;? <tspan");
}

Test(svg, a_long_name_loses_its_end) {
    shows("eighteen-letters-x", ">eighteen-letters-x <tspan");
    shows("eighteen-letters-xy", ">eighteen-letters-x" ELLIPSIS " <tspan");
    shows("eighteen-letters-xy", ">eighteen-letters-xy: 2.0 s promised");
}

Test(svg, a_character_is_shown_whole_or_not_at_all) {
    shows("seventeen-letters" EURO, ">seventeen-letters" EURO " <tspan");
    shows("seventeen-letters" EURO EURO, ">seventeen-letters" EURO ELLIPSIS " <tspan");
    shows("half-a-euro\xe2\x82", ">half-a-euro?? <tspan");
    shows(EURO EURO EURO EURO EURO EURO, ">" EURO EURO EURO EURO EURO EURO " <tspan");
}

Test(svg, the_room_is_enough) {
    struct out out = out_on(text, SVG_HEAD);
    svg_plan(&out, "What a stop may take", NULL, 0, 86400000, 1000);
    cr_assert_not(out.cut);
    char name[49] = {0};
    memset(name, '"', 48);
    draw(name);
}

static const char *plan_of(struct svg_bar bar, int64_t grace_ms) {
    struct out out = out_on(text, sizeof text);
    bar.name = "web", bar.phase = "stop";
    svg_plan(&out, "A stop", &bar, 1, grace_ms, 0);
    return text;
}

/* The first of that class behind the title of a row, to its end; "" if there is none. The legend comes behind all rows. */
static const char *box_of(const char *class, struct svg_bar bar) {
    static char box[128];
    char *row = strstr(plan_of(bar, 10000), "<g><title>"), *end = strstr(row, "</g>"), *at = strstr(row, class);
    snprintf(box, sizeof box, "%.*s", at < end && at != NULL ? (int)strcspn(at, "/") : 0, at ? at : "");
    return box;
}

Test(svg, bars_as_wide_as_their_time) {
    cr_assert_str_eq(box_of("class=\"p\"", (struct svg_bar){.end_ms = 5000}), "", "nothing is promised");
    cr_assert_not_null(strstr(box_of("class=\"m\"", (struct svg_bar){.start_ms = 9, .end_ms = 9}), "width=\"2\""));
    char whole[128];
    strcpy(whole, box_of("class=\"p\"", (struct svg_bar){.end_ms = 5000, .promised_ms = 5000}));
    cr_assert_neq(whole[0], 0);
    cr_assert_str_eq(box_of("class=\"p\"", (struct svg_bar){.end_ms = 5000, .promised_ms = 9000}), whole, "no more than it may take");
    cr_assert_not_null(strstr(plan_of((struct svg_bar){0}, 0), "</svg>"), "without any time");
}

Test(svg, no_byte_that_xml_does_not_have) {
    shows("a\x7f" "b", ">a?b <tspan");
}
