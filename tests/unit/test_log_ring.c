/*
 * The ring of log lines: what is added is read, long lines are cut, old ones are
 * overwritten, and what a killed writer left is passed over.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log_ring.h"
#include "base/utf8.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT_MAX     (LOG_RING_TEXT_SIZE - 1)

/* The bytes behind a ring, to break them: a page's quarter of its own, and then the entries. */
#define ENTRY_WORDS 128
enum { WORD_MARK, WORD_SUM, WORD_ID, WORD_ABOUT, WORD_SHAPE, WORD_ROLE, WORD_TEXT = 6 };

static struct log_ring *ring;
static volatile uint64_t *memory;
static size_t memory_size;

static int set_up(void **state)
{
    (void)state;
    if (log_ring_new(&ring) != 0)
        return -1;
    memory_size = (size_t)lseek(log_ring_fd(ring), 0, SEEK_END);
    memory = mmap(NULL, memory_size, PROT_READ | PROT_WRITE, MAP_SHARED, log_ring_fd(ring), 0);
    return memory == MAP_FAILED ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    log_ring_free(ring);
    return munmap((void *)(uintptr_t)memory, memory_size);
}

static volatile uint64_t *entry_at(uint64_t ticket)
{
    return &memory[(1 + ticket % LOG_RING_LINES) * ENTRY_WORDS];
}

static void add(const char *text)
{
    log_ring_add(ring, "worker", 7, 0, LOG_LEVEL_INFO, text, strlen(text));
}

static void add_number(unsigned number)
{
    char text[16];

    (void)snprintf(text, sizeof(text), "%u", number);
    add(text);
}

static void assert_reads(uint64_t ticket, const char *expected)
{
    struct log_ring_entry entry;

    assert_int_equal(log_ring_read(ring, ticket, &entry), 0);
    assert_int_equal(entry.ticket, ticket);
    assert_string_equal(entry.text, expected);
    assert_int_equal(entry.len, strlen(expected));
}

static void assert_stale(uint64_t ticket, uint64_t go_on)
{
    struct log_ring_entry entry;

    assert_int_equal(log_ring_read(ring, ticket, &entry), -ESTALE);
    assert_int_equal(entry.ticket, go_on);
}

static void keeps_lines(void **state)
{
    static const struct {
        const char *role;
        uint64_t id, about;
        enum log_level level;
        const char *line, *text, *role_text;
    } rows[] = {
        {"master", 0, 12, LOG_LEVEL_ERROR, "a line\n", "a line", "master"},
        {"worker", UINT64_MAX, UINT64_MAX, LOG_LEVEL_DEBUG, "without", "without", "worker"},
        {"", 1, 0, LOG_LEVEL_INFO, "", "", ""},
        {"eight l.", 1, 0, LOG_LEVEL_WARNING, "\n", "", "eight l"},
        {"seven l", 1, 0, LOG_LEVEL_WARNING, "12345678", "12345678", "seven l"},
        {"a\x1b[m", 1, 0, LOG_LEVEL_INFO, "\xc3\xa9 \xe2\x82\xac \xf0\x9f\xa7\x9f",
         "\xc3\xa9 \xe2\x82\xac \xf0\x9f\xa7\x9f", "a?[m"},
        {"x", 1, 0, LOG_LEVEL_INFO, "a\nb\x1b[m\t\x7f\xff\xc3\n", "a?b?[m????", "x"},
        {"x", 1, 0, LOG_LEVEL_INFO, "\xc2\x9b \xed\xa0\x80", "?? ???", "x"},
    };
    struct log_ring_entry entry = {.ticket = 77};

    (void)state;
    assert_int_equal(log_ring_next(ring), 0);
    assert_int_equal(log_ring_oldest(ring), 0);
    assert_int_equal(log_ring_read(ring, 0, &entry), -EAGAIN);
    assert_int_equal(log_ring_read(ring, UINT64_MAX / 4, &entry), -EAGAIN);
    assert_int_equal(entry.ticket, 77);
    for (size_t i = 0; i < COUNT(rows); i++) {
        log_ring_add(ring, rows[i].role, rows[i].id, rows[i].about, rows[i].level, rows[i].line,
                     strlen(rows[i].line));
        assert_int_equal(log_ring_next(ring), i + 1);
    }
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_reads(i, rows[i].text);
        assert_int_equal(log_ring_read(ring, i, &entry), 0);
        assert_string_equal(entry.role, rows[i].role_text);
        assert_true(entry.id == rows[i].id);
        assert_true(entry.about == rows[i].about);
        assert_int_equal(entry.level, rows[i].level);
    }
}

static bool is_utf8(const char *text, size_t len)
{
    for (size_t i = 0, length; i < len; i += length) {
        length = utf8_sequence_length(text + i, len - i);
        if (length == 0)
            return false;
    }
    return true;
}

