/*
 * Lines of the access log: every variable, the three words, escapes, cuts, and
 * formats that are refused.
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
#include <strings.h>

#include <cmocka.h>

#include <jansson.h>

#include "base/access_format.h"

#define TEXT(literal)                  \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }
#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN  "b7ad6b7169203331"

/* The context of a request is its User-Agent. */
static const char *find_header(const void *request, const char *name)
{
    if (strcmp(name, "user-agent") == 0)
        return request;
    return strcmp(name, "x-empty") == 0 ? "" : NULL;
}

static struct access_entry make_entry(void)
{
    return (struct access_entry){.time = {1769903999, 123456789},
                                 .remote_addr = TEXT("192.0.2.1"),
                                 .method = TEXT("GET"),
                                 .request_uri = TEXT("/a%20b?c=d"),
                                 .path = TEXT("/a b"),
                                 .args = TEXT("c=d"),
                                 .protocol = TEXT("HTTP/1.1"),
                                 .host = TEXT("example.org"),
                                 .route = TEXT("/{x}"),
                                 .instance = TEXT("id-1"),
                                 .traceparent = TEXT("00-" TRACE "-" SPAN "-01"),
                                 .status = 200,
                                 .body_bytes_sent = 1234,
                                 .bytes_sent = 1400,
                                 .request_length = 99,
                                 .duration_us = 1056789,
                                 .connection = 7,
                                 .connection_requests = 2,
                                 .worker = 31,
                                 .slot = 3,
                                 .pid = 4242,
                                 .header = find_header,
                                 .request = "curl/8"};
}

/* The line without its newline, allocated; rendered into a block of exactly `size` bytes. */
static char *render(const char *text, const struct access_entry *entry, size_t size)
{
    char why[ACCESS_FORMAT_WHY_SIZE] = "";
    struct access_format *format;
    char *buf = malloc(size), *line;

    assert_non_null(buf);
    if (access_format_compile(text, &format, why) != 0)
        fail_msg("%s: %s", text, why);
    size_t len = access_format_render(format, entry, buf, size);
    assert_in_range(len, 1, size);
    assert_int_equal(buf[len - 1], '\n');
    assert_null(memchr(buf, '\n', len - 1));
    line = strndup(buf, len - 1);
    assert_non_null(line);
    assert_int_equal(strlen(line), len - 1);
    free(buf);
    access_format_free(format);
    return line;
}

static void check(const char *text, const struct access_entry *entry, const char *expected)
{
    char *line = render(text, entry, 4096);

    if (strcmp(line, expected) != 0)
        fail_msg("%s: %s", text, line);
    free(line);
}

static void renders_each_variable(void **state)
{
    static const struct {
        const char *text, *line, *empty;
    } rows[] = {
        {"$remote_addr", "192.0.2.1", "-"},
        {"$remote_user", "-", "-"},
        {"$time_local", "31/Jan/2026:23:59:59 +0000", "01/Jan/1970:00:00:00 +0000"},
        {"$time_iso8601", "2026-01-31T23:59:59+00:00", "1970-01-01T00:00:00+00:00"},
        {"$msec", "1769903999.123", "0.000"},
        {"$request", "GET /a%20b?c=d HTTP/1.1", "-"},
        {"$request_method", "GET", "-"},
        {"$request_uri", "/a%20b?c=d", "-"},
        {"$uri", "/a b", "-"},
        {"$args", "c=d", "-"},
        {"$server_protocol", "HTTP/1.1", "-"},
        {"$status", "200", "000"},
        {"$body_bytes_sent", "1234", "0"},
        {"$bytes_sent", "1400", "0"},
        {"$request_time", "1.056", "0.000"},
        {"$request_length", "99", "0"},
        {"$http_user_agent", "curl/8", "-"},
        {"$http_User_Agent", "curl/8", "-"},
        {"$http_referer", "-", "-"},
        {"[$http_x_empty]", "[]", "[-]"},
        {"$connection", "7", "0"},
        {"$connection_requests", "2", "0"},
        {"$pipe", ".", "."},
        {"$pid", "4242", "0"},
        {"$worker", "31", "0"},
        {"$slot", "3", "0"},
        {"$instance", "id-1", "-"},
        {"$host", "example.org", "-"},
        {"$traceparent", "00-" TRACE "-" SPAN "-01", "-"},
        {"$trace_id", TRACE, "-"},
        {"$span_id", SPAN, "-"},
        {"$route", "/{x}", "-"},
        {"$upstream_addr", "-", "-"},
        {"$upstream_status", "-", "-"},
        {"$upstream_connect_time", "-", "-"},
        {"$upstream_header_time", "-", "-"},
        {"$upstream_response_time", "-", "-"},
        {"$$ $$$pipe$$pid", "$ $.$pid", "$ $.$pid"},
        {"${pid}s ${http_user_agent}_", "4242s curl/8_", "0s -_"},
        {"\t{\"$pid\"} \xc3\xa9", "\t{\"4242\"} \xc3\xa9", "\t{\"0\"} \xc3\xa9"},
    };
    const struct access_entry entry = make_entry(), empty = {.status = 0};
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check(rows[i].text, &entry, rows[i].line);
        check(rows[i].text, &empty, rows[i].empty);
    }
}

