/* Any text as a signal's name: what is read has one name, which means the same.
 * For: src/text/signame.c */
#include <stdlib.h>
#include <string.h>

#include "model/signals.h"
#include "text/signame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + (size == 0)), name[SIGNAME_ROOM], upper[SIGNAME_ROOM];
    memcpy(text, data, size);
    int sig = signame_parse(text, size);
    if (sig < 0 || sig > SIGNAL_MAX || (sig > 0 && signame_parse(signame(sig, name), strlen(name)) != sig))
        abort();
    for (size_t i = 0; i < size && size <= sizeof upper; i++)
        upper[i] = (char)(text[i] >= 'a' && text[i] <= 'z' ? text[i] - 'a' + 'A' : text[i]);
    if (size <= sizeof upper && signame_parse(upper, size) != sig)
        abort();
    free(text);
    return 0;
}