/* A line of `len` bytes: one byte letters, and then nothing but characters of that kind. */
static void assert_cut(const char *character, size_t letters, size_t len)
{
    static char line[4096];
    struct log_ring_entry entry;
    size_t size = strlen(character), used = letters;

    memset(line, 'x', letters);
    for (; used + size <= len; used += size)
        memcpy(line + used, character, size);
    log_ring_add(ring, "worker", 7, 0, LOG_LEVEL_INFO, line, used);
    assert_int_equal(log_ring_read(ring, log_ring_next(ring) - 1, &entry), 0);
    assert_true(is_utf8(entry.text, entry.len));
    assert_int_equal(strlen(entry.text), entry.len);
    if (used <= TEXT_MAX) {
        assert_int_equal(entry.len, used);
        assert_memory_equal(entry.text, line, used);
        return;
    }
    assert_in_range(entry.len, TEXT_MAX - size + 1, TEXT_MAX);
    assert_memory_equal(entry.text, line, entry.len - 3);
    assert_string_equal(entry.text + entry.len - 3, "...");
}

static void cuts_between_characters(void **state)
{
    static const char *const characters[] = {"y", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\xa7\x9f"};

    (void)state;
    for (size_t i = 0; i < COUNT(characters); i++)
        for (size_t letters = 0; letters < 5; letters++)
            for (size_t len = TEXT_MAX - 10; len < TEXT_MAX + 10; len++)
                assert_cut(characters[i], letters, len);
    assert_cut("\xf0\x9f\xa7\x9f", 3, 4096);
}

/* What is not UTF-8 in the first place is cut anywhere. */
static void cuts_what_has_no_characters(void **state)
{
    char line[2000];
    struct log_ring_entry entry;

    (void)state;
    memset(line, 0x80, sizeof(line));
    log_ring_add(ring, "worker", 7, 0, LOG_LEVEL_INFO, line, sizeof(line));
    assert_int_equal(log_ring_read(ring, 0, &entry), 0);
    assert_int_equal(entry.len, TEXT_MAX);
    assert_string_equal(entry.text + TEXT_MAX - 4, "?...");
}

static void overwrites_the_oldest(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LOG_RING_LINES; i++)
        add_number(i);
    assert_int_equal(log_ring_oldest(ring), 0);
    assert_reads(0, "0");
    add_number(LOG_RING_LINES);
    assert_int_equal(log_ring_oldest(ring), 1);
    assert_stale(0, 1);
    assert_reads(1, "1");
    assert_reads(LOG_RING_LINES, "512");
    for (unsigned i = 0; i < 3 * LOG_RING_LINES; i++)
        add_number(i);
    assert_stale(5, 3 * LOG_RING_LINES + 1);
    assert_reads(3 * LOG_RING_LINES + 1, "1024");
}

static void assert_follows(struct log_ring_reader *reader, int64_t now_ms, const char *expected)
{
    struct log_ring_entry entry;

    assert_int_equal(log_ring_follow(ring, reader, now_ms, &entry), 0);
    assert_string_equal(entry.text, expected);
}

static void a_reader_follows(void **state)
{
    struct log_ring_reader reader = {.ticket = 0, .patience_ms = LOG_RING_PATIENCE_MS};
    struct log_ring_entry entry;

    (void)state;
    assert_int_equal(log_ring_follow(ring, &reader, 1, &entry), -EAGAIN);
    add("one");
    add("two");
    assert_follows(&reader, 1, "one");
    assert_follows(&reader, 1, "two");
    assert_int_equal(log_ring_follow(ring, &reader, 100000, &entry), -EAGAIN);
    for (unsigned i = 0; i < LOG_RING_LINES + 3; i++)
        add_number(i);
    assert_int_equal(reader.lost, 0);
    assert_follows(&reader, 1, "3");
    assert_int_equal(reader.lost, 3);
}

/* As a writer leaves it that is killed after its first, or before its last step. */
static void a_line_without_a_writer_is_given_up(void **state)
{
    struct log_ring_reader patient = {.ticket = 0, .patience_ms = 200}, hasty = {.ticket = 0};
    struct log_ring_entry entry;

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        add_number(i);
    entry_at(1)[WORD_MARK] = 0;
    entry_at(2)[WORD_MARK]--;
    assert_int_equal(log_ring_read(ring, 1, &entry), -EAGAIN);
    assert_int_equal(log_ring_read(ring, 2, &entry), -EAGAIN);

    assert_follows(&patient, 1000, "0");
    assert_int_equal(log_ring_follow(ring, &patient, 1000, &entry), -EAGAIN);
    assert_int_equal(log_ring_follow(ring, &patient, 1199, &entry), -EAGAIN);
    assert_int_equal(log_ring_follow(ring, &patient, 1200, &entry), -EAGAIN);
    assert_int_equal(patient.ticket, 2);
    assert_follows(&patient, 1400, "3");
    assert_int_equal(patient.lost, 2);
    assert_int_equal(log_ring_follow(ring, &patient, 9000, &entry), -EAGAIN);

    assert_follows(&hasty, 1000, "0");
    assert_follows(&hasty, 1000, "3");
    assert_int_equal(hasty.lost, 2);

    /* The next ones of these places are lines like all others, and late is not never. */
    for (unsigned i = 4; i < LOG_RING_LINES + 4; i++)
        add_number(i);
    assert_stale(1, 4);
    assert_reads(LOG_RING_LINES + 1, "513");
    assert_reads(LOG_RING_LINES + 2, "514");
}

