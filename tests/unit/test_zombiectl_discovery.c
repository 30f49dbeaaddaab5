/* Services as people and scripts see them, whatever the server sends. */
#include "config.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "zombiectl/view_discovery.h"

static void draws_a_table(void **state)
{
    static const char text[] =
        "[{\"service\":\"api\",\"origin\":\"current\",\"version\":12,\"count\":3,\"up\":2,"
        "\"changed\":\"2026-11-21T10:00:00.123Z\"},"
        "{\"service\":\"x\\u001b\",\"origin\":\"unknown\",\"version\":1,\"count\":0,\"up\":0,"
        "\"changed\":null},{}]";
    struct bytes out = {0};
    json_t *services = json_loads(text, 0, NULL);

    (void)state;
    view_discovery_draw(&out, services, 0, false);
    assert_string_equal(out.at,
                        "SERVICE  ORIGIN   UP  INSTANCES  VERSION  CHANGED\n"
                        "api      current   2          3       12  2026-11-21T10:00:00.123Z\n"
                        "x\\x1b    unknown   0          0        1  -\n"
                        "?        ?         -          -        -  -\n");
    bytes_clear(&out);
    view_discovery_draw(&out, services, 30, false);
    for (const char *line = out.at; *line != '\0'; line = strchr(line, '\n') + 1)
        assert_true(strcspn(line, "\n") <= 30);
    bytes_clear(&out);
    view_discovery_draw(&out, NULL, 0, false);
    assert_string_equal(out.at, "no services are looked up\n");
    bytes_free(&out);
    json_decref(services);
}

static void lists_who_can_be_asked(void **state)
{
    static const char *const rows[][2] = {
        {"{\"members\":[{\"host\":\"10.0.0.1\",\"port\":80},{\"host\":\"::1\",\"port\":81},"
         "{\"host\":\"10.0.0.2\",\"port\":82,\"down\":true},{\"host\":\"a.test\",\"port\":83,"
         "\"down\":false}]}",
         "10.0.0.1:80\n[::1]:81\na.test:83\n"},
        {"{\"member\":{\"host\":\"fe80::1\",\"port\":65535}}", "[fe80::1]:65535\n"},
        {"{\"member\":{\"host\":\"a\\u001b[2J\\n\",\"port\":-1}}", "a\\x1b[2J\\n:0\n"},
        {"{\"members\":[{}]}", "?:0\n"},
        {"{\"members\":[]}", ""},
        {"{}", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bytes out = {0};
        json_t *answer = json_loads(rows[i][0], 0, NULL);

        assert_non_null(answer);
        view_discovery_list(&out, answer);
        assert_string_equal(out.at != NULL ? out.at : "", rows[i][1]);
        bytes_free(&out);
        json_decref(answer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_a_table),
        cmocka_unit_test(lists_who_can_be_asked),
    };

    (void)setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
