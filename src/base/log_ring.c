#include "config.h"

#include "base/log_ring.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/shared_memory.h"
#include "base/utf8.h"

/* Rises when the bytes mean something else; the first half tells a ring from other memory. */
#define LAYOUT UINT64_C(0x5a4c6f6700000002)

#define WORDS(size) ((size) / sizeof(uint64_t))
#define TEXT_MAX    (LOG_RING_TEXT_SIZE - 1)

/* A line that was overtaken while it had only a ticket gets another one, this often. */
#define ATTEMPTS 4

static const char cut_mark[] = "...";

/* What is in an entry, in words, so that each is read and written in one piece. */
struct content {
    uint64_t id;
    uint64_t about;
    uint64_t shape; /* length of the text, and its level */
    uint64_t role[WORDS(LOG_RING_ROLE_SIZE)];
    uint64_t text[WORDS(TEXT_MAX)];
};

#define CONTENT_WORDS (sizeof(struct content) / sizeof(uint64_t))
#define HEAD_WORDS    (offsetof(struct content, text) / sizeof(uint64_t))

/*
 * A writer marks the entry as its own, writes, and marks it as whole. A writer
 * that slept in the middle while others went once around the ring may wake up
 * and write into the entry of a later one: the sum tells a mixture of two.
 */
struct entry {
    _Atomic uint64_t mark; /* begun_mark() or whole_mark() of a ticket; 0: never used */
    _Atomic uint64_t sum;
    _Atomic uint64_t words[CONTENT_WORDS];
};

_Static_assert(sizeof(struct entry) == 1024, "entries share no cache line and no page");

struct memory {
    _Alignas(sizeof(struct entry)) uint64_t layout;
    _Alignas(64) _Atomic uint64_t next;
    _Alignas(sizeof(struct entry)) struct entry entries[LOG_RING_LINES];
};

struct log_ring {
    struct shared_memory shared;
    struct memory *memory;
};

#define get(field)        atomic_load_explicit(&(field), memory_order_relaxed)
#define set(field, value) atomic_store_explicit(&(field), (value), memory_order_relaxed)

static uint64_t begun_mark(uint64_t ticket)
{
    return 2 * ticket + 1;
}

static uint64_t whole_mark(uint64_t ticket)
{
    return 2 * ticket + 2;
}

static struct entry *entry_of(const struct log_ring *ring, uint64_t ticket)
{
    return &ring->memory->entries[ticket % LOG_RING_LINES];
}

static int wrap(const struct shared_memory *shared, struct log_ring **ret_ring)
{
    struct log_ring *ring = malloc(sizeof *ring);
    if (ring == NULL)
        return -ENOMEM;
    *ring = (struct log_ring){*shared, shared->at};
    *ret_ring = ring;
    return 0;
}

int log_ring_new(struct log_ring **ret_ring)
{
    struct shared_memory shared;
    int err = shared_memory_new("zombie-log", sizeof(struct memory), &shared);
    if (err != 0)
        return err;
    err = wrap(&shared, ret_ring);
    if (err != 0)
        shared_memory_clear(&shared);
    else
        (*ret_ring)->memory->layout = LAYOUT;
    return err;
}

int log_ring_adopt(int fd, struct log_ring **ret_ring)
{
    struct shared_memory shared;
    int err = shared_memory_adopt(fd, sizeof(struct memory), &shared);
    if (err != 0)
        return err;
    const struct memory *memory = shared.at;
    err = memory->layout == LAYOUT ? wrap(&shared, ret_ring) : -EBADF;
    if (err != 0) {
        shared.fd = -1; /* stays the caller's */
        shared_memory_clear(&shared);
    }
    return err;
}

int log_ring_fd(const struct log_ring *ring)
{
    return ring->shared.fd;
}

void log_ring_free(struct log_ring *ring)
{
    if (ring == NULL)
        return;
    shared_memory_clear(&ring->shared);
    free(ring);
}

