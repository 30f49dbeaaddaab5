#include "config.h"

#include "ipc/scoreboard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHE_LINE  64
#define WORDS(size) (((size) + sizeof(uint64_t) - 1) / sizeof(uint64_t))

/* The request in flight, as words, so that each is read and written in one piece. */
struct flight {
    _Atomic uint64_t sequence; /* odd while the worker writes: a seqlock (Lameter 2005) */
    _Atomic int64_t since_ms;
    _Atomic uint64_t method[WORDS(SCOREBOARD_METHOD_SIZE)];
    _Atomic uint64_t path[WORDS(SCOREBOARD_PATH_SIZE)];
    _Atomic uint64_t client[WORDS(SCOREBOARD_CLIENT_SIZE)];
};

/* The master's line, then the worker's: neither steals the other's cache line. */
struct scoreboard_slot {
    _Alignas(CACHE_LINE) _Atomic uint32_t state;
    _Atomic uint32_t number;
    _Atomic uint64_t worker;
    _Atomic int64_t pid;
    _Atomic int64_t started_ms;
    _Atomic uint64_t exit_worker;
    _Atomic int64_t exit_status;
    _Atomic int64_t exit_ms;
    _Alignas(CACHE_LINE) _Atomic int64_t heartbeat_ms;
    _Atomic uint64_t requests;
    _Atomic uint64_t connections;
    struct flight flight;
    _Atomic uint64_t limits[SCOREBOARD_LIMITS]; /* of all workers of the slot so far */
};

struct scoreboard {
    int fd;
    size_t size; /* bytes mapped */
    struct scoreboard_slot *slots;
};

#define get(field)        atomic_load_explicit(&(field), memory_order_relaxed)
#define set(field, value) atomic_store_explicit(&(field), (value), memory_order_relaxed)

static int map(struct scoreboard *scoreboard)
{
    void *memory =
        mmap(NULL, scoreboard->size, PROT_READ | PROT_WRITE, MAP_SHARED, scoreboard->fd, 0);
    if (memory == MAP_FAILED)
        return -errno;
    scoreboard->slots = memory;
    return 0;
}

