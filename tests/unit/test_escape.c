/*
 * Texts for HTML and for URIs.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/escape.h"
#include "base/percent.h"

typedef size_t escape(const char *text, char *buf, size_t size);
typedef char *escape_dup(const char *text);

struct row {
    const char *text, *escaped;
};

/* Into a block of the right size, by hand and by itself. */
static void check_rows(escape *into, escape_dup *dup, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(rows[i].escaped);
        char *by_hand = malloc(len + 1);
        char *by_itself = dup(rows[i].text);

        assert_non_null(by_hand);
        assert_non_null(by_itself);
        assert_int_equal(into(rows[i].text, NULL, 0), len);
        assert_int_equal(into(rows[i].text, by_hand, len + 1), len);
        assert_string_equal(by_hand, rows[i].escaped);
        assert_string_equal(by_itself, rows[i].escaped);
        free(by_hand);
        free(by_itself);
    }
}

static void escapes_html(void **state)
{
    static const struct row rows[] = {
        {"", ""},
        {"plain text", "plain text"},
        {"a&b", "a&amp;b"},
        {"&amp;", "&amp;amp;"},
        {"<a href=\"x\">", "&lt;a href=&quot;x&quot;&gt;"},
        {"it's", "it&#39;s"},
        {"\xec\xa2\x80\xff\x01", "\xec\xa2\x80\xff\x01"},
        {"&&&", "&amp;&amp;&amp;"},
    };

    (void)state;
    check_rows(escape_html, escape_html_dup, rows, sizeof(rows) / sizeof(rows[0]));
}

static void escapes_paths(void **state)
{
    static const struct row rows[] = {
        {"", ""},
        {"/", "/"},
        {"/a/b-c._~d/", "/a/b-c._~d/"},
        {"/a b", "/a%20b"},
        {"/100%", "/100%25"},
        {"/%41", "/%2541"},
        {"/a?b#c", "/a%3Fb%23c"},
        {"/[a]{b}|\\^`", "/%5Ba%5D%7Bb%7D%7C%5C%5E%60"},
        {"/<\">", "/%3C%22%3E"},
        {"/!$&'()*+,;=:@", "/!$&'()*+,;=:@"},
        {"/\r\nX: y", "/%0D%0AX:%20y"},
        {"/\xec\xa2\x80", "/%EC%A2%80"},
        {"\x01\x1f\x7f\x80\xff", "%01%1F%7F%80%FF"},
        {"azAZ09", "azAZ09"},
    };

    (void)state;
    check_rows(escape_path, escape_path_dup, rows, sizeof(rows) / sizeof(rows[0]));
}

/* What does not fit is left out whole, and so is all that follows. */
static void cuts_between_forms(void **state)
{
    static const struct {
        size_t size;
        const char *html, *path;
    } cases[] = {
        {1, "", ""},
        {2, "a", "a"},
        {4, "a", "a"},
        {5, "a", "a%3C"},
        {6, "a&lt;", "a%3Cb"},
        {7, "a&lt;b", "a%3Cb"},
        {9, "a&lt;b", "a%3Cb%3E"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *buf = malloc(cases[i].size);

        assert_non_null(buf);
        assert_int_equal(escape_html("a<b>c", buf, cases[i].size), 11);
        assert_string_equal(buf, cases[i].html);
        assert_int_equal(escape_path("a<b>c", buf, cases[i].size), 9);
        assert_string_equal(buf, cases[i].path);
        free(buf);
    }
}

static void comes_back_by_decoding(void **state)
{
    char all[256], decoded[256];
    size_t len = 0;
    char *escaped;

    (void)state;
    for (int byte = 1; byte < 256; byte++)
        all[byte - 1] = (char)byte;
    all[255] = '\0';
    escaped = escape_path_dup(all);
    assert_non_null(escaped);
    assert_int_equal(
        percent_decode(escaped, strlen(escaped), false, decoded, sizeof(decoded), &len), 0);
    assert_int_equal(len, 255);
    assert_string_equal(decoded, all);
    free(escaped);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_html),
        cmocka_unit_test(escapes_paths),
        cmocka_unit_test(cuts_between_forms),
        cmocka_unit_test(comes_back_by_decoding),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
