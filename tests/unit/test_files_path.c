/*
 * Which paths of a URL may name a file, and the extensions of the option `types`.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/handlers/files_path.h"
#include "http/handlers/files_types.h"

static void tells_safe_paths(void **state)
{
    static const struct {
        const char *path;
        bool is_safe;
        bool is_safe_with_dots;
    } rows[] = {
        {"", true, true},        {"a", true, true},        {"a/", true, true},
        {"a/b.png", true, true}, {"a..b", true, true},     {"a.", true, true},
        {"a../b", true, true},   {" ", true, true},        {"\xff\n", true, true},
        {"..", false, false},    {"../", false, false},    {"../a", false, false},
        {"a/..", false, false},  {"a/../b", false, false}, {"a/b/../../../c", false, false},
        {".", false, false},     {"./a", false, false},    {"a/.", false, false},
        {"a/./b", false, false}, {"/", false, false},      {"/a", false, false},
        {"//a", false, false},   {"a//b", false, false},   {"a//", false, false},
        {".a", false, true},     {"a/.b", false, true},    {".a/b", false, true},
        {"...", false, true},    {"..a", false, true},     {"a/..b/c", false, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (files_path_is_safe(rows[i].path, false) != rows[i].is_safe)
            fail_msg("'%s'", rows[i].path);
        if (files_path_is_safe(rows[i].path, true) != rows[i].is_safe_with_dots)
            fail_msg("'%s' with dot files", rows[i].path);
    }
}

static void finds_encoded_slashes(void **state)
{
    static const char *const hidden[] = {"%2F", "/a%2fb", "/%252f%2F", "/%%2f", "/a%2F"};
    static const char *const plain[] = {"",    "/a/b", "/%2e%2e/", "/%252F",
                                        "/2F", "/%2",  "/%",       "/%20F"};

    (void)state;
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
        if (!files_path_hides_slash(hidden[i]))
            fail_msg("'%s' has one", hidden[i]);
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        if (files_path_hides_slash(plain[i]))
            fail_msg("'%s' has none", plain[i]);
}

static void tells_folders_by_their_slash(void **state)
{
    (void)state;
    assert_true(files_path_is_folder(""));
    assert_true(files_path_is_folder("a/"));
    assert_false(files_path_is_folder("a"));
    assert_false(files_path_is_folder("a/b"));
}

static void joins_what_fits(void **state)
{
    char buf[8];

    (void)state;
    assert_int_equal(files_path_join("a/", "b.gz", buf, sizeof(buf)), 0);
    assert_string_equal(buf, "a/b.gz");
    assert_int_equal(files_path_join("", "", buf, sizeof(buf)), 0);
    assert_string_equal(buf, "");
    assert_int_equal(files_path_join("abc", "defg", buf, sizeof(buf)), 0);
    assert_string_equal(buf, "abcdefg");
    assert_int_equal(files_path_join("abcd", "efgh", buf, sizeof(buf)), -ENAMETOOLONG);
    assert_int_equal(files_path_join("abcdefgh", "", buf, sizeof(buf)), -ENAMETOOLONG);
}

static void checks_types(void **state)
{
    static const char *const valid[] = {
        "wasm application/wasm",
        "md text/markdown; charset=utf-8",
        "x\ta/b",
        "X  \t a/b",
        "a-b_c a/b",
        "x a/b+c.d-e",
        "x a/b ;c=\"d e\"",
    };
    static const char *const invalid[] = {
        "",        " ",      "wasm",      "wasm ",     " a/b",      ".x a/b",      "x.y a/b",
        "x/y a/b", "x a",    "x a/",      "x /b",      "x a/b c/d", "x a/b\r\nY:", "x a/b;\n",
        "x a b/c", "x a//b", "x\x01 a/b", "x a/b,c/d", "x a/b\x7f",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++)
        if (!files_types_is_valid(valid[i]))
            fail_msg("'%s' is valid", valid[i]);
    for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++)
        if (files_types_is_valid(invalid[i]))
            fail_msg("'%s' is not valid", invalid[i]);
}

static void finds_types(void **state)
{
    char *items[] = {(char[]){"html x/html"}, (char[]){"Foo \t text/foo; charset=utf-8"}};
    struct conf_list list = {items, 2};
    struct files_types types;

    (void)state;
    assert_int_equal(files_types_make(&list, &types), 0);
    assert_string_equal(mime_lookup(types.extra, types.n, "a/b.html"), "x/html");
    assert_string_equal(mime_lookup(types.extra, types.n, "b.fOO"), "text/foo; charset=utf-8");
    assert_string_equal(mime_lookup(types.extra, types.n, "b.png"), "image/png");
    assert_string_equal(mime_lookup(types.extra, types.n, "foo"), MIME_DEFAULT);
    files_types_clear(&types);
    files_types_clear(&types);
    list.n = 0;
    assert_int_equal(files_types_make(&list, &types), 0);
    assert_int_equal(types.n, 0);
    files_types_clear(&types);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_safe_paths),
        cmocka_unit_test(finds_encoded_slashes),
        cmocka_unit_test(tells_folders_by_their_slash),
        cmocka_unit_test(joins_what_fits),
        cmocka_unit_test(checks_types),
        cmocka_unit_test(finds_types),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