/* Where no memfd may be that big (RLIMIT_FSIZE): as good, but for a handover. */
static int map_anonymous(struct scoreboard *scoreboard)
{
    void *memory =
        mmap(NULL, scoreboard->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return -errno;
    scoreboard->slots = memory;
    return 0;
}

static void drop_memfd(struct scoreboard *scoreboard)
{
    if (scoreboard->fd >= 0)
        close(scoreboard->fd);
    scoreboard->fd = -1;
}

static int make_memfd(struct scoreboard *scoreboard)
{
    scoreboard->fd = memfd_create("zombie-scoreboard", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (scoreboard->fd < 0)
        return -errno;
    if (ftruncate(scoreboard->fd, (off_t)scoreboard->size) != 0 ||
        fcntl(scoreboard->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        return -errno;
    return 0;
}

static int allocate(size_t n_slots, struct scoreboard **ret_scoreboard)
{
    struct scoreboard *scoreboard = calloc(1, sizeof *scoreboard);
    if (scoreboard == NULL)
        return -ENOMEM;
    scoreboard->fd = -1;
    scoreboard->size = n_slots * sizeof *scoreboard->slots;
    *ret_scoreboard = scoreboard;
    return 0;
}

int scoreboard_new(size_t n_slots, struct scoreboard **ret_scoreboard)
{
    struct scoreboard *scoreboard;
    int err = allocate(n_slots, &scoreboard);
    if (err != 0)
        return err;
    err = make_memfd(scoreboard);
    if (err == 0)
        err = map(scoreboard);
    if (err != 0) {
        drop_memfd(scoreboard);
        err = map_anonymous(scoreboard);
    }
    if (err != 0) {
        scoreboard_free(scoreboard);
        return err;
    }
    *ret_scoreboard = scoreboard;
    return 0;
}

int scoreboard_adopt(int fd, size_t n_slots, struct scoreboard **ret_scoreboard)
{
    struct scoreboard *scoreboard;
    struct stat status;
    int err = allocate(n_slots, &scoreboard);
    if (err != 0)
        return err;
    scoreboard->fd = fd;
    if (fstat(fd, &status) != 0 || (size_t)status.st_size != scoreboard->size)
        err = -EBADF;
    else
        err = map(scoreboard);
    if (err != 0) {
        free(scoreboard);
        return err;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    *ret_scoreboard = scoreboard;
    return 0;
}

int scoreboard_fd(const struct scoreboard *scoreboard)
{
    return scoreboard->fd;
}

void scoreboard_free(struct scoreboard *scoreboard)
{
    if (scoreboard == NULL)
        return;
    if (scoreboard->slots != NULL)
        munmap(scoreboard->slots, scoreboard->size);
    drop_memfd(scoreboard);
    free(scoreboard);
}

struct scoreboard_slot *scoreboard_at(struct scoreboard *scoreboard, size_t i)
{
    return &scoreboard->slots[i];
}

static void clear_work(struct scoreboard_slot *slot)
{
    set(slot->heartbeat_ms, 0);
    set(slot->requests, 0);
    set(slot->connections, 0);
    set(slot->flight.sequence, 0);
    set(slot->flight.since_ms, 0);
    set(slot->flight.method[0], 0);
    set(slot->flight.path[0], 0);
    set(slot->flight.client[0], 0);
}

void scoreboard_set_place(struct scoreboard_slot *slot, const struct scoreboard_place *place)
{
    if (get(slot->worker) != place->worker)
        clear_work(slot);
    set(slot->state, place->state);
    set(slot->number, place->number);
    set(slot->worker, place->worker);
    set(slot->pid, place->pid);
    set(slot->started_ms, place->started_ms);
}

void scoreboard_set_exit(struct scoreboard_slot *slot, const struct scoreboard_exit *last)
{
    set(slot->exit_worker, last->worker);
    set(slot->exit_status, last->wait_status);
    set(slot->exit_ms, last->when_ms);
}

void scoreboard_beat(struct scoreboard_slot *slot, int64_t now_ms)
{
    set(slot->heartbeat_ms, now_ms);
}

void scoreboard_count_connections(struct scoreboard_slot *slot, uint64_t open)
{
    set(slot->connections, open);
}

/* Copy a text of at most size - 1 bytes, word by word; the rest of the last word is NUL. */
static void put_text(_Atomic uint64_t *words, const char *text, size_t size)
{
    size_t left = strnlen(text, size - 1);
    for (size_t i = 0; i < WORDS(size); i++) {
        uint64_t word = 0;
        size_t n = left < sizeof word ? left : sizeof word;
        memcpy(&word, text, n);
        set(words[i], word);
        if (n < sizeof word)
            return;
        text += n;
        left -= n;
    }
}

static void get_text(const _Atomic uint64_t *words, char *text, size_t size)
{
    for (size_t i = 0; i < WORDS(size); i++) {
        uint64_t word = get(words[i]);
        size_t left = size - i * sizeof word;
        memcpy(text + i * sizeof word, &word, left < sizeof word ? left : sizeof word);
    }
    text[size - 1] = '\0';
}

void scoreboard_begin(struct scoreboard_slot *slot, const struct scoreboard_request *request)
{
    struct flight *flight = &slot->flight;
    uint64_t sequence = get(flight->sequence);
    set(flight->sequence, sequence + 1);
    atomic_thread_fence(memory_order_release);
    set(flight->since_ms, request->since_ms);
    put_text(flight->method, request->method, SCOREBOARD_METHOD_SIZE);
    put_text(flight->path, request->path, SCOREBOARD_PATH_SIZE);
    put_text(flight->client, request->client, SCOREBOARD_CLIENT_SIZE);
    atomic_store_explicit(&flight->sequence, sequence + 2, memory_order_release);
}

void scoreboard_end(struct scoreboard_slot *slot)
{
    set(slot->flight.since_ms, 0);
    set(slot->requests, get(slot->requests) + 1);
}

/* The slot has one writer at a time, but readers at any. */
uint64_t scoreboard_count_limit(struct scoreboard_slot *slot, unsigned limit)
{
    return atomic_fetch_add_explicit(&slot->limits[limit], 1, memory_order_relaxed) + 1;
}

uint64_t scoreboard_read_limit(const struct scoreboard_slot *slot, unsigned limit)
{
    return get(slot->limits[limit]);
}

uint64_t scoreboard_requests(const struct scoreboard_slot *slot)
{
    return get(slot->requests);
}

void scoreboard_read_place(const struct scoreboard_slot *slot, struct scoreboard_place *ret_place)
{
    *ret_place = (struct scoreboard_place){
        .state = get(slot->state),
        .number = get(slot->number),
        .worker = get(slot->worker),
        .pid = get(slot->pid),
        .started_ms = get(slot->started_ms),
    };
}

void scoreboard_read_exit(const struct scoreboard_slot *slot, struct scoreboard_exit *ret_last)
{
    *ret_last = (struct scoreboard_exit){
        .worker = get(slot->exit_worker),
        .wait_status = get(slot->exit_status),
        .when_ms = get(slot->exit_ms),
    };
}

static void read_flight(const struct flight *flight, struct scoreboard_work *work)
{
    for (int attempt = 0; attempt < 100; attempt++) {
        uint64_t before = atomic_load_explicit(&flight->sequence, memory_order_acquire);
        work->since_ms = get(flight->since_ms);
        get_text(flight->method, work->method, sizeof work->method);
        get_text(flight->path, work->path, sizeof work->path);
        get_text(flight->client, work->client, sizeof work->client);
        atomic_thread_fence(memory_order_acquire);
        if (before % 2 == 0 && before == get(flight->sequence))
            return;
    }
}

void scoreboard_read_work(const struct scoreboard_slot *slot, struct scoreboard_work *ret_work)
{
    ret_work->heartbeat_ms = get(slot->heartbeat_ms);
    ret_work->requests = get(slot->requests);
    ret_work->connections = get(slot->connections);
    read_flight(&slot->flight, ret_work);
}
