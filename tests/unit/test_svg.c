/* The image of a plan: what stands in it is text, whatever a name holds. */
#include <criterion/criterion.h>
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