/* The first that comes too late in a place does not get it, and takes the next one. */
static void a_writer_gives_way_to_a_later_one(void **state)
{
    (void)state;
    add("one");
    entry_at(1)[WORD_MARK] = 2 * (1 + LOG_RING_LINES) + 2;
    add("two");
    assert_int_equal(log_ring_next(ring), 3);
    assert_stale(1, 2);
    assert_reads(2, "two");
    for (uint64_t i = 3; i < 20; i++)
        entry_at(i)[WORD_MARK] = UINT64_MAX;
    add("three"); /* in vain, but it returns */
    assert_reads(0, "one");
    assert_reads(2, "two");
}

/* A writer that woke up too late has left words of another line, or anything. */
static void what_makes_no_sense_is_passed_over(void **state)
{
    static const struct {
        size_t word;
        uint64_t value;
    } rows[] = {
        {WORD_SUM, 0},
        {WORD_ID, 8},
        {WORD_SHAPE, 0},
        {WORD_SHAPE, UINT64_MAX},
        {WORD_SHAPE, (uint64_t)LOG_RING_TEXT_SIZE << 8},
        {WORD_SHAPE, 6 << 8 | 0xff},
        {WORD_ROLE, 0x41},
        {WORD_TEXT, 0x41},
        {WORD_MARK, UINT64_MAX},
    };
    struct log_ring_reader reader = {.ticket = 0, .patience_ms = 200};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        add("broken");
        entry_at(log_ring_next(ring) - 1)[rows[i].word] = rows[i].value;
        assert_stale(log_ring_next(ring) - 1, log_ring_next(ring));
    }
    add("whole");
    assert_follows(&reader, 1, "whole");
    assert_int_equal(reader.lost, COUNT(rows));
}

static void survives_in_another_mapping(void **state)
{
    struct log_ring *adopted = NULL;
    int fd = dup(log_ring_fd(ring)), other = memfd_create("other", 0);

    (void)state;
    add("one");
    assert_int_equal(log_ring_adopt(-1, &adopted), -EBADF);
    assert_int_equal(log_ring_adopt(other, &adopted), -EBADF);
    assert_int_equal(ftruncate(other, (off_t)memory_size), 0);
    assert_int_equal(log_ring_adopt(other, &adopted), -EBADF);
    assert_int_equal(close(other), 0);
    memory[0]++;
    assert_int_equal(log_ring_adopt(fd, &adopted), -EBADF);
    memory[0]--;
    assert_null(adopted);
    assert_int_equal(log_ring_adopt(fd, &adopted), 0);
    assert_int_equal(log_ring_fd(adopted), fd);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    log_ring_free(ring);
    ring = adopted;
    assert_reads(0, "one");
    add("two");
    assert_reads(1, "two");
    assert_int_equal(ftruncate(fd, 0), -1);
    log_ring_free(NULL);
}

/* What a process sees whose files may have no more than a byte; 0: what it should. */
static int use_without_memfd(void)
{
    static const struct rlimit one_byte = {1, 1};
    struct log_ring_entry entry;

    log_ring_free(ring);
    if (setrlimit(RLIMIT_FSIZE, &one_byte) != 0 || signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
        return 1;
    if (log_ring_new(&ring) != 0 || log_ring_fd(ring) != -1)
        return 2;
    add("one");
    if (log_ring_read(ring, 0, &entry) != 0 || strcmp(entry.text, "one") != 0)
        return 3;
    log_ring_free(ring);
    return 0;
}

static void does_without_a_memfd(void **state)
{
    int status;
    pid_t limited = fork();

    (void)state;
    assert_true(limited >= 0);
    if (limited == 0)
        _exit(use_without_memfd());
    assert_int_equal(waitpid(limited, &status, 0), limited);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keeps_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cuts_between_characters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cuts_what_has_no_characters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(overwrites_the_oldest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reader_follows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_without_a_writer_is_given_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_writer_gives_way_to_a_later_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_makes_no_sense_is_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(survives_in_another_mapping, set_up, tear_down),
        cmocka_unit_test_setup_teardown(does_without_a_memfd, set_up, tear_down),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
