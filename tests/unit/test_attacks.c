/*
 * Every request of tests/attacks is refused by head and chunk parser with the
 * status that it is listed with: sent whole, in two pieces and byte by byte.
 */
#include "config.h"

#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/chunk.h"
#include "http/head.h"

enum { ATTACKS_MIN = 140, EVERY_SPLIT_MAX = 4096 };

static const struct head_limits limits = {.bytes = 16384, .uri = 8000, .fields = 100};

/* A request as a server would read it. */
struct reader {
    struct head head;
    struct chunk_decoder chunk;
    size_t used; /* bytes of head and body that are done with */
    bool in_body;
};

struct verdict {
    int status; /* of the refusal; 0: more was wanted; 1: the request was accepted */
    const char *why;
};

static struct verdict read_chunks(struct reader *reader, const char *bytes, size_t len)
{
    int outcome = CHUNK_DATA;

    while (outcome == CHUNK_DATA) {
        size_t consumed = 0;
        struct slice data;

        outcome =
            chunk_feed(&reader->chunk, bytes + reader->used, len - reader->used, &consumed, &data);
        reader->used += consumed;
    }
    return (struct verdict){outcome == CHUNK_DONE ? 1 : outcome, reader->chunk.why};
}

/* `bytes` is all that has come so far. */
static struct verdict read_on(struct reader *reader, const char *bytes, size_t len)
{
    if (!reader->in_body) {
        int outcome = head_feed(&reader->head, &limits, bytes, len);

        if (outcome != HEAD_DONE)
            return (struct verdict){outcome, reader->head.why};
        reader->in_body = true;
        reader->used = reader->head.len;
    }
    if (reader->head.framing != HEAD_CHUNKED)
        return (struct verdict){1, NULL};
    return read_chunks(reader, bytes, len);
}

/* Send `first` bytes and then `step` bytes at a time. */
static struct verdict send_pieces(const char *bytes, size_t len, size_t first, size_t step)
{
    struct reader reader = {.used = 0};
    struct verdict verdict = {0, NULL};

    head_init(&reader.head);
    chunk_init(&reader.chunk);
    for (size_t sent = first; verdict.status == 0; sent += step) {
        sent = sent < len ? sent : len;
        verdict = read_on(&reader, bytes, sent);
        if (sent == len)
            break;
    }
    /* A refusal is final. */
    if (verdict.status >= 400 && read_on(&reader, bytes, len).status != verdict.status)
        verdict.status = -1;
    return verdict;
}

static bool is_listed(int status, const char *expected)
{
    char text[16];
    const char *at;

    (void)snprintf(text, sizeof(text), "%d", status);
    at = strstr(expected, text);
    return status >= 400 && at && (at[3] == '|' || at[3] == '\0');
}

static void check_pieces(const char *name, const char *bytes, size_t len, size_t first, size_t step,
                         struct verdict whole)
{
    struct verdict verdict = send_pieces(bytes, len, first, step);

    if (verdict.status != whole.status || verdict.why != whole.why)
        fail_msg("%s: %d (%s), but cut at %zu and then every %zu: %d (%s)", name, whole.status,
                 whole.why, first, step, verdict.status, verdict.why ? verdict.why : "-");
}

/* Of long files every split around their ends, where the limits are, and some between. */
static size_t next_split(size_t split, size_t len)
{
    if (len <= EVERY_SPLIT_MAX || split < 64 || split + 64 >= len)
        return split + 1;
    return split + 61 < len - 64 ? split + 61 : len - 64;
}

static void check_attack(const char *name, const char *expected, const char *bytes, size_t len)
{
    struct verdict whole = send_pieces(bytes, len, len, len);

    if (!is_listed(whole.status, expected))
        fail_msg("%s: %d (%s) instead of %s", name, whole.status, whole.why ? whole.why : "-",
                 expected);
    if (!whole.why)
        fail_msg("%s: no reason", name);
    for (size_t split = 0; split < len; split = next_split(split, len))
        check_pieces(name, bytes, len, split, len, whole);
    check_pieces(name, bytes, len, 1, 1, whole);
}

static FILE *open_attack(const char *name)
{
    const char *source = getenv("ZOMBIE_SRCDIR");
    char path[PATH_MAX];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/tests/attacks/%s", source ? source : ".", name);
    file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot open %s", path);
    return file;
}

/* Read one file, into as much memory as it has bytes, and have it checked. */
static void send_attack(const char *name, const char *expected)
{
    static char buffer[32768];
    FILE *file = open_attack(name);
    size_t len = fread(buffer, 1, sizeof(buffer), file);
    char *bytes = malloc(len);

    fclose(file);
    assert_in_range(len, 1, sizeof(buffer) - 1);
    assert_non_null(bytes);
    memcpy(bytes, buffer, len);
    check_attack(name, expected, bytes, len);
    free(bytes);
}

static int is_attack(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return dot && dot != entry->d_name && strcmp(dot, ".http") == 0;
}

static size_t count_files(void)
{
    const char *source = getenv("ZOMBIE_SRCDIR");
    char path[PATH_MAX];
    struct dirent **entries = NULL;
    int n;

    (void)snprintf(path, sizeof(path), "%s/tests/attacks", source ? source : ".");
    n = scandir(path, &entries, is_attack, NULL);
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
    assert_true(n > 0);
    return (size_t)n;
}

static void refuses_every_attack(void **state)
{
    FILE *list = open_attack("expected");
    char line[256];
    size_t n = 0;

    (void)state;
    while (fgets(line, sizeof(line), list)) {
        char *tab = strchr(line, '\t');

        assert_non_null(tab);
        *tab = '\0';
        tab[1 + strcspn(tab + 1, "\n")] = '\0';
        send_attack(line, tab + 1);
        n++;
    }
    fclose(list);
    assert_true(n >= ATTACKS_MIN);
    /* None that nobody sends. */
    assert_int_equal(n, count_files());
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_every_attack),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
