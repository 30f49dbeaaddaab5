/*
 * Limits that clients run into: each is counted, and the log hears of each at
 * most once a second.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "http/limits.h"
#include "ipc/scoreboard.h"

static struct scoreboard *scoreboard;
static struct limits limits;
static int64_t now_ms;
static int log_file;

int64_t __wrap_clock_now_ms(void);

int64_t __wrap_clock_now_ms(void)
{
    return now_ms;
}

/* Everything is written, so that what is not said was held back. */
static int set_up(void **state)
{
    (void)state;
    now_ms = 1000000;
    log_file = memfd_create("log", MFD_CLOEXEC);
    if (log_file < 0 || log_open(LOG_LEVEL_DEBUG, LOG_FORMAT_TEXT, "stderr") != 0)
        return -1;
    log_move(dup(log_file));
    if (scoreboard_new(1, &scoreboard) != 0)
        return -1;
    limits = (struct limits){.scoreboard = scoreboard_at(scoreboard, 0)};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scoreboard_free(scoreboard);
    return close(log_file);
}

/* What has been logged since the last look. */
static const char *said(void)
{
    static char text[8192];
    ssize_t n = pread(log_file, text, sizeof text - 1, 0);

    assert_true(n >= 0);
    text[n] = '\0';
    assert_int_equal(ftruncate(log_file, 0), 0);
    assert_int_equal(lseek(log_file, 0, SEEK_SET), 0);
    return text;
}

static void assert_said(const char *expected)
{
    const char *text = said();

    if (strstr(text, expected) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", expected, text);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static uint64_t count(enum http_limit limit)
{
    return scoreboard_read_limit(limits.scoreboard, limit);
}

static void all_have_a_name(void **state)
{
    (void)state;
    for (int a = 0; a < LIMITS; a++) {
        assert_non_null(limit_name((enum http_limit)a));
        assert_true(strlen(limit_name((enum http_limit)a)) > 0);
        for (int b = 0; b < a; b++)
            assert_string_not_equal(limit_name((enum http_limit)a), limit_name((enum http_limit)b));
    }
    assert_string_equal(limit_name(LIMIT_HEADER_BYTES), "max_header_bytes");
    assert_string_equal(limit_name(LIMIT_DESCRIPTORS), "descriptors");
}

static void says_what_happened(void **state)
{
    (void)state;
    limit_hit(&limits, LIMIT_URI_BYTES, "192.0.2.1:7", "the URI is too long");
    assert_said(" warning ");
    limit_hit(&limits, LIMIT_MALFORMED, "192.0.2.1:7", "closing");
    assert_said(": closing limit=malformed hits=1 client=192.0.2.1:7\n");
    limit_hit(&limits, LIMIT_CONNECTIONS, "", "new connections wait");
    assert_said(": new connections wait limit=max_connections hits=1\n");
}

static void what_is_everyday_life_is_no_warning(void **state)
{
    static const enum http_limit quiet[] = {LIMIT_KEEPALIVE, LIMIT_KEEPALIVE_TOTAL,
                                            LIMIT_KEEPALIVE_REQUESTS};

    (void)state;
    for (size_t i = 0; i < sizeof quiet / sizeof quiet[0]; i++) {
        limit_hit(&limits, quiet[i], "192.0.2.1:7", "closing");
        assert_said(" debug ");
    }
}

static void is_said_once_a_second(void **state)
{
    (void)state;
    limit_hit(&limits, LIMIT_RATE, "a", "closing");
    assert_said("hits=1 client=a");
    for (now_ms += 1; now_ms < 1001000; now_ms += 111)
        limit_hit(&limits, LIMIT_RATE, "b", "closing");
    now_ms = 1000999;
    limit_hit(&limits, LIMIT_RATE, "b", "closing");
    assert_string_equal(said(), "");
    now_ms = 1001000;
    limit_hit(&limits, LIMIT_RATE, "c", "closing");
    assert_said("hits=12 client=c");
    limit_hit(&limits, LIMIT_RATE, "d", "closing");
    assert_string_equal(said(), "");
    assert_int_equal(count(LIMIT_RATE), 13);
}

static void one_limit_does_not_silence_another(void **state)
{
    (void)state;
    for (int limit = LIMIT_NONE + 1; limit < LIMITS; limit++) {
        char expected[64];
        limit_hit(&limits, (enum http_limit)limit, "a", "closing");
        snprintf(expected, sizeof expected, "limit=%s hits=1", limit_name((enum http_limit)limit));
        assert_said(expected);
        assert_int_equal(count((enum http_limit)limit), 1);
    }
}

static void none_is_ignored(void **state)
{
    (void)state;
    limit_hit(&limits, LIMIT_NONE, "a", "closing");
    assert_string_equal(said(), "");
    assert_int_equal(count(LIMIT_NONE), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_have_a_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_what_happened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_everyday_life_is_no_warning, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_said_once_a_second, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_limit_does_not_silence_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(none_is_ignored, set_up, tear_down),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
