/*
 * Upstreams as people see them, whatever the server sends.
 */
#include "config.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "zombiectl/view_upstream.h"

#define ZEROS                                                                   \
    "\"connections\":0,\"requests\":0,\"fails\":0,\"failures\":0,\"weight\":1," \
    "\"latency_ms\":null,\"error_ago_ms\":null"

#define WHOLE                                                                                     \
    "[{\"title\":\"api\",\"balance\":\"least_conn\",\"servers\":["                                \
    "{\"name\":\"127.0.0.1:3000\",\"address\":\"127.0.0.1:3000\",\"state\":\"up\","               \
    "\"backup\":false,\"weight\":5,\"connections\":3,\"requests\":12345,\"fails\":0,"             \
    "\"failures\":2,\"latency_ms\":1.25,\"error_ago_ms\":185000},"                                \
    "{\"name\":\"app.test:80\",\"address\":\"10.0.0.7:80\",\"state\":\"failed\","                 \
    "\"backup\":true,\"weight\":1,\"connections\":0,\"requests\":7,\"fails\":1,"                  \
    "\"failures\":7,\"latency_ms\":1500.5,\"error_ago_ms\":0},"                                   \
    "{\"name\":\"late.test:80\",\"address\":null,\"state\":\"resolving\",\"backup\":false," ZEROS \
    "}]},"                                                                                        \
    "{\"title\":\"x\\u001b[2J\",\"balance\":\"ip_hash\",\"servers\":["                            \
    "{\"name\":\"unix:/a\",\"address\":\"unix:/a\",\"state\":\"drained\",\"backup\":false," ZEROS \
    "}]}]"

static const char whole_view[] =
    "upstream api, least_conn: 1 of 3 up\n"
    "SERVER          STATE           WEIGHT  CONN   REQS  FAILS  FAILURES  LATENCY  LAST ERROR  "
    "ADDRESS\n"
    "127.0.0.1:3000  up                   5     3  12.3k      0         2    1.2ms  3m ago\n"
    "app.test:80     failed, backup       1     0      7      1         7       1s  0s ago      "
    "10.0.0.7:80\n"
    "late.test:80    resolving            1     0      0      0         0        -  -\n"
    "\n"
    "upstream x\\x1b[2J, ip_hash: 0 of 1 up\n"
    "SERVER   STATE    WEIGHT  CONN  REQS  FAILS  FAILURES  LATENCY  LAST ERROR  ADDRESS\n"
    "unix:/a  drained       1     0     0      0         0        -  -\n";

/* The same on 80 columns: nothing of the first table is lost but the weight. */
static const char narrow_view[] =
    "upstream api, least_conn: 1 of 3 up\n"
    "SERVER         STATE          CONN  REQS FAILS FAILURES LATENCY LAST ERROR\n"
    "127.0.0.1:3000 up                3 12.3k     0        2   1.2ms 3m ago\n"
    "app.test:80    failed, backup    0     7     1        7      1s 0s ago\n"
    "               ADDRESS 10.0.0.7:80\n"
    "late.test:80   resolving         0     0     0        0       - -\n"
    "\n"
    "upstream x\\x1b[2J, ip_hash: 0 of 1 up\n"
    "SERVER  STATE   WEIGHT CONN REQS FAILS FAILURES LATENCY LAST ERROR ADDRESS\n"
    "unix:/a drained      1    0    0     0        0       - -\n";

static void draw(const char *text, size_t width, bool colour, struct bytes *ret_out)
{
    json_t *upstreams = json_loads(text, JSON_DECODE_ANY, NULL);

    assert_non_null(upstreams);
    view_upstream_draw(ret_out, upstreams, width, colour);
    assert_false(ret_out->failed);
    json_decref(upstreams);
}

static void shows_all_of_it(void **state)
{
    static const struct {
        const char *text;
        size_t width;
        const char *view;
    } rows[] = {
        {WHOLE, 0, whole_view},
        {WHOLE, 80, narrow_view},
        {"[]", 80, "there are no upstreams\n"},
        {"null", 80, "there are no upstreams\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bytes out = {0};

        draw(rows[i].text, rows[i].width, false, &out);
        assert_string_equal(out.at, rows[i].view);
        bytes_free(&out);
    }
}

static void paints_states(void **state)
{
    struct bytes out = {0};

    (void)state;
    draw(WHOLE, 0, true, &out);
    assert_non_null(strstr(out.at, "\033[32mup\033[0m"));
    assert_non_null(strstr(out.at, "\033[31mfailed, backup\033[0m"));
    assert_non_null(strstr(out.at, "\033[33mdrained\033[0m"));
    assert_non_null(strstr(out.at, "\033[31m 0 of 1 up\033[0m"));
    bytes_free(&out);
}

static void no_line_is_wider_than_the_terminal(void **state)
{
    (void)state;
    for (size_t width = 1; width < 140; width++) {
        struct bytes out = {0};

        draw(WHOLE, width, false, &out);
        for (char *line = strtok(out.at, "\n"); line != NULL; line = strtok(NULL, "\n"))
            assert_true(strlen(line) <= width);
        bytes_free(&out);
    }
}

/* Members that are missing, null or of another type. */
static void takes_anything(void **state)
{
    static const char *const texts[] = {
        "[7,null,[],\"x\",{}]",
        "[{\"title\":3,\"servers\":7}]",
        "[{\"servers\":[7,null,{},{\"name\":[],\"address\":3,\"state\":null,\"requests\":-5}]}]",
        "[{\"servers\":[{\"latency_ms\":-1e300,\"error_ago_ms\":-5},{\"latency_ms\":1e300}]}]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct bytes out = {0};

        draw(texts[i], 0, false, &out);
        assert_ptr_equal(strstr(out.at, "upstream ?, ?: 0 of "), out.at);
        bytes_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_all_of_it),
        cmocka_unit_test(paints_states),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
        cmocka_unit_test(takes_anything),
    };

    (void)setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
