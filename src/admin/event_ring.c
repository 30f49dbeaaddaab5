#include "config.h"

#include "admin/event_ring.h"

#include <stdlib.h>

static struct event_block *block_at(const struct event_ring *ring, size_t i)
{
    return (struct event_block *)&ring->blocks[(ring->first + i) % EVENT_RING_SIZE];
}

static uint64_t newest(const struct event_ring *ring)
{
    return ring->n > 0 ? block_at(ring, ring->n - 1)->seq : 0;
}

static int render(struct event_block *block, uint64_t seq, const json_t *event)
{
    struct bytes *text = &block->text;
    char *json = json_dumps(event, JSON_COMPACT);
    bytes_clear(text);
    block->seq = seq;
    bytes_add_text(text, "event: event\nid: ");
    bytes_add_number(text, seq);
    bytes_add_text(text, "\ndata: ");
    bytes_add_text(text, json != NULL ? json : "");
    bytes_add_text(text, "\n\n");
    text->failed |= json == NULL;
    free(json);
    return text->failed ? -1 : 0;
}

const struct event_block *event_ring_add(struct event_ring *ring, const json_t *event)
{
    json_int_t seq = json_integer_value(json_object_get(event, "seq"));
    if (seq <= 0 || (uint64_t)seq <= newest(ring))
        return NULL;
    if (ring->n == EVENT_RING_SIZE) {
        ring->first = (ring->first + 1) % EVENT_RING_SIZE;
        ring->n--;
    }
    struct event_block *block = block_at(ring, ring->n);
    if (render(block, (uint64_t)seq, event) != 0)
        return NULL;
    ring->n++;
    return block;
}

void event_ring_replay(const struct event_ring *ring, uint64_t seq, size_t n, struct bytes *out)
{
    bool is_known = seq > 0 && seq <= newest(ring);
    size_t begin = !is_known && ring->n > n ? ring->n - n : 0;
    for (size_t i = begin; i < ring->n; i++) {
        const struct event_block *block = block_at(ring, i);
        if (!is_known || block->seq > seq)
            bytes_add(out, block->text.at, block->text.len);
    }
}

void event_ring_clear(struct event_ring *ring)
{
    for (size_t i = 0; i < EVENT_RING_SIZE; i++)
        bytes_free(&ring->blocks[i].text);
    *ring = (struct event_ring){.n = 0};
}
