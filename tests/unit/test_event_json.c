/*
 * Entries of the journal as JSON, to the letter.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/event_json.h"
#include "cluster/journal.h"
#include "control/text.h"

/* The object as one line, with ' for ". */
static void check(json_t *json, const char *expected)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);

    assert_non_null(text);
    for (char *at = text; *at != '\0'; at++)
        *at = *at == '"' ? '\'' : *at;
    assert_string_equal(text, expected);
    free(text);
    json_decref(json);
}

static void writes_times(void **state)
{
    static const struct {
        int64_t wall_ms;
        const char *text;
    } cases[] = {
        {0, "'1970-01-01T00:00:00.000Z'"},
        {1, "'1970-01-01T00:00:00.001Z'"},
        {999, "'1970-01-01T00:00:00.999Z'"},
        {1000, "'1970-01-01T00:00:01.000Z'"},
        {951827696789, "'2000-02-29T12:34:56.789Z'"},
        {1795256400123, "'2026-11-21T10:20:00.123Z'"},
        {2147483648000, "'2038-01-19T03:14:08.000Z'"},
        {253402300799999, "'9999-12-31T23:59:59.999Z'"},
    };

    (void)state;
    assert_int_equal(setenv("TZ", "Asia/Kolkata", 1), 0); /* of no matter */
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check(control_time(cases[i].wall_ms), cases[i].text);
}

static void writes_entries(void **state)
{
    static const struct {
        struct journal_entry entry;
        const char *text;
    } cases[] = {
        {{.sequence = 12,
          .wall_ms = 1795256400123,
          .kind = JOURNAL_DEATH,
          .worker = 3,
          .slot = 1,
          .pid = 77,
          .generation = 1,
          .text = "killed by SIGKILL, replaced at once"},
         "{'seq':12,'time':'2026-11-21T10:20:00.123Z','event':'death','worker':3,'slot':1,"
         "'role':'worker','pid':77,'generation':1,'text':'killed by SIGKILL, replaced at once'}"},
        {{.sequence = 1, .kind = JOURNAL_START, .generation = 1},
         "{'seq':1,'time':'1970-01-01T00:00:00.000Z','event':'start','worker':null,'slot':null,"
         "'role':null,'pid':null,'generation':1,'text':''}"},
        {{.sequence = INT64_MAX,
          .kind = JOURNAL_READY,
          .worker = INT64_MAX,
          .slot = 1024,
          .pid = 4194304,
          .generation = UINT32_MAX},
         "{'seq':9223372036854775807,'time':'1970-01-01T00:00:00.000Z','event':'ready',"
         "'worker':9223372036854775807,'slot':1024,'role':'worker','pid':4194304,"
         "'generation':4294967295,'text':''}"},
        {{.sequence = 2, .kind = JOURNAL_BIRTH, .worker = 4, .slot = 1025, .pid = 78},
         "{'seq':2,'time':'1970-01-01T00:00:00.000Z','event':'birth','worker':4,'slot':null,"
         "'role':'admin','pid':78,'generation':0,'text':''}"},
        {{.sequence = 3, .kind = JOURNAL_STOP, .text = "\"a\\\n\xc3\xa4\xff"},
         "{'seq':3,'time':'1970-01-01T00:00:00.000Z','event':'stop','worker':null,'slot':null,"
         "'role':null,'pid':null,'generation':0,'text':'\\'a\\\\\\n\\u00E4\\uFFFD'}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check(event_json(&cases[i].entry), cases[i].text);
}

/* A text that was cut within a character is one all the same. */
static void mends_a_text_that_was_cut(void **state)
{
    struct journal_entry entry = {.sequence = 1, .kind = JOURNAL_ORDER};
    const char *text;
    json_t *json;

    (void)state;
    memset(entry.text, 'x', sizeof(entry.text) - 2);
    entry.text[sizeof(entry.text) - 2] = '\xc3';
    json = event_json(&entry);
    text = json_string_value(json_object_get(json, "text"));
    assert_non_null(text);
    assert_string_equal(text + sizeof(entry.text) - 2, "\xef\xbf\xbd");
    json_decref(json);
}

static int allocations_left;

static void *scarce_malloc(size_t size)
{
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

static void does_without_memory(void **state)
{
    static const struct journal_entry entry = {.sequence = 1, .slot = 1, .text = "x"};
    json_t *json;
    int n = 0;

    (void)state;
    json_set_alloc_funcs(scarce_malloc, free);
    do {
        allocations_left = n++;
        json = event_json(&entry);
    } while (json == NULL && n < 1000);
    json_set_alloc_funcs(malloc, free);
    assert_in_range(n, 10, 999);
    json_decref(json);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_times),
        cmocka_unit_test(writes_entries),
        cmocka_unit_test(mends_a_text_that_was_cut),
        cmocka_unit_test(does_without_memory),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
