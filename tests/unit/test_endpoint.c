/*
 * Endpoints of servers and the URLs that hold one: what is read, in which form,
 * and what is refused why.
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

#include "conf/endpoint.h"
#include "conf/url.h"

#define TEN       "abcdefghij"
#define LABEL_60  TEN TEN TEN TEN TEN TEN
#define NO_PORT   "the port is not a number from 1 to 65535"
#define NO_HOST   "there is neither an address nor a host name before the port"
#define A_NUMBER  "a number is no host name, and it is not IPv4"
#define NO_FORM   "it is not ADDR:PORT, [IPv6]:PORT, unix:/path or NAME:PORT"
#define BAD_PORT  "the port is not a number from 0 to 65535"
#define NO_SCHEME "it does not begin with http://"
#define DOTS      "the path has a segment '.' or '..'"
#define ENCODE    "the path has a byte that must be percent-encoded"
#define HEX       "'%' in the path needs two hexadecimal digits behind it"
#define QUERY     "it has a query or a fragment"

static const struct {
    const char *text;
    const char *why; /* NULL: it is read */
    bool is_name;
} endpoints[] = {
    {"127.0.0.1:3000", NULL, false},
    {"[::1]:65535", NULL, false},
    {"unix:/run/app.sock", NULL, false},
    {"localhost:80", NULL, true},
    {"App_1.example-2:1", NULL, true},
    {"1.example:1", NULL, true},
    {"x1:080", NULL, true},
    {LABEL_60 "abc:1", NULL, true},
    {"", NO_FORM, false},
    {"localhost", NO_FORM, false},
    {"127.0.0.1", NO_FORM, false},
    {"127.0.0.1:0", NO_PORT, false},
    {"[::1]:0", NO_PORT, false},
    {"[::1]:x", BAD_PORT, false},
    {"[::1]", "it is not of the form [IPv6]:PORT", false},
    {"[localhost]:80", "the address in brackets is not IPv6", false},
    {"unix:run/app.sock", "the path of a unix socket must be absolute", false},
    {"::1:80", "it has more than one colon: an IPv6 address needs brackets, [IPv6]:PORT", false},
    {"localhost:", NO_PORT, false},
    {"localhost:0", NO_PORT, false},
    {"localhost:65536", NO_PORT, false},
    {"localhost:-1", NO_PORT, false},
    {"localhost:http", NO_PORT, false},
    {"localhost: 80", NO_PORT, false},
    {":80", NO_HOST, false},
    {".example:80", NO_HOST, false},
    {"example.:80", NO_HOST, false},
    {"a..b:80", NO_HOST, false},
    {"a b:80", NO_HOST, false},
    {"a/b:80", NO_HOST, false},
    {"\xc3\xa9:80", NO_HOST, false},
    {LABEL_60 "abcd:1", NO_HOST, false},
    {LABEL_60 "." LABEL_60 "." LABEL_60 "." LABEL_60 "." TEN ":1",
     "the name has more than 253 bytes", false},
    {"127.1:80", A_NUMBER, false},
    {"256.0.0.1:80", A_NUMBER, false},
    {"127.0.0.0x1:80", A_NUMBER, false},
    {"0x7f000001:80", A_NUMBER, false},
    {"2130706433:80", A_NUMBER, false},
};

static void reads_endpoints(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
        const char *why = "(read)", *text = endpoints[i].text;
        struct address address = {.len = 0};
        bool is_name = !endpoints[i].is_name;
        int rc = endpoint_parse(text, &is_name, &address, &why);

        if (rc != (endpoints[i].why == NULL ? 0 : -EINVAL))
            fail_msg("'%s': %d, %s", text, rc, why);
        if (rc < 0) {
            assert_string_equal(why, endpoints[i].why);
            continue;
        }
        assert_int_equal(is_name, endpoints[i].is_name);
        assert_int_equal(address.len == 0, is_name);
    }
}

static void compares_names(void **state)
{
    (void)state;
    assert_true(endpoint_same_name("a.example:80", "A.Example:080"));
    assert_false(endpoint_same_name("a.example:80", "a.example:81"));
    assert_false(endpoint_same_name("a.example:80", "b.example:80"));
    assert_false(endpoint_same_name("a:80", "a.example:80"));
}