static void renders_each_attempt(void **state)
{
    struct access_attempt last = {
        .server = "api \"a\"", .status = 0, .connect_us = -1, .header_us = -1, .response_us = 0};
    struct access_attempt second = {.next = &last,
                                    .server = "unix:/run/b",
                                    .status = 200,
                                    .connect_us = 0,
                                    .header_us = 999,
                                    .response_us = 61234567};
    struct access_attempt first = {.next = &second,
                                   .server = "[::1]:3000",
                                   .status = 502,
                                   .connect_us = 1000,
                                   .header_us = -1,
                                   .response_us = 2999};
    struct access_entry entry = make_entry();
    (void)state;

    entry.attempts = &first;
    check("$upstream_addr|", &entry, "[::1]:3000, unix:/run/b, api \\x22a\\x22|");
    check("$upstream_status|", &entry, "502, 200, -|");
    check("$upstream_connect_time|", &entry, "0.001, 0.000, -|");
    check("$upstream_header_time|", &entry, "-, 0.000, -|");
    check("$upstream_response_time|", &entry, "0.002, 61.234, 0.000|");
    entry.attempts = &second;
    check("$upstream_addr $upstream_status", &entry, "unix:/run/b, api \\x22a\\x22 200, -");
}

static void renders_extremes(void **state)
{
    struct access_entry entry = make_entry();
    (void)state;

    entry.pipelined = true;
    entry.bytes_sent = UINT64_MAX;
    entry.duration_us = UINT64_MAX;
    entry.time = (struct timespec){-1, 999999999};
    check("$pipe $bytes_sent $request_time $msec", &entry,
          "p 18446744073709551615 18446744073709.551 0.999");
    entry.traceparent.len = 40;
    check("$trace_id $span_id", &entry, TRACE " -");
}

static void renders_words(void **state)
{
    const struct access_entry entry = make_entry();
    (void)state;

    check("common", &entry,
          "192.0.2.1 - - [31/Jan/2026:23:59:59 +0000] \"GET /a%20b?c=d HTTP/1.1\" 200 1234");
    check("combined", &entry,
          "192.0.2.1 - - [31/Jan/2026:23:59:59 +0000] \"GET /a%20b?c=d HTTP/1.1\" 200 1234 \"-\" "
          "\"curl/8\"");
    check("json", &entry,
          "{\"time\":\"2026-01-31T23:59:59.123Z\",\"status\":200,\"bytes\":1234,"
          "\"duration_ms\":1056.789,\"remote_addr\":\"192.0.2.1\",\"method\":\"GET\","
          "\"protocol\":\"HTTP/1.1\",\"worker\":31,\"slot\":3,\"pid\":4242,\"instance\":\"id-1\","
          "\"route\":\"/{x}\",\"trace_id\":\"" TRACE "\",\"span_id\":\"" SPAN "\","
          "\"host\":\"example.org\",\"uri\":\"/a%20b?c=d\",\"referer\":null,"
          "\"user_agent\":\"curl/8\"}");
}

static void remembers_the_second(void **state)
{
    static const struct {
        time_t second;
        const char *line;
    } rows[] = {
        {0, "01/Jan/1970:00:00:00 +0000\n"},          {1, "01/Jan/1970:00:00:01 +0000\n"},
        {1, "01/Jan/1970:00:00:01 +0000\n"},          {0, "01/Jan/1970:00:00:00 +0000\n"},
        {1709164800, "29/Feb/2024:00:00:00 +0000\n"},
    };
    struct access_entry entry = make_entry();
    struct access_format *format;
    char why[ACCESS_FORMAT_WHY_SIZE], buf[128];
    (void)state;

    assert_int_equal(access_format_compile("$time_local", &format, why), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        entry.time.tv_sec = rows[i].second;
        size_t len = access_format_render(format, &entry, buf, sizeof buf);
        assert_int_equal(len, strlen(rows[i].line));
        assert_memory_equal(buf, rows[i].line, len);
    }
    access_format_free(format);
}

static void shows_the_zone(void **state)
{
    const struct access_entry entry = make_entry();
    (void)state;

    setenv("TZ", "XXX-5:30", 1);
    check("$time_local $time_iso8601", &entry,
          "01/Feb/2026:05:29:59 +0530 2026-02-01T05:29:59+05:30");
    setenv("TZ", "UTC0", 1);
}

