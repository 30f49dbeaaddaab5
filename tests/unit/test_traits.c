/*
 * How to balance an instance, among its metadata; and trees of JSON that would be too large.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/registry.h"
#include "discovery/json_text.h"
#include "discovery/registries/traits.h"

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

static void reads_what_makes_sense(void **state)
{
    static const struct {
        const char *metadata;
        uint32_t weight, max_fails, fail_timeout_ms;
    } cases[] = {
        {"{}", 2, 3, 4},
        {"[]", 2, 3, 4},
        {"{\"weight\":\"1\",\"max_fails\":\"0\",\"fail_timeout\":\"1\"}", 1, 0, 1000},
        {"{\"weight\":\"65535\",\"max_fails\":\"1000000\",\"fail_timeout\":\"86400\"}", 65535,
         1000000, 86400000},
        {"{\"weight\":\"65536\",\"max_fails\":\"1000001\",\"fail_timeout\":\"86400.001\"}", 2, 3,
         4},
        {"{\"weight\":\"0\",\"max_fails\":\"-1\",\"fail_timeout\":\"0\"}", 2, 3, 4},
        {"{\"weight\":7,\"max_fails\":7,\"fail_timeout\":7}", 2, 3, 4},
        {"{\"weight\":\"\",\"max_fails\":\"\",\"fail_timeout\":\"\"}", 2, 3, 4},
        {"{\"weight\":\"1x\",\"max_fails\":\" 1\",\"fail_timeout\":\"1x\"}", 2, 3, 4},
        {"{\"fail_timeout\":\"0.5\"}", 2, 3, 500},
        {"{\"fail_timeout\":\"0.05\"}", 2, 3, 50},
        {"{\"fail_timeout\":\"0.005\"}", 2, 3, 5},
        {"{\"fail_timeout\":\"0.0005\"}", 2, 3, 4},
        {"{\"fail_timeout\":\"0.000\"}", 2, 3, 4},
        {"{\"fail_timeout\":\".5\"}", 2, 3, 4},
        {"{\"fail_timeout\":\"5.\"}", 2, 3, 4},
        {"{\"fail_timeout\":\"1.2.3\"}", 2, 3, 4},
        {"{\"fail_timeout\":\"1.-2\"}", 2, 3, 4},
        {"{\"fail_timeout\":\"00000000000000000000000000000000000000001\"}", 2, 3, 4},
    };

    (void)state;
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct member member = {.weight = 2, .max_fails = 3, .fail_timeout_ms = 4};
        json_t *metadata = json_loads(cases[i].metadata, 0, NULL);
        assert_non_null(metadata);
        traits_read(metadata, &member);
        assert_int_equal(member.weight, cases[i].weight);
        assert_int_equal(member.max_fails, cases[i].max_fails);
        assert_int_equal(member.fail_timeout_ms, cases[i].fail_timeout_ms);
        json_decref(metadata);
    }
    traits_read(NULL, &(struct member){0});
}

static void reads_what_it_makes(void **state)
{
    static const long timeouts[] = {1, 20, 300, 1000, 1500, 86400000};

    (void)state;
    for (size_t i = 0; i < N_OF(timeouts); i++) {
        struct conf_registry conf = {.weight = 5, .max_fails = 6, .fail_timeout_ms = timeouts[i]};
        struct member member = {0};
        json_t *metadata = traits_make(&conf);
        assert_non_null(metadata);
        traits_read(metadata, &member);
        assert_int_equal(member.weight, 5);
        assert_int_equal(member.max_fails, 6);
        assert_int_equal(member.fail_timeout_ms, timeouts[i]);
        json_decref(metadata);
    }
}

/* "[" and so many "0,", and "0]". */
static char *long_list(size_t n_commas, size_t *ret_len)
{
    char *text = malloc(2 * n_commas + 3);
    assert_non_null(text);
    text[0] = '[';
    for (size_t i = 0; i < n_commas; i++)
        memcpy(text + 1 + 2 * i, "0,", 2);
    memcpy(text + 1 + 2 * n_commas, "0]", 2);
    *ret_len = 2 * n_commas + 3;
    return text;
}

static void refuses_a_huge_tree(void **state)
{
    size_t len;
    char *text = long_list(JSON_TEXT_VALUES_MAX - 1, &len);
    json_t *tree = json_text_read(text, len, JSON_ALLOW_NUL);

    (void)state;
    assert_int_equal(json_array_size(tree), JSON_TEXT_VALUES_MAX);
    json_decref(tree);
    free(text);
    text = long_list(JSON_TEXT_VALUES_MAX, &len);
    assert_null(json_text_read(text, len, JSON_ALLOW_NUL));
    free(text);
}

static void refuses_a_deep_tree(void **state)
{
    static char text[JSON_TEXT_VALUES_MAX];

    (void)state;
    memset(text, '[', sizeof text);
    assert_null(json_text_read(text, sizeof text, JSON_ALLOW_NUL));
    assert_null(json_text_read("", 0, JSON_ALLOW_NUL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_makes_sense),
        cmocka_unit_test(reads_what_it_makes),
        cmocka_unit_test(refuses_a_huge_tree),
        cmocka_unit_test(refuses_a_deep_tree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
