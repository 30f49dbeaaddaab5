#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/list.h"

#define SEPARATORS ", \t\r\n"

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

int conf_list_split(struct conf_list *list, const char *text)
{
    int rc = 0;

    text += strspn(text, SEPARATORS);
    while (rc == 0 && *text != '\0') {
        size_t len = strcspn(text, SEPARATORS);

        rc = conf_list_add(list, text, len);
        text += len;
        text += strspn(text, SEPARATORS);
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
