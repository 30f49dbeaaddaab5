#include "config.h"

#include "cluster/state_claim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define KEY_MAX 64

void state_place_format(const struct state_place *place, char ret_text[STATE_PLACE_SIZE])
{
    const char *key = place->key != NULL ? place->key : "";

    if (place->list == NULL)
        (void)snprintf(ret_text, STATE_PLACE_SIZE, "%.*s", KEY_MAX, key);
    else
        (void)snprintf(ret_text, STATE_PLACE_SIZE, "%s[%zu]%s%.*s", place->list, place->index,
                       place->key != NULL ? "." : "", KEY_MAX, key);
}

int state_claims_add(struct state_claims *claims, enum state_name name, int64_t value,
                     const struct state_place *place)
{
    if (claims->n == claims->size) {
        size_t size = claims->size > 0 ? 2 * claims->size : 64;
        struct state_claim *more = reallocarray(claims->claims, size, sizeof *more);
        if (more == NULL)
            return -ENOMEM;
        claims->claims = more;
        claims->size = size;
    }
    claims->claims[claims->n] =
        (struct state_claim){.name = name, .value = value, .place = *place, .order = claims->n};
    claims->n++;
    return 0;
}

static int compare(const void *left, const void *right)
{
    const struct state_claim *a = left;
    const struct state_claim *b = right;

    if (a->name != b->name)
        return a->name < b->name ? -1 : 1;
    if (a->value != b->value)
        return a->value < b->value ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

bool state_claims_collide(struct state_claims *claims, struct state_claim *ret_first,
                          struct state_claim *ret_second)
{
    if (claims->n > 0)
        qsort(claims->claims, claims->n, sizeof *claims->claims, compare);
    for (size_t i = 1; i < claims->n; i++) {
        const struct state_claim *first = &claims->claims[i - 1];
        const struct state_claim *second = &claims->claims[i];

        if (first->name == second->name && first->value == second->value) {
            *ret_first = *first;
            *ret_second = *second;
            return true;
        }
    }
    return false;
}
