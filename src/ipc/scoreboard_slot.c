#include "config.h"

#include <string.h>

#include "ipc/scoreboard_state.h"

const uint64_t scoreboard_latency_bounds_us[SCOREBOARD_LATENCY_BOUNDS] = {
    500,    1000,   2500,    5000,    10000,   25000,    50000,    100000,
    250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000,
};

static void clear_work(struct scoreboard_slot *slot)
{
    set_relaxed(slot->heartbeat_ms, 0);
    set_relaxed(slot->requests, 0);
    set_relaxed(slot->connections, 0);
    set_relaxed(slot->flight.sequence, 0);
    set_relaxed(slot->flight.since_ms, 0);
    set_relaxed(slot->flight.method[0], 0);
    set_relaxed(slot->flight.path[0], 0);
    set_relaxed(slot->flight.client[0], 0);
}

void scoreboard_set_place(struct scoreboard_slot *slot, const struct scoreboard_place *place)
{
    if (get_relaxed(slot->worker) != place->worker)
        clear_work(slot);
    set_relaxed(slot->state, place->state);
    set_relaxed(slot->number, place->number);
    set_relaxed(slot->worker, place->worker);
    set_relaxed(slot->pid, place->pid);
    set_relaxed(slot->started_ms, place->started_ms);
}

void scoreboard_read_place(const struct scoreboard_slot *slot, struct scoreboard_place *ret_place)
{
    *ret_place = (struct scoreboard_place){
        .state = get_relaxed(slot->state),
        .number = get_relaxed(slot->number),
        .worker = get_relaxed(slot->worker),
        .pid = get_relaxed(slot->pid),
        .started_ms = get_relaxed(slot->started_ms),
    };
}

void scoreboard_beat(struct scoreboard_slot *slot, int64_t now_ms)
{
    set_relaxed(slot->heartbeat_ms, now_ms);
}

void scoreboard_count_connections(struct scoreboard_slot *slot, uint64_t open)
{
    set_relaxed(slot->connections, open);
}

void scoreboard_count_accepted(struct scoreboard_slot *slot)
{
    add_relaxed(slot->traffic.accepted, 1);
}

/* Copy a text of at most size - 1 bytes, word by word; the rest of the last word is NUL. */
static void put_text(_Atomic uint64_t *words, const char *text, size_t size)
{
    size_t left = strnlen(text, size - 1);
    for (size_t i = 0; i < WORDS(size); i++) {
        uint64_t word = 0;
        size_t n = left < sizeof word ? left : sizeof word;
        memcpy(&word, text, n);
        set_relaxed(words[i], word);
        if (n < sizeof word)
            return;
        text += n;
        left -= n;
    }
}

static void get_text(const _Atomic uint64_t *words, char *text, size_t size)
{
    for (size_t i = 0; i < WORDS(size); i++) {
        uint64_t word = get_relaxed(words[i]);
        size_t left = size - i * sizeof word;
        memcpy(text + i * sizeof word, &word, left < sizeof word ? left : sizeof word);
    }
    text[size - 1] = '\0';
}

void scoreboard_begin(struct scoreboard_slot *slot, const struct scoreboard_request *request)
{
    struct flight *flight = &slot->flight;
    uint64_t sequence = sequence_open(&flight->sequence);
    set_relaxed(flight->since_ms, request->since_ms);
    put_text(flight->method, request->method, SCOREBOARD_METHOD_SIZE);
    put_text(flight->path, request->path, SCOREBOARD_PATH_SIZE);
    put_text(flight->client, request->client, SCOREBOARD_CLIENT_SIZE);
    sequence_close(&flight->sequence, sequence);
}

void scoreboard_end(struct scoreboard_slot *slot)
{
    set_relaxed(slot->flight.since_ms, 0);
    add_relaxed(slot->requests, 1);
}

uint64_t scoreboard_requests(const struct scoreboard_slot *slot)
{
    return get_relaxed(slot->requests);
}

/* A status that is none counts as the server's fault. */
static size_t class_of(int status)
{
    return status >= 100 && status < 600 ? (size_t)status / 100 - 1 : SCOREBOARD_CLASSES - 1;
}

void scoreboard_account(struct scoreboard_slot *slot, const struct scoreboard_answer *answer)
{
    struct traffic *traffic = &slot->traffic;
    size_t place = histogram_place(scoreboard_latency_bounds_us, SCOREBOARD_LATENCY_BOUNDS,
                                   answer->duration_us);
    add_relaxed(traffic->answers[class_of(answer->status)][answer->method], 1);
    add_relaxed(traffic->latency[place], 1);
    add_relaxed(traffic->latency_sum_us, answer->duration_us);
    add_relaxed(traffic->received, answer->received);
    add_relaxed(traffic->sent, answer->sent);
}

void scoreboard_read_traffic(const struct scoreboard_slot *slot,
                             struct scoreboard_traffic *ret_traffic)
{
    const struct traffic *traffic = &slot->traffic;
    for (size_t i = 0; i < SCOREBOARD_CLASSES; i++)
        for (size_t j = 0; j < SCOREBOARD_METHODS; j++)
            ret_traffic->answers[i][j] = get_relaxed(traffic->answers[i][j]);
    for (size_t i = 0; i <= SCOREBOARD_LATENCY_BOUNDS; i++)
        ret_traffic->latency[i] = get_relaxed(traffic->latency[i]);
    ret_traffic->latency_sum_us = get_relaxed(traffic->latency_sum_us);
    ret_traffic->received = get_relaxed(traffic->received);
    ret_traffic->sent = get_relaxed(traffic->sent);
    ret_traffic->accepted = get_relaxed(traffic->accepted);
}

/* The slot has one writer at a time, but readers at any. */
uint64_t scoreboard_count_limit(struct scoreboard_slot *slot, unsigned limit)
{
    return atomic_fetch_add_explicit(&slot->limits[limit], 1, memory_order_relaxed) + 1;
}

uint64_t scoreboard_read_limit(const struct scoreboard_slot *slot, unsigned limit)
{
    return get_relaxed(slot->limits[limit]);
}

static void read_flight(const struct flight *flight, struct scoreboard_work *work)
{
    for (int attempt = 0; attempt < SEQUENCE_ATTEMPTS; attempt++) {
        uint64_t before = sequence_look(&flight->sequence);
        work->since_ms = get_relaxed(flight->since_ms);
        get_text(flight->method, work->method, sizeof work->method);
        get_text(flight->path, work->path, sizeof work->path);
        get_text(flight->client, work->client, sizeof work->client);
        if (sequence_stood(&flight->sequence, before))
            return;
    }
}

void scoreboard_read_work(const struct scoreboard_slot *slot, struct scoreboard_work *ret_work)
{
    ret_work->heartbeat_ms = get_relaxed(slot->heartbeat_ms);
    ret_work->requests = get_relaxed(slot->requests);
    ret_work->connections = get_relaxed(slot->connections);
    read_flight(&slot->flight, ret_work);
}

uint64_t scoreboard_answers(const struct scoreboard_traffic *traffic)
{
    uint64_t n = 0;
    for (int i = 0; i < SCOREBOARD_CLASSES; i++)
        for (int j = 0; j < SCOREBOARD_METHODS; j++)
            n += traffic->answers[i][j];
    return n;
}
