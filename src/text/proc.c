#include "text/proc.h"

#include <string.h>

#include "text/number.h"

/* The field behind the blanks at *at. */
static size_t field(const char **at) {
    *at += strspn(*at, " ");
    return strcspn(*at, " \n");
}

static int64_t number(const char **at, int64_t most) {
    size_t n = field(at);
    int64_t value = number_parse(*at, n, most);
    *at += n;
    return value;
}

/* A process that is just going has -1 for its group. */
static int32_t process(const char **at) {
    int64_t value = number(at, INT32_MAX);
    return value > 0 ? (int32_t)value : 0;
}

/* The name is in brackets and may itself hold brackets and spaces: the last ')' ends it. The state is the third
 * field, the start time the 22nd. */
bool proc_stat_read(const char *text, struct proc_stat *stat) {
    const char *name = strchr(text, '('), *at = strrchr(text, ')');
    int64_t start;
    if (name == NULL || at == NULL || at < name || at[1] != ' ' || at[2] == 0)
        return false;
    size_t n = (size_t)(at - name - 1);
    n = n < PROC_COMM ? n : PROC_COMM - 1;
    *stat = (struct proc_stat){.state = at[2]};
    memcpy(stat->comm, name + 1, n);
    at += 3;
    stat->parent = process(&at);
    stat->group = process(&at);
    for (int i = 6; i < 22; i++)
        at += field(&at);
    start = number(&at, INT64_MAX);
    stat->start = (uint64_t)start;
    return start >= 0;
}

void proc_list_read(struct proc_list *list, const char *text, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        uint32_t digit = (uint32_t)(text[i] - '0');
        if (digit <= 9) {
            list->wide |= list->number > (INT32_MAX - digit) / 10;
            list->number = list->number * 10 + digit;
            continue;
        }
        if (list->number != 0 && !list->wide && list->n < list->room)
            list->into[list->n++] = (int32_t)list->number;
        list->number = 0;
        list->wide = false;
    }
}
