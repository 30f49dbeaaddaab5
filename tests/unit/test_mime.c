/*
 * Media types by extension: the table, and what a configuration adds to it.
 */
#include "config.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/mime.h"
#include "http/mime_types.h"

static void knows_extensions(void **state)
{
    static const struct {
        const char *path, *type;
    } cases[] = {
        {"/index.html", "text/html; charset=utf-8"},
        {"/a/b.htm", "text/html; charset=utf-8"},
        {"style.css", "text/css; charset=utf-8"},
        {"app.js", "text/javascript; charset=utf-8"},
        {"app.mjs", "text/javascript; charset=utf-8"},
        {"/a.txt", "text/plain; charset=utf-8"},
        {"/a.xml", "text/xml; charset=utf-8"},
        {"/a.json", "application/json"},
        {"/app.js.map", "application/json"},
        {"/a.svg", "image/svg+xml"},
        {"/a.png", "image/png"},
        {"/a.jpeg", "image/jpeg"},
        {"/a.webp", "image/webp"},
        {"/favicon.ico", "image/x-icon"},
        {"/a.woff2", "font/woff2"},
        {"/a.wasm", "application/wasm"},
        {"/a.pdf", "application/pdf"},
        {"/a.mp4", "video/mp4"},
        {"/a.3gp", "video/3gpp"},
        {"/a.zip", "application/zip"},
        {"/a.zst", "application/zstd"},
        {"/a.tar.gz", "application/gzip"},
        {"/A.HTML", "text/html; charset=utf-8"},
        {"/a.JpG", "image/jpeg"},
        {"/.html", "text/html; charset=utf-8"},
        {"/a.b/c.css", "text/css; charset=utf-8"},
        {"/a..css", "text/css; charset=utf-8"},
        {"", MIME_DEFAULT},
        {"/", MIME_DEFAULT},
        {".", MIME_DEFAULT},
        {"/a", MIME_DEFAULT},
        {"/html", MIME_DEFAULT},
        {"/a.", MIME_DEFAULT},
        {"/a.html/", MIME_DEFAULT},
        {"/a.html/b", MIME_DEFAULT},
        {"/a.htmlx", MIME_DEFAULT},
        {"/a.ht", MIME_DEFAULT},
        {"/a.html ", MIME_DEFAULT},
        {"/a.\xec\xa2\x80", MIME_DEFAULT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (strcmp(mime_type_of(cases[i].path), cases[i].type) != 0)
            fail_msg("\"%s\": %s", cases[i].path, mime_type_of(cases[i].path));
}

static void prefers_the_configuration(void **state)
{
    static const struct mime_extra extra[] = {
        {"foo", "text/x-foo"},
        {"HTML", "application/x-html"},
        {"foo", "text/x-second"},
        {"d/foo", "text/x-third"},
    };
    size_t n = sizeof(extra) / sizeof(extra[0]);

    (void)state;
    assert_ptr_equal(mime_lookup(extra, n, "/a.foo"), extra[0].type);
    assert_ptr_equal(mime_lookup(extra, n, "/a.FOO"), extra[0].type);
    assert_ptr_equal(mime_lookup(extra, n, "/a.html"), extra[1].type);
    assert_string_equal(mime_lookup(extra, n, "/a.css"), "text/css; charset=utf-8");
    assert_string_equal(mime_lookup(extra, n, "/foo"), MIME_DEFAULT);
    assert_string_equal(mime_lookup(extra, n, "/a.d/foo"), MIME_DEFAULT);
    assert_string_equal(mime_lookup(extra, 0, "/a.foo"), MIME_DEFAULT);
    assert_string_equal(mime_lookup(NULL, 0, "/a.html"), "text/html; charset=utf-8");
}

/* The search needs the order; a type needs its slash, and text its charset. */
static void has_a_sound_table(void **state)
{
    (void)state;
    assert_true(mime_n_types >= 120);
    for (size_t i = 0; i < mime_n_types; i++) {
        const struct mime_type *row = &mime_types[i];
        int is_text = strncmp(row->type, "text/", 5) == 0;
        char path[32];

        if (i > 0 && strcmp(mime_types[i - 1].extension, row->extension) >= 0)
            fail_msg("%s is not in order", row->extension);
        for (const char *c = row->extension; *c != '\0'; c++)
            if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c))
                fail_msg("%s is not in lower case", row->extension);
        if (strchr(row->type, '/') == NULL || is_text != (strstr(row->type, "charset") != NULL))
            fail_msg("%s: %s", row->extension, row->type);
        (void)snprintf(path, sizeof(path), "/x.%s", row->extension);
        assert_ptr_equal(mime_type_of(path), row->type);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_extensions),
        cmocka_unit_test(prefers_the_configuration),
        cmocka_unit_test(has_a_sound_table),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
