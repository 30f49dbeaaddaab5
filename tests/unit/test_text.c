/*
 * Fixed texts, at once and later.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>

#include <cmocka.h>

#include "handler_fixture.h"

static void answers_as_told(void **state)
{
    static const struct {
        const char *status;
        int code;
        const char *type, *body;
    } rows[] = {
        {"200", 200, "text/x", "abc"}, {"418", 418, "text/x", "abc"}, {"301", 301, "text/x", "abc"},
        {"204", 204, NULL, ""},        {"205", 205, NULL, ""},        {"304", 304, NULL, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct pair values[] = {
            {"status", rows[i].status}, {"content_type", "text/x"}, {"body", "abc"}, {NULL, NULL}};
        void *settings = handler_settings(&handler_text, values);
        struct http_request request = {.settings = settings};

        handler_ask(&handler_text, &request);
        assert_int_equal(request.status, rows[i].code);
        assert_string_equal(request.answer, rows[i].body);
        if (rows[i].type == NULL)
            assert_null(request.type);
        else
            assert_string_equal(request.type, rows[i].type);
        handler_forget(&request);
        handler_settings_free(&handler_text, settings);
    }
}

static void takes_its_time(void **state)
{
    static const struct pair values[] = {{"delay_ms", "3600000"}, {NULL, NULL}};
    void *settings = handler_settings(&handler_text, values);
    struct http_request request = {.settings = settings};

    (void)state;
    handler_ask(&handler_text, &request);
    assert_int_equal(request.waits_ms, 3600000);
    handler_go_on(&request);
    assert_int_equal(request.status, 200);
    handler_forget(&request);
    handler_settings_free(&handler_text, settings);
}

static void answers_at_once_when_it_cannot_wait(void **state)
{
    static const struct pair values[] = {{"delay_ms", "1"}, {NULL, NULL}};
    void *settings = handler_settings(&handler_text, values);
    struct http_request request = {.settings = settings, .wait_result = -ENOMEM};

    (void)state;
    handler_ask(&handler_text, &request);
    assert_int_equal(request.status, 200);
    handler_forget(&request);
    handler_settings_free(&handler_text, settings);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_as_told),
        cmocka_unit_test(takes_its_time),
        cmocka_unit_test(answers_at_once_when_it_cannot_wait),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
