/*
 * Queries and forms, pair by pair.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/query.h"

#define MAX_PAIRS 8

/* A cursor whose query and buffer are blocks of exactly the promised size. */
struct subject {
    struct query_cursor cursor;
    char *query, *buf;
};

static void begin(struct subject *subject, const char *query, size_t len)
{
    subject->query = malloc(len > 0 ? len : 1);
    subject->buf = malloc(len + 1);
    assert_non_null(subject->query);
    assert_non_null(subject->buf);
    memcpy(subject->query, query, len);
    query_start(&subject->cursor, subject->query, len, subject->buf);
}

static void end(struct subject *subject)
{
    free(subject->query);
    free(subject->buf);
}

/* Take all pairs, look at them when the last one is there, print them as "[key|value]...". */
static void print_pairs(const char *query, char *out, size_t size)
{
    struct query_pair pairs[MAX_PAIRS];
    struct subject subject;
    size_t n = 0;
    int r;

    begin(&subject, query, strlen(query));
    while (n < MAX_PAIRS && (r = query_next(&subject.cursor, &pairs[n])) > 0)
        n++;
    assert_int_equal(r, 0);
    assert_int_equal(query_next(&subject.cursor, &pairs[0]), 0);
    out[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        size_t used = strlen(out);

        assert_int_equal(strlen(pairs[i].key), pairs[i].key_len);
        assert_int_equal(strlen(pairs[i].value), pairs[i].value_len);
        (void)snprintf(out + used, size - used, "[%s|%s]", pairs[i].key, pairs[i].value);
    }
    end(&subject);
}

static void takes_pairs(void **state)
{
    static const struct {
        const char *query, *pairs;
    } cases[] = {
        {"", ""},
        {"a=1", "[a|1]"},
        {"a=1&b=2", "[a|1][b|2]"},
        {"a=1&a=2&a=1", "[a|1][a|2][a|1]"},
        {"a", "[a|]"},
        {"a=", "[a|]"},
        {"=1", "[|1]"},
        {"=", "[|]"},
        {"==", "[|=]"},
        {"a=b=c", "[a|b=c]"},
        {"&", ""},
        {"&&a=1&&&b=2&", "[a|1][b|2]"},
        {"a&b&c", "[a|][b|][c|]"},
        {"a+b=c+d", "[a b|c d]"},
        {"a%20b=%2B%26%3D", "[a b|+&=]"},
        {"a%3Db=c", "[a=b|c]"},
        {"a%26b", "[a&b|]"},
        {"%61=%62", "[a|b]"},
        {"a;b=1;c", "[a;b|1;c]"},
        {"a[]=1&a[]=2", "[a[]|1][a[]|2]"},
        {"?a=1", "[?a|1]"},
        {"a=/?:@!$'()*,", "[a|/?:@!$'()*,]"},
        {"k=%EC%A2%80&\xec\xa2\x80=k", "[k|\xec\xa2\x80][\xec\xa2\x80|k]"},
        {"a=%2541", "[a|%41]"},
        {"a=\x01\xff", "[a|\x01\xff]"},
        {"1&2&3&4&5&6&7", "[1|][2|][3|][4|][5|][6|][7|]"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[256];

        print_pairs(cases[i].query, text, sizeof(text));
        if (strcmp(text, cases[i].pairs) != 0)
            fail_msg("\"%s\": %s", cases[i].query, text);
    }
}

static void tells_what_is_bad(void **state)
{
    static const struct {
        const char *query;
        size_t len, bad_at;
        int good; /* pairs before it */
    } cases[] = {
        {"%", 1, 0, 0},        {"a=%", 3, 2, 0},         {"a%=1", 4, 1, 0},
        {"a=1&b=%4", 8, 6, 1}, {"a=1&b=%4&c", 10, 6, 1}, {"a=1&%zz=2", 9, 4, 1},
        {"a=%00", 5, 2, 0},    {"%00", 3, 0, 0},         {"a=\0", 3, 2, 0},
        {"a\0=1", 4, 1, 0},    {"&&a=1%", 6, 5, 0},      {"a=%4=1", 6, 2, 0},
        {"a=%4&1=2", 8, 2, 0}, {"%3=d", 4, 0, 0},        {"a=%u0041", 8, 2, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char key[] = "untouched";
        struct query_pair pair = {0};
        struct subject subject;
        int good = 0;
        int r;

        begin(&subject, cases[i].query, cases[i].len);
        while (pair.key = key, (r = query_next(&subject.cursor, &pair)) > 0)
            good++;
        if (r != -EINVAL || good != cases[i].good || subject.cursor.bad_at != cases[i].bad_at)
            fail_msg("case %zu: result %d, %d good, at %zu", i, r, good, subject.cursor.bad_at);
        assert_ptr_equal(pair.key, key);
        end(&subject);
    }
}

static void goes_on_behind_a_bad_pair(void **state)
{
    static const char query[] = "a=1&bb=%&%=2&c=3";
    struct query_pair first, last;
    struct subject subject;

    (void)state;
    begin(&subject, query, strlen(query));
    assert_int_equal(query_next(&subject.cursor, &first), 1);
    assert_int_equal(query_next(&subject.cursor, &last), -EINVAL);
    assert_int_equal(subject.cursor.bad_at, 7);
    assert_int_equal(query_next(&subject.cursor, &last), -EINVAL);
    assert_int_equal(subject.cursor.bad_at, 9);
    assert_int_equal(query_next(&subject.cursor, &last), 1);
    assert_string_equal(first.key, "a");
    assert_string_equal(first.value, "1");
    assert_string_equal(last.key, "c");
    assert_string_equal(last.value, "3");
    assert_int_equal(query_next(&subject.cursor, &last), 0);
    end(&subject);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_pairs),
        cmocka_unit_test(tells_what_is_bad),
        cmocka_unit_test(goes_on_behind_a_bad_pair),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
