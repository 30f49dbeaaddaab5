#include "config.h"

#include "distributor/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

void table_init(struct table *table, size_t max)
{
    *table = (struct table){.max = max};
    TAILQ_INIT(&table->nodes);
}

static bool says(const struct node *node, const char *text, size_t len)
{
    return node->text != NULL && node->len == len && memcmp(node->text, text, len) == 0;
}

/* With the '[' or ',' before it. */
static size_t weigh(const struct node *node)
{
    return node->text != NULL ? node->len + 1 : 0;
}

int table_put(struct table *table, struct node *node, const char *text, size_t len, int64_t now_ms)
{
    bool is_new = node->text == NULL;
    size_t others = table->bytes - weigh(node);
    if (says(node, text, len))
        return 0;
    if (is_new && table->n >= table->max)
        return -ENOSPC;
    if (len > TABLE_NODE_MAX)
        return -E2BIG;
    if (others + len + 1 > TABLE_BYTES_MAX)
        return -EFBIG;
    char *copy = malloc(len > 0 ? len : 1);
    if (copy == NULL)
        return -ENOMEM;
    memcpy(copy, text, len);
    if (is_new) {
        TAILQ_INSERT_TAIL(&table->nodes, node, entry);
        table->n++;
        node->since_ms = now_ms;
    }
    free(node->text);
    node->text = copy;
    node->len = len;
    table->bytes = others + weigh(node);
    table->version++;
    return 1;
}

void table_remove(struct table *table, struct node *node)
{
    if (node->text == NULL)
        return;
    TAILQ_REMOVE(&table->nodes, node, entry);
    table->n--;
    table->bytes -= weigh(node);
    table->version++;
    free(node->text);
    node->text = NULL;
}

void table_write(const struct table *table, struct bytes *out)
{
    const struct node *node = TAILQ_FIRST(&table->nodes);
    bytes_add_text(out, "[");
    for (; node != NULL; node = TAILQ_NEXT(node, entry)) {
        bytes_add(out, node->text, node->len);
        if (TAILQ_NEXT(node, entry) != NULL)
            bytes_add_text(out, ",");
    }
}