/* The longest beginning of at most `most` bytes that does not end within a character. */
static size_t cut(const char *text, size_t most)
{
    size_t len = most;
    while (len > 0 && most - len < 3 && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--;
    return ((unsigned char)text[len] & 0xc0) == 0x80 ? most : len;
}

static size_t put_text(char *target, const char *line, size_t len)
{
    if (len > 0 && line[len - 1] == '\n')
        len--;
    if (len <= TEXT_MAX) {
        memcpy(target, line, len);
        return len;
    }
    len = cut(line, TEXT_MAX - (sizeof cut_mark - 1));
    memcpy(target, line, len);
    memcpy(target + len, cut_mark, sizeof cut_mark - 1);
    return len + sizeof cut_mark - 1;
}

/* How many of the words say something. */
static size_t words_of(size_t len)
{
    return HEAD_WORDS + (len + sizeof(uint64_t) - 1) / sizeof(uint64_t);
}

/* Not against malice: writers trust each other. */
static uint64_t sum_of(uint64_t ticket, const uint64_t *words, size_t n)
{
    uint64_t sum = ticket + 1;
    for (size_t i = 0; i < n; i++) {
        sum = (sum ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 32;
    }
    return sum;
}

/* Make the entry that of the ticket; false: it is that of a later one already. */
static bool claim(struct entry *entry, uint64_t ticket)
{
    uint64_t mark = get(entry->mark);
    while (mark < begun_mark(ticket))
        if (atomic_compare_exchange_weak_explicit(&entry->mark, &mark, begun_mark(ticket),
                                                  memory_order_relaxed, memory_order_relaxed))
            return true;
    return false;
}

static bool try_add(struct log_ring *ring, const uint64_t *words, size_t n)
{
    uint64_t ticket = atomic_fetch_add_explicit(&ring->memory->next, 1, memory_order_relaxed);
    struct entry *entry = entry_of(ring, ticket);
    uint64_t mark = begun_mark(ticket);
    if (!claim(entry, ticket))
        return false;
    atomic_thread_fence(memory_order_release);
    for (size_t i = 0; i < n; i++)
        set(entry->words[i], words[i]);
    set(entry->sum, sum_of(ticket, words, n));
    atomic_compare_exchange_strong_explicit(&entry->mark, &mark, whole_mark(ticket),
                                            memory_order_release, memory_order_relaxed);
    return true;
}

void log_ring_add(struct log_ring *ring, const char *role, uint64_t id, uint64_t about,
                  enum log_level level, const char *line, size_t len)
{
    union {
        struct content content;
        uint64_t words[CONTENT_WORDS];
    } made = {.content = {.id = id, .about = about}};
    size_t used = put_text((char *)made.content.text, line, len);
    memcpy(made.content.role, role, strnlen(role, LOG_RING_ROLE_SIZE - 1));
    made.content.shape = used << 8 | (uint64_t)level;
    for (int i = 0; i < ATTEMPTS; i++)
        if (try_add(ring, made.words, words_of(used)))
            return;
}

uint64_t log_ring_next(const struct log_ring *ring)
{
    return get(ring->memory->next);
}

uint64_t log_ring_oldest(const struct log_ring *ring)
{
    uint64_t next = log_ring_next(ring);
    return next > LOG_RING_LINES ? next - LOG_RING_LINES : 0;
}

/* Of the C0 and C1 sets; the latter begin with C2 in UTF-8. */
static bool is_control(const char *text, size_t length)
{
    unsigned char first = (unsigned char)text[0];
    return length == 1 ? first < 0x20 || first == 0x7f
                       : first == 0xc2 && (unsigned char)text[1] < 0xa0;
}

/* A process that went mad may have written anything. */
static void clean(char *text, size_t len)
{
    for (size_t i = 0, length; i < len; i += length) {
        length = utf8_sequence_length(text + i, len - i);
        if (length > 0 && !is_control(text + i, length))
            continue;
        length = length > 0 ? length : 1;
        memset(text + i, '?', length);
    }
}

/* False when there is no sense in it. */
static bool unpack(const struct content *content, uint64_t ticket, struct log_ring_entry *ret_entry)
{
    size_t len = (size_t)(content->shape >> 8);
    uint64_t level = content->shape & 0xff;
    if (len > TEXT_MAX || level > LOG_LEVEL_DEBUG)
        return false;
    ret_entry->ticket = ticket;
    ret_entry->id = content->id;
    ret_entry->about = content->about;
    ret_entry->level = (enum log_level)level;
    ret_entry->len = len;
    memcpy(ret_entry->role, content->role, LOG_RING_ROLE_SIZE);
    ret_entry->role[LOG_RING_ROLE_SIZE - 1] = '\0';
    memcpy(ret_entry->text, content->text, len);
    ret_entry->text[len] = '\0';
    clean(ret_entry->role, strlen(ret_entry->role));
    clean(ret_entry->text, len);
    return true;
}

/* Where to go on when the line of the ticket is lost. */
static int stale(const struct log_ring *ring, uint64_t ticket, struct log_ring_entry *ret_entry)
{
    uint64_t oldest = log_ring_oldest(ring);
    ret_entry->ticket = oldest > ticket ? oldest : ticket + 1;
    return -ESTALE;
}

int log_ring_read(const struct log_ring *ring, uint64_t ticket, struct log_ring_entry *ret_entry)
{
    const struct entry *entry = entry_of(ring, ticket);
    union {
        struct content content;
        uint64_t words[CONTENT_WORDS];
    } read;
    uint64_t mark = atomic_load_explicit(&entry->mark, memory_order_acquire);
    if (mark < whole_mark(ticket))
        return ticket < log_ring_oldest(ring) ? stale(ring, ticket, ret_entry) : -EAGAIN;
    uint64_t sum = get(entry->sum);
    for (size_t i = 0; i < CONTENT_WORDS; i++)
        read.words[i] = get(entry->words[i]);
    atomic_thread_fence(memory_order_acquire);
    size_t len = (size_t)(read.content.shape >> 8);
    if (mark != whole_mark(ticket) || get(entry->mark) != mark || len > TEXT_MAX ||
        sum_of(ticket, read.words, words_of(len)) != sum ||
        !unpack(&read.content, ticket, ret_entry))
        return stale(ring, ticket, ret_entry);
    return 0;
}

static void go_on(struct log_ring_reader *reader, uint64_t ticket)
{
    reader->ticket = ticket;
    reader->waits_ms = 0;
}

/* The line is not whole yet; whether its writer is given up. */
static bool is_overdue(struct log_ring_reader *reader, int64_t now_ms)
{
    if (reader->waits_ms == 0)
        reader->waits_ms = now_ms;
    return now_ms - reader->waits_ms >= reader->patience_ms;
}

int log_ring_follow(const struct log_ring *ring, struct log_ring_reader *reader, int64_t now_ms,
                    struct log_ring_entry *ret_entry)
{
    uint64_t end = log_ring_next(ring);
    while (reader->ticket < end) {
        struct log_ring_entry entry;
        int r = log_ring_read(ring, reader->ticket, &entry);
        if (r == 0) {
            go_on(reader, reader->ticket + 1);
            *ret_entry = entry;
            return 0;
        }
        if (r == -EAGAIN && !is_overdue(reader, now_ms))
            return -EAGAIN;
        uint64_t to = r == -ESTALE ? entry.ticket : reader->ticket + 1;
        reader->lost += to - reader->ticket;
        go_on(reader, to);
    }
    return -EAGAIN;
}
