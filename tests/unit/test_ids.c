/* The names that stand in a store. */
#include <criterion/criterion.h>

#include "text/ids.h"

static enum id_form form(const char *name, uint32_t want) {
    uint32_t number = 77;
    enum id_form got = id_parse(name, &number);
    cr_assert_eq(number, got == ID_NONE ? 77 : want, "%s", name);
    return got;
}

Test(ids, every_form_is_read_again) {
    static const uint32_t numbers[] = {0, 1, 42, 99999, 100000, 999999, 1000000, UINT32_MAX};
    char id[CHECKPOINT_ID], name[ID_NAME];
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        for (enum id_form f = ID_WHOLE; f < ID_NONE; f++) {
            id_print(id, numbers[i], 1795230900);
            id_name(name, f, id);
            cr_assert_eq(form(name, numbers[i]), f, "%s", name);
        }
}

Test(ids, how_they_look) {
    char id[CHECKPOINT_ID], name[ID_NAME];
    id_print(id, 42, 1795230900);
    cr_assert_str_eq(id, "000042-20261121T031500Z");
    id_name(name, ID_NEW, id);
    cr_assert_str_eq(name, ".new-000042-20261121T031500Z");
    id_print(id, 1234567, 0);
    cr_assert_str_eq(id, "1234567-19700101T000000Z");
}

Test(ids, what_is_none) {
    static const char *const none[] = {
        "", "lock", "latest", ".new-", "42-20261121T031500Z", "0000042-20261121T031500Z", "4294967296-20261121T031500Z",
        "000042", "000042-", "000042-20261121T031500", "000042-20261121T031500Zx", "000042-20261121T03150xZ",
        "000042-2026112xT031500Z", "000042 20261121T031500Z", "00000000042-20261121T031500Z",
        "12345678901-20261121T031500Z", "000042-20261121t031500Z", "000042-20261121T031500z", ".neu-000042-20261121T031500Z",
        "damaged-damaged-000042-20261121T031500Z", "x000042-20261121T031500Z",
    };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        cr_assert_eq(form(none[i], 0), ID_NONE, "%s", none[i]);
}
