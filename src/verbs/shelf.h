/* verbs/shelf.h: what stands in stores, as a table or as JSON on stdout.
 */
#ifndef VERBS_SHELF_H
#define VERBS_SHELF_H

#include "store/store.h"
#include "text/json.h"
#include "text/manifest.h"
#include "verbs/stores.h"

/* Points into itself: it stays where it is. wrote: all of it so far; any: a store stands in it. */
struct shelf { bool as_json, wrote, any; struct out out; struct json json; };

void shelf_begin(struct shelf *shelf, bool as_json);
/* The store is open to look, and closed then; NULL: it has not been made yet. false: it could not be read. */
bool shelf_list(struct shelf *shelf, struct store *store, const struct store_at *at, struct checkpoint_result *result);
void shelf_end(struct shelf *shelf);

/* Of the one that was picked: its manifest. false: that is damaged. */
bool shelf_show(struct shelf *shelf, struct store *store, const struct manifest_head *head);

#endif
