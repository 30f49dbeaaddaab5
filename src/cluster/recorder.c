#include "config.h"

#include "cluster/recorder.h"

#include <string.h>

size_t recorder_shape_length(const char *path)
{
    return strcspn(path, "?");
}

size_t recorder_count(const struct recorder *recorder)
{
    return recorder->added < RECORDER_DEATHS ? (size_t)recorder->added : RECORDER_DEATHS;
}

const struct death *recorder_at(const struct recorder *recorder, size_t i)
{
    uint64_t oldest = recorder->added - recorder_count(recorder);
    return &recorder->deaths[(oldest + i) % RECORDER_DEATHS];
}

/* Whether a request may be to blame. */
static bool is_suspect(const struct death *death)
{
    return !death->deliberate && death->elapsed_ms >= 0;
}

static bool has_same_shape(const struct death *a, const struct death *b)
{
    size_t len = recorder_shape_length(a->path);
    return strcmp(a->method, b->method) == 0 && len == recorder_shape_length(b->path) &&
           memcmp(a->path, b->path, len) == 0;
}

/* Unsigned, so that no two times are too far apart to be subtracted. */
static bool is_shortly_before(int64_t then_ms, int64_t now_ms)
{
    return then_ms <= now_ms && (uint64_t)now_ms - (uint64_t)then_ms <= RECORDER_POISON_WINDOW_MS;
}

/* The deaths kept that the newest one makes a case of, itself included. */
static unsigned count_alike(const struct recorder *recorder, const struct death *newest)
{
    unsigned n = 0;
    for (size_t i = 0; i < recorder_count(recorder); i++) {
        const struct death *death = recorder_at(recorder, i);
        n += is_suspect(death) && is_shortly_before(death->when_ms, newest->when_ms) &&
             has_same_shape(death, newest);
    }
    return n;
}

unsigned recorder_add(struct recorder *recorder, const struct death *death)
{
    struct death *newest = &recorder->deaths[recorder->added % RECORDER_DEATHS];
    *newest = *death;
    recorder->added++;
    unsigned alike = is_suspect(newest) ? count_alike(recorder, newest) : 0;
    newest->poison = alike >= RECORDER_POISON_DEATHS;
    return newest->poison ? alike : 0;
}
