#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/list.h"

#define BLANKS " \t"

int conf_list_add(struct conf_list *list, const char *text, size_t len)
{
    char **items = reallocarray(list->items, list->n + 1, sizeof(*items));
    char *item;

    if (items == NULL)
        return -ENOMEM;
    list->items = items;
    item = strndup(text, len);
    if (item == NULL)
        return -ENOMEM;
    list->items[list->n++] = item;
    return 0;
}

int conf_list_split(struct conf_list *list, const char *text, const char *separators)
{
    int rc = 0;

    while (rc == 0 && *text != '\0') {
        text += strspn(text, BLANKS);
        size_t len = strcspn(text, separators), item = len;

        while (item > 0 && strchr(BLANKS, text[item - 1]) != NULL)
            item--;
        if (item > 0)
            rc = conf_list_add(list, text, item);
        text += len;
        text += strspn(text, separators);
    }
    return rc;
}

void conf_list_clear(struct conf_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct conf_list){NULL, 0};
}