static const struct {
    const char *text;
    const char *host_port; /* or why not, when there is no base */
    const char *base;
} urls[] = {
    {"http://app.example", "app.example:80", ""},
    {"HTTP://App.Example:08080/", "app.example:8080", "/"},
    {"http://127.0.0.1:3000/a/b", "127.0.0.1:3000", "/a/b"},
    {"http://127.0.0.1", "127.0.0.1:80", ""},
    {"http://[::1]", "[::1]:80", ""},
    {"http://[0:0::1]:8080/x", "[::1]:8080", "/x"},
    {"http://a/%41%2f;p=1,(x)!$&'*+:@~", "a:80", "/%41%2f;p=1,(x)!$&'*+:@~"},
    {"http://a//b/", "a:80", "//b/"},
    {"http://a/.../..b/b.", "a:80", "/.../..b/b."},
    {"", NO_SCHEME, NULL},
    {"a:80", NO_SCHEME, NULL},
    {"//a", NO_SCHEME, NULL},
    {"http:/a", NO_SCHEME, NULL},
    {" http://a", NO_SCHEME, NULL},
    {"ftp://a", NO_SCHEME, NULL},
    {"https://a", "https is not supported, only http", NULL},
    {"http://", "there is no host", NULL},
    {"http:///x", "there is no host", NULL},
    {"http://unix", "a unix socket needs an upstream of its own", NULL},
    {"http://UNIX:80/x", "a unix socket needs an upstream of its own", NULL},
    {"http://?x", "there is no host", NULL},
    {"http://:80", NO_HOST, NULL},
    {"http://a:", NO_PORT, NULL},
    {"http://a:/x", NO_PORT, NULL},
    {"http://a:0", NO_PORT, NULL},
    {"http://a:99999", NO_PORT, NULL},
    {"http://u:p@a/", "a user name or password is not supported", NULL},
    {"http://a@b", "a user name or password is not supported", NULL},
    {"http://[::1", "it is not of the form [IPv6]:PORT", NULL},
    {"http://[fe80::1%25eth0]/", "an IPv6 address with a zone (%) is not supported", NULL},
    {"http://127.1", A_NUMBER, NULL},
    {"http://a b/", NO_HOST, NULL},
    {"http://a\\b/", NO_HOST, NULL},
    {"http://unix:/run/x", "a unix socket needs an upstream of its own", NULL},
    {"http://a?x=1", QUERY, NULL},
    {"http://a/?", QUERY, NULL},
    {"http://a/x#y", QUERY, NULL},
    {"http://a/ ", ENCODE, NULL},
    {"http://a/\n", ENCODE, NULL},
    {"http://a/\"", ENCODE, NULL},
    {"http://a/\\x", ENCODE, NULL},
    {"http://a/\xc3\xa9", ENCODE, NULL},
    {"http://a/{x}", ENCODE, NULL},
    {"http://a/%", HEX, NULL},
    {"http://a/%4", HEX, NULL},
    {"http://a/%4g", HEX, NULL},
    {"http://a/x%00", "the path has an encoded NUL", NULL},
    {"http://a/.", DOTS, NULL},
    {"http://a/x/../y", DOTS, NULL},
    {"http://a/x/%2E%2e", DOTS, NULL},
    {"http://a/.%2e/", DOTS, NULL},
};

static void reads_urls(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct url url = {.base = "(none)"};
        const char *why = "(read)";
        int rc = url_parse(urls[i].text, &url, &why);

        if (rc != (urls[i].base != NULL ? 0 : -EINVAL))
            fail_msg("'%s': %d, %s, %s%s", urls[i].text, rc, why, url.host_port, url.base);
        assert_string_equal(rc == 0 ? url.host_port : why, urls[i].host_port);
        assert_string_equal(url.base, rc == 0 ? urls[i].base : "(none)");
    }
}

/* `count` times the byte between the two, allocated. */
static char *repeat(const char *before, char byte, size_t count, const char *after)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    (void)fputs(before, out);
    while (count-- > 0)
        (void)fputc(byte, out);
    (void)fputs(after, out);
    (void)fclose(out);
    return text;
}

static void bounds_urls(void **state)
{
    static const struct {
        const char *before;
        size_t count;
        const char *why; /* NULL: it is read */
    } rows[] = {
        {"http://a/", URL_BASE_BYTES_MAX - 1, NULL},
        {"http://a/", URL_BASE_BYTES_MAX, "the path has more than 1024 bytes"},
        {"http://", 63, NULL},
        {"http://", 64, NO_HOST},
        {"http://", ENDPOINT_SIZE, "the name has more than 253 bytes"},
        {"http://", ENDPOINT_SIZE + 1, "the host is too long"},
        {"http://", 100000, "the host is too long"},
        {"http://a.b:", 240, NO_PORT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *text = repeat(rows[i].before, 'x', rows[i].count, "");
        const char *why = "(read)";
        struct url url;
        int rc = url_parse(text, &url, &why);

        assert_int_equal(rc, rows[i].why != NULL ? -EINVAL : 0);
        if (rc < 0)
            assert_string_equal(why, rows[i].why);
        free(text);
    }
}

/* The longest name that there can be, with the longest port, fits the room for it. */
static void takes_the_longest_name(void **state)
{
    char text[7 + ENDPOINT_SIZE] = "http://";
    const char *why = "";
    struct url url;

    (void)state;
    for (size_t i = 0; i < 253; i++)
        text[7 + i] = i % 64 == 63 ? '.' : 'x';
    (void)strcpy(text + 7 + 253, ":65535");
    if (url_parse(text, &url, &why) < 0)
        fail_msg("%s", why);
    assert_string_equal(url.host_port, text + 7);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_endpoints),
        cmocka_unit_test(compares_names),
        cmocka_unit_test(reads_urls),
        cmocka_unit_test(bounds_urls),
        cmocka_unit_test(takes_the_longest_name),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
