/*
 * Lines of the log are kept in the ring wherever else they go, and even when
 * they can go nowhere else.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/log_ring.h"

static struct log_ring *ring;
static int log_file;

static int set_up(void **state)
{
    (void)state;
    log_file = memfd_create("log", MFD_CLOEXEC);
    if (log_file < 0 || log_open(LOG_LEVEL_INFO, LOG_FORMAT_TEXT, "stderr") != 0)
        return -1;
    if (log_ring_new(&ring) != 0)
        return -1;
    log_settle();
    log_move(dup(log_file));
    log_identify("master", 0);
    log_keep(ring);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    log_keep(NULL);
    log_move(STDERR_FILENO);
    log_ring_free(ring);
    return close(log_file);
}

static const char *written(void)
{
    static char text[8192];
    ssize_t n = pread(log_file, text, sizeof(text) - 1, 0);

    assert_true(n >= 0);
    text[n] = '\0';
    return text;
}

/* The newest line; fails when there are not just n of them. */
static struct log_ring_entry kept(uint64_t n)
{
    struct log_ring_entry entry;

    assert_int_equal(log_ring_next(ring), n);
    assert_int_equal(log_ring_read(ring, n - 1, &entry), 0);
    return entry;
}

static void a_line_goes_to_both(void **state)
{
    static const struct log_field field = LOG_NUMBER("n", 5);
    struct log_ring_entry entry;

    (void)state;
    log_write(LOG_LEVEL_WARNING, &field, 1, "what \"%s\"", "is\nthat");
    entry = kept(1);
    assert_int_equal(entry.level, LOG_LEVEL_WARNING);
    assert_int_equal(entry.id, 0);
    assert_string_equal(entry.role, "master");
    assert_non_null(strstr(entry.text, " warning master: what \"is\\nthat\" n=5"));
    assert_int_equal(strlen(written()), entry.len + 1);
    assert_memory_equal(written(), entry.text, entry.len);

    log_identify("worker", 77);
    log_error("that is %s", "bad");
    entry = kept(2);
    assert_int_equal(entry.level, LOG_LEVEL_ERROR);
    assert_int_equal(entry.id, 77);
    assert_string_equal(entry.role, "worker");
}

static void a_line_has_its_subject(void **state)
{
    const struct log_field fields[] = {LOG_TEXT("cause", "x"), LOG_NUMBER("worker", 12)};
    const struct log_field others[] = {LOG_TEXT("worker", "12"), LOG_NUMBER("worker_id", 12)};

    (void)state;
    log_write(LOG_LEVEL_INFO, fields, 2, "it died");
    assert_int_equal(kept(1).about, 12);
    assert_int_equal(kept(1).id, 0);
    log_write(LOG_LEVEL_INFO, others, 2, "it died");
    assert_int_equal(kept(2).about, 0);
    log_info("worker=12");
    assert_int_equal(kept(3).about, 0);
}

static void the_level_holds_for_it_too(void **state)
{
    (void)state;
    assert_int_equal(log_level(), LOG_LEVEL_INFO);
    log_debug("one");
    assert_int_equal(log_ring_next(ring), 0);
    log_set_level(LOG_LEVEL_DEBUG);
    assert_int_equal(log_level(), LOG_LEVEL_DEBUG);
    log_debug("two");
    assert_int_equal(kept(1).level, LOG_LEVEL_DEBUG);
    log_set_level(LOG_LEVEL_ERROR);
    log_warning("three");
    assert_int_equal(log_ring_next(ring), 1);
    assert_null(strstr(written(), "one"));
    assert_non_null(strstr(written(), "two"));
    assert_null(strstr(written(), "three"));
}

static void a_line_without_a_target_is_kept(void **state)
{
    (void)state;
    log_move(STDERR_FILENO);
    log_detach();
    assert_int_equal(log_fd(), -1);
    log_info("into the void");
    assert_non_null(strstr(kept(1).text, "into the void"));
}

/* The full disk is the target's affair: what it lost is not lost here, and is not said here. */
static void a_line_that_the_target_refuses_is_kept(void **state)
{
    (void)state;
    log_move(open("/dev/full", O_WRONLY | O_CLOEXEC));
    for (uint64_t i = 1; i <= 3; i++) {
        errno = EXDEV;
        log_info("line");
        assert_int_equal(errno, EXDEV);
        assert_non_null(strstr(kept(i).text, "line"));
    }
    log_move(dup(log_file));
    log_info("at last");
    assert_non_null(strstr(written(), "lines=3"));
    assert_non_null(strstr(kept(4).text, "at last"));
}

static void nothing_is_kept_any_more(void **state)
{
    (void)state;
    log_keep(NULL);
    log_info("unseen");
    assert_int_equal(log_ring_next(ring), 0);
    assert_non_null(strstr(written(), "unseen"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_goes_to_both, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_has_its_subject, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_level_holds_for_it_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_without_a_target_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_that_the_target_refuses_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_kept_any_more, set_up, tear_down),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