static void escapes(void **state)
{
    static const struct {
        struct access_text in;
        const char *text, *json;
    } rows[] = {
        {TEXT(""), "", ""},
        {TEXT("a\"b\\c"), "a\\x22b\\x5Cc", "a\\\"b\\\\c"},
        {TEXT("a\nb\r\t\x1b[0m"), "a\\x0Ab\\x0D\\x09\\x1B[0m", "a\\u000ab\\u000d\\u0009\\u001b[0m"},
        {TEXT("a\0b"), "a\\x00b", "a\\u0000b"},
        {TEXT("~\x7f"), "~\\x7F", "~\\u007f"},
        {TEXT("\xc3\xa9\xe2\x82\xac"), "\\xC3\\xA9\\xE2\\x82\\xAC", "\xc3\xa9\xe2\x82\xac"},
        {TEXT("\xff\xc3"), "\\xFF\\xC3", "\\ufffd\\ufffd"},
        {TEXT("\xc2\x9b"), "\\xC2\\x9B", "\\ufffd\\ufffd"},
        {TEXT("\xed\xa0\x80"), "\\xED\\xA0\\x80", "\\ufffd\\ufffd\\ufffd"},
    };
    struct access_entry entry = make_entry();
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char member[128];

        entry.request_uri = rows[i].in;
        check("$request_uri", &entry, rows[i].text);
        char *line = render("json", &entry, 4096);
        snprintf(member, sizeof member, "\"uri\":\"%s\",\"referer\"", rows[i].json);
        if (strstr(line, member) == NULL)
            fail_msg("%s: %s", member, line);
        free(line);
    }
}

/* At each size, a line is a beginning of the whole one, and JSON an object. */
static void cuts(void **state)
{
    struct access_entry entry = make_entry();
    (void)state;

    entry.request_uri = (struct access_text)TEXT("/\xc3\xa9\"\x01\xf0\x9f\x98\x80/\xff\n\\");
    char *whole = render("combined", &entry, 4096);
    for (size_t size = ACCESS_LINE_MIN; size < 400; size++) {
        char *line = render("combined", &entry, size);
        size_t len = strlen(line);
        assert_memory_equal(line, whole, len);
        assert_true(len == strlen(whole) || len + sizeof "\\x00" >= size - 1 || len + 12 > size);
        const char *slash = strrchr(line, '\\');
        assert_true(slash == NULL || strlen(slash) >= 4);
        free(line);
        line = render("json", &entry, size);
        json_t *object = json_loads(line, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
        if (!json_is_object(object))
            fail_msg("%zu: %s", size, line);
        assert_non_null(json_object_get(object, "time"));
        json_decref(object);
        free(line);
    }
    free(whole);
}

static void needs_some_room(void **state)
{
    const struct access_entry entry = make_entry();
    struct access_format *format;
    char why[ACCESS_FORMAT_WHY_SIZE], buf[ACCESS_LINE_MIN] = "untouched";
    (void)state;

    assert_int_equal(access_format_compile("json", &format, why), 0);
    assert_int_equal(access_format_render(format, &entry, buf, ACCESS_LINE_MIN - 1), 0);
    assert_int_equal(access_format_render(format, &entry, buf, 0), 0);
    assert_string_equal(buf, "untouched");
    access_format_free(format);
    access_format_free(NULL);
}

static void refuses(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"", "offset 0: neither a variable nor \"common\", \"combined\" or \"json\""},
        {"combned", "offset 0: neither a variable nor \"common\", \"combined\" or \"json\""},
        {"JSON $$", "offset 0: neither a variable nor \"common\", \"combined\" or \"json\""},
        {"$pid $foo", "offset 5: unknown variable \"$foo\""},
        {"$pid_", "offset 0: unknown variable \"$pid_\""},
        {"$PID", "offset 0: unknown variable \"$PID\""},
        {"$http_", "offset 0: unknown variable \"$http_\""},
        {"a ${nothing}", "offset 2: unknown variable \"$nothing\""},
        {"$pid $", "offset 5: a '$' without a name ('$$' is a dollar)"},
        {"$pid $-", "offset 5: a '$' without a name ('$$' is a dollar)"},
        {"$pid ${}", "offset 5: a '$' without a name ('$$' is a dollar)"},
        {"${pid", "offset 0: \"${pid\" has no '}' after it"},
        {"${pid-x}", "offset 0: \"${pid\" has no '}' after it"},
        {"$pid\n", "offset 4: control byte 0x0a"},
        {"$pid \x7f", "offset 5: control byte 0x7f"},
        {"$aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeee",
         "offset 0: unknown variable \"$aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd\""},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct access_format *format = NULL;
        char why[ACCESS_FORMAT_WHY_SIZE] = "";

        assert_int_equal(access_format_compile(rows[i].text, &format, why), -EINVAL);
        assert_null(format);
        assert_string_equal(why, rows[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renders_each_variable),
        cmocka_unit_test(renders_each_attempt),
        cmocka_unit_test(renders_extremes),
        cmocka_unit_test(renders_words),
        cmocka_unit_test(remembers_the_second),
        cmocka_unit_test(shows_the_zone),
        cmocka_unit_test(escapes),
        cmocka_unit_test(cuts),
        cmocka_unit_test(needs_some_room),
        cmocka_unit_test(refuses),
    };

    setenv("TZ", "UTC0", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
