/* Any datagram as sd_notify's.
 * For: src/text/notify.c */
#include <stdlib.h>
#include <string.h>

#include "text/notify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct notify said;
    char *copy = malloc(size + (size == 0));
    memcpy(copy, data, size);
    bool good = notify_parse(copy, size, &said);
    if (!good && (said.ready || said.barrier || said.extend))
        abort();
    if (said.ready && (size < 7 || memmem(data, size, "READY=1", 7) == NULL))
        abort();
    free(copy);
    return 0;
}
