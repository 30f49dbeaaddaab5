/*
 * The ring of log lines with many writers, which are killed wherever they are:
 * no line is a mixture of two, and the ring is as good afterwards as before.
 */
#include "config.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log_ring.h"

#define TEXT_MAX (LOG_RING_TEXT_SIZE - 1)

#define WRITERS     3
#define KILLS       300
#define DEADLINE_MS 5000

static struct log_ring *ring;

/* Lines of every length, each of one letter that only this writer has. */
static void write_for_ever(unsigned writer)
{
    char line[1500];

    memset(line, (int)('a' + writer), sizeof(line));
    for (unsigned i = 0;; i = (i + 37) % sizeof(line))
        log_ring_add(ring, "worker", 'a' + writer, 0, LOG_LEVEL_INFO, line, i);
}

static pid_t start_writer(unsigned writer)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        write_for_ever(writer);
    return pid;
}

static void assert_whole(const struct log_ring_entry *entry)
{
    size_t same = strspn(entry->text, (char[]){(char)entry->id, '\0'});

    assert_in_range(entry->id, 'a', 'a' + WRITERS - 1);
    assert_string_equal(entry->role, "worker");
    if (entry->len == TEXT_MAX && same == TEXT_MAX - 3)
        assert_string_equal(entry->text + same, "...");
    else
        assert_int_equal(same, entry->len);
}

/* Returns how many lines were read in that round. */
static unsigned long read_some(struct log_ring_reader *reader)
{
    struct log_ring_entry entry;
    unsigned long n = 0;

    while (n < 200 && log_ring_follow(ring, reader, clock_now_ms(), &entry) == 0) {
        assert_whole(&entry);
        n++;
    }
    return n;
}

static void kill_writer(pid_t pid)
{
    int status;

    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

/* Afterwards every place of the ring is as good as before. */
static void assert_works(void)
{
    uint64_t begin = log_ring_next(ring);
    struct log_ring_entry entry;
    char text[16];

    for (unsigned i = 0; i < LOG_RING_LINES; i++) {
        (void)snprintf(text, sizeof(text), "%u", i);
        log_ring_add(ring, "master", 0, 0, LOG_LEVEL_INFO, text, strlen(text));
    }
    assert_int_equal(log_ring_next(ring), begin + LOG_RING_LINES);
    for (unsigned i = 0; i < LOG_RING_LINES; i++) {
        (void)snprintf(text, sizeof(text), "%u", i);
        assert_int_equal(log_ring_read(ring, begin + i, &entry), 0);
        assert_string_equal(entry.text, text);
    }
}

static void killed_writers_cost_no_other_line(void **state)
{
    struct log_ring_reader reader = {.patience_ms = 20};
    int64_t deadline_ms = clock_now_ms() + DEADLINE_MS;
    pid_t writers[WRITERS];
    unsigned long n = 0;
    unsigned kills = 0;

    (void)state;
    assert_int_equal(log_ring_new(&ring), 0);
    for (unsigned i = 0; i < WRITERS; i++)
        writers[i] = start_writer(i);
    while (kills < KILLS && clock_now_ms() < deadline_ms) {
        n += read_some(&reader);
        kill_writer(writers[kills % WRITERS]);
        writers[kills % WRITERS] = start_writer(kills % WRITERS);
        kills++;
    }
    for (unsigned i = 0; i < WRITERS; i++)
        kill_writer(writers[i]);
    print_message("# %lu lines read, %u writers killed\n", n, kills + WRITERS);
    assert_true(kills > 0);
    assert_true(n > 0);
    assert_works();
    log_ring_free(ring);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_writers_cost_no_other_line),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
