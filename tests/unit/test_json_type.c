/*
 * Which Content-Types announce JSON.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/handlers/json_type.h"

static const struct row {
    const char *type;
    bool fits;
} rows[] = {
    {"application/json", true},
    {"Application/JSON", true},
    {" \tapplication/json \t", true},
    {"application/json; charset=utf-8", true},
    {"application/json;charset=UTF-8", true},
    {"application/json ; Charset=\"Utf-8\"", true},
    {"application/json; a=b; charset=utf-8 ;c=\"d;e\"", true},
    {"application/json; a=\"\\\";charset=latin1\"", true},
    {"application/json;", true},
    {"application/json;;a=b;", true},
    {"application/problem+json", true},
    {"application/vnd.api+JSON;v=1", true},
    {"application/a+b+json", true},
    {NULL, false},
    {"", false},
    {"application", false},
    {"application/", false},
    {"/json", false},
    {"json", false},
    {"text/json", false},
    {"text/plain+json", false},
    {"application/+json", false},
    {"application/jso", false},
    {"application/jsonx", false},
    {"application/json-seq", false},
    {"application/xml", false},
    {"application/json+xml", false},
    {"application/x-www-form-urlencoded", false},
    {"application /json", false},
    {"application/ json", false},
    {"application/json text", false},
    {"application/json, text/plain", false},
    {"application/json; charset=latin1", false},
    {"application/json; charset=utf-16", false},
    {"application/json; charset=utf8", false},
    {"application/json; charset=\"utf-8 \"", false},
    {"application/json; charset=", false},
    {"application/json; charset", false},
    {"application/json; charset=\"utf-8", false},
    {"application/json; charset=utf-8; charset=latin1", false},
    {"application/json; charset =utf-8", false},
    {"application/json; charset= utf-8", false},
    {"application/json; a=b c", false},
    {"application/json; =b", false},
    {"application/json; a=\"b\"c", false},
    {"application/json; a=\"\\", false},
    {"application/json/x", false},
};

static void knows_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (json_type_fits(rows[i].type) != rows[i].fits)
            fail_msg("%s", rows[i].type != NULL ? rows[i].type : "NULL");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(knows_json)};

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
