#include "config.h"

#include "zombiectl/chaos_strength.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "zombiectl/member.h"

static const char *text_of(const json_t *object, const char *name)
{
    return member_text(object, name, "");
}

static int64_t number_of(const json_t *object, const char *name)
{
    int64_t number = 0;

    return member_int(object, name, &number) ? number : 0;
}

/* 0: it is none of a worker. */
static unsigned slot_of(const json_t *object)
{
    int64_t slot = number_of(object, "slot");

    if (strcmp(text_of(object, "role"), "worker") != 0 || slot < 1 || slot > CHAOS_SLOTS_MAX)
        return 0;
    return (unsigned)slot;
}

static bool is_struck(const struct chaos_strength *strength, int64_t worker)
{
    for (size_t i = 0; i < strength->n_strokes; i++) {
        if (strength->strokes[i].worker == worker)
            return true;
    }
    return false;
}

static void remove_stroke(struct chaos_strength *strength, size_t i)
{
    strength->strokes[i] = strength->strokes[--strength->n_strokes];
}

/* Forget the strokes of which nothing more is to be learned. */
static void settle(struct chaos_strength *strength)
{
    for (size_t i = strength->n_strokes; i-- > 0;) {
        if (strength->strokes[i].has_hit && strength->strokes[i].is_restored)
            remove_stroke(strength, i);
    }
}

static void note_strength(struct chaos_strength *strength, int64_t now_us)
{
    if (!chaos_strength_is_full(strength))
        return;
    for (size_t i = 0; i < strength->n_strokes; i++) {
        struct chaos_stroke *stroke = &strength->strokes[i];

        if (!stroke->is_restored)
            chaos_spread_add(&strength->recovery, now_us - stroke->at_us);
        stroke->is_restored = true;
    }
    settle(strength);
}

static void note_hit(struct chaos_strength *strength, int64_t worker)
{
    for (size_t i = 0; i < strength->n_strokes; i++) {
        struct chaos_stroke *stroke = &strength->strokes[i];

        if (stroke->worker != worker || stroke->has_hit)
            continue;
        stroke->has_hit = true;
        strength->deaths++;
    }
}

void chaos_strength_clear(struct chaos_strength *strength)
{
    free(strength->strokes);
    strength->strokes = NULL;
    strength->n_strokes = 0;
    strength->room = 0;
}

void chaos_strength_learn(struct chaos_strength *strength, const json_t *status, int64_t now_us)
{
    const json_t *processes = json_object_get(status, "processes");
    const json_t *process;
    size_t i;

    strength->wanted = number_of(status, "workers");
    memset(strength->serving, 0, sizeof(strength->serving));
    json_array_foreach(processes, i, process)
    {
        if (strcmp(text_of(process, "state"), "serving") == 0 &&
            !member_is_true(process, "candidate") && !member_is_true(process, "leaving"))
            strength->serving[slot_of(process)] = number_of(process, "worker");
    }
    note_strength(strength, now_us);
}

void chaos_strength_hear(struct chaos_strength *strength, const json_t *event, int64_t now_us)
{
    const char *what = text_of(event, "event");
    unsigned slot = slot_of(event);
    int64_t worker = number_of(event, "worker");

    if (slot == 0)
        return;
    if (strcmp(what, "ready") == 0 && worker > strength->serving[slot]) {
        strength->serving[slot] = worker;
        note_strength(strength, now_us);
    } else if (strcmp(what, "death") == 0 || strcmp(what, "leaving") == 0) {
        if (strength->serving[slot] == worker)
            strength->serving[slot] = 0;
        note_hit(strength, worker);
        settle(strength);
    }
}

int64_t chaos_strength_in(const struct chaos_strength *strength, unsigned slot)
{
    int64_t worker = slot <= CHAOS_SLOTS_MAX ? strength->serving[slot] : 0;

    return worker != 0 && is_struck(strength, worker) ? 0 : worker;
}

int chaos_strength_strike(struct chaos_strength *strength, unsigned slot, int64_t now_us)
{
    if (strength->n_strokes == strength->room) {
        size_t room = strength->room > 0 ? 2 * strength->room : 64;
        struct chaos_stroke *strokes = reallocarray(strength->strokes, room, sizeof(*strokes));

        if (strokes == NULL)
            return -ENOMEM;
        strength->strokes = strokes;
        strength->room = room;
    }
    strength->strokes[strength->n_strokes++] =
        (struct chaos_stroke){.worker = strength->serving[slot], .at_us = now_us};
    return 0;
}

bool chaos_strength_spare(struct chaos_strength *strength, int64_t worker, int64_t now_us)
{
    for (size_t i = 0; i < strength->n_strokes; i++) {
        if (strength->strokes[i].worker == worker && !strength->strokes[i].has_hit) {
            remove_stroke(strength, i);
            note_strength(strength, now_us);
            return true;
        }
    }
    return false;
}

int64_t chaos_strength_count(const struct chaos_strength *strength)
{
    int64_t n = 0;

    for (unsigned slot = 1; slot <= CHAOS_SLOTS_MAX; slot++)
        n += chaos_strength_in(strength, slot) != 0;
    return n;
}

bool chaos_strength_is_full(const struct chaos_strength *strength)
{
    return chaos_strength_count(strength) >= strength->wanted;
}

bool chaos_strength_is_settled(const struct chaos_strength *strength)
{
    return chaos_strength_is_full(strength) && strength->n_strokes == 0;
}
