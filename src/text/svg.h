/* text/svg.h: a plan as an SVG image (W3C SVG 1.1): for a document or a pull request.
 *
 * Readable in light and dark, by the viewer's own preference; text stays text. It needs no script, font
 * or file beside it.
 */
#ifndef TEXT_SVG_H
#define TEXT_SVG_H

#include "text/out.h"

/* One step; milliseconds from the start of the clock. promised_ms: how much of it is promised. */
struct svg_bar { const char *name, *phase; int64_t start_ms, end_ms, promised_ms; };

enum { SVG_HEAD = 2048, SVG_PER_BAR = 1024 }; /* room enough for the image, and for each bar */

/* grace_ms: the width of it all; the last reserve_ms of it are kept. */
void svg_plan(struct out *out, const char *title, const struct svg_bar *bars, unsigned n, int64_t grace_ms,
              int64_t reserve_ms);

#endif
