/* Any name as one that stands in a store, and any text as the record of a run.
 * For: src/text/ids.c */
#include "fuzz.h"
#include "model/names.h"
#include "text/ids.h"
#include "text/report.h"

static void as_name(const char *name) {
    char id[CHECKPOINT_ID], again[ID_NAME];
    uint32_t number = 0xdead, number_again;
    enum id_form form = id_parse(name, &number);
    MUST(form != ID_NONE || number == 0xdead);
    if (form == ID_NONE)
        return;
    MUST(strlen(name) < ID_NAME && strchr(name, '/') == NULL);
    id_print(id, number, 0);
    id_name(again, form, id);
    MUST(id_parse(again, &number_again) == form && number_again == number);
    /* The time apart, a number has one name. */
    MUST(strlen(again) == strlen(name) && strncmp(again, name, strlen(name) - strlen("19700101T000000Z")) == 0);
}

static void as_record(const char *text, size_t n) {
    char verdict[32] = "", cause[64] = "";
    if (!report_read(text, n, verdict, sizeof verdict, cause, sizeof cause))
        return;
    bool known = false;
    for (uint8_t i = 0; i < VERDICT_N; i++)
        known |= strcmp(verdict, verdict_name(i)) == 0;
    MUST(known && (*cause == 0 || is_a_line(cause)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = copy_of(data, size, false), *name = copy_of(data, size, true);
    as_name(name);
    as_record(text, size);
    free(text);
    free(name);
    return 0;
}
