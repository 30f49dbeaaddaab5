/*
 * Answering with an open file: which status, which headers, which parts. What
 * stands in for the request and its answer is here.
 */
#include "config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "http/conditional.h"
#include "http/handlers/files_ranges.h"
#include "http/handlers/files_send.h"
#include "http/reply.h"
#include "http/request.h"

struct http_request {
    const char *method;
    const char *fields[8]; /* name, value, ... */
    int status;            /* of the answer; 0: none yet */
    char type[128];
    char headers[512]; /* "Name: value\n" as they come */
    char body[4096];   /* of the parts, "<offset+len>" for what is of the file */
    int fd;
};

const char *request_method(const struct http_request *request)
{
    return request->method;
}

void request_each_header(const struct http_request *request,
                         void (*each)(const char *name, const char *value, void *arg), void *arg)
{
    for (size_t i = 0; request->fields[i] != NULL; i += 2)
        each(request->fields[i], request->fields[i + 1], arg);
}

static void answer(struct http_request *request, const struct reply *reply)
{
    const struct reply_header *header = reply->headers;

    assert_int_equal(request->status, 0);
    request->status = reply->status;
    (void)snprintf(request->type, sizeof(request->type), "%s",
                   reply->type != NULL ? reply->type : "");
    for (; header != NULL && header->name != NULL; header++) {
        size_t used = strlen(request->headers);

        assert_non_null(header->value);
        (void)snprintf(request->headers + used, sizeof(request->headers) - used, "%s: %s\n",
                       header->name, header->value);
    }
}

void reply_send(struct http_request *request, const struct reply *reply)
{
    answer(request, reply);
    assert_int_equal(fcntl(request->fd, F_GETFD), -1);
}

void reply_error(struct http_request *request, int status, const char *detail)
{
    struct reply reply = {.status = status, .type = "text/plain", .body = detail};

    reply_send(request, &reply);
}

void reply_file(struct http_request *request, const struct reply *reply, int fd,
                const struct reply_part *parts, size_t n)
{
    answer(request, reply);
    assert_int_equal(fd, request->fd);
    assert_int_equal(close(fd), 0);
    for (size_t i = 0; i < n; i++) {
        size_t used = strlen(request->body);

        (void)snprintf(request->body + used, sizeof(request->body) - used, "%.*s",
                       (int)parts[i].text_len, parts[i].text != NULL ? parts[i].text : "");
        used = strlen(request->body);
        (void)snprintf(request->body + used, sizeof(request->body) - used, "<%d+%d>",
                       (int)parts[i].offset, (int)parts[i].len);
    }
}

#define TAG    "\"55dbb800075bcd15-3e8\""
#define TAG_BR "\"55dbb800075bcd15-3e8-br\""
#define DATE   "Tue, 25 Aug 2015 00:34:08 GMT"

static const struct files_choice usual = {
    .fd = -1, .size = 1000, .mtime = {0x55dbb800, 123456789}, .type = "text/plain; charset=utf-8"};

static void send_choice(struct http_request *request, struct files_choice choice)
{
    choice.fd = request->fd = open("/dev/null", O_RDONLY);
    assert_true(choice.fd >= 0);
    files_send(request, &choice);
    assert_int_equal(fcntl(request->fd, F_GETFD), -1);
}

static void sends_the_whole_file(void **state)
{
    struct http_request request = {.method = "GET"};

    (void)state;
    send_choice(&request, usual);
    assert_int_equal(request.status, 200);
    assert_string_equal(request.type, "text/plain; charset=utf-8");
    assert_string_equal(request.headers,
                        "ETag: " TAG "\nLast-Modified: " DATE "\nAccept-Ranges: bytes\n");
    assert_string_equal(request.body, "<0+1000>");
}

static void sends_what_the_route_says(void **state)
{
    struct http_request request = {.method = "GET"};
    struct files_choice choice = usual;

    (void)state;
    choice.coding = "br";
    choice.vary = "Accept-Encoding";
    choice.cache_control = "max-age=60";
    send_choice(&request, choice);
    assert_string_equal(request.headers, "ETag: " TAG_BR "\nLast-Modified: " DATE
                                         "\nCache-Control: max-age=60\nVary: Accept-Encoding\n"
                                         "Accept-Ranges: bytes\nContent-Encoding: br\n");

    request = (struct http_request){.method = "GET", .fields = {"If-None-Match", TAG_BR}};
    send_choice(&request, choice);
    assert_int_equal(request.status, 304);
    assert_string_equal(request.type, "");
    assert_string_equal(request.headers, "ETag: " TAG_BR "\nLast-Modified: " DATE
                                         "\nCache-Control: max-age=60\nVary: Accept-Encoding\n");
}

struct row {
    const char *method;
    const char *fields[6];
    int status;
    const char *body;
};

static void check_row(const struct row *row, size_t number)
{
    struct http_request request = {.method = row->method};

    memcpy(request.fields, row->fields, sizeof(row->fields));
    send_choice(&request, usual);
    if (request.status != row->status || strcmp(request.body, row->body) != 0)
        fail_msg("row %zu: %d '%s'", number, request.status, request.body);
}

static void judges_conditions_and_ranges(void **state)
{
    static const struct row rows[] = {
        {"GET", {"If-None-Match", TAG}, 304, ""},
        {"HEAD", {"if-none-match", "W/" TAG}, 304, ""},
        {"GET", {"If-None-Match", "\"x\", " TAG}, 304, ""},
        {"GET", {"If-None-Match", "*"}, 304, ""},
        {"GET", {"If-None-Match", TAG_BR}, 200, "<0+1000>"},
        {"GET", {"If-Modified-Since", DATE}, 304, ""},
        {"GET", {"If-Modified-Since", "Tue, 25 Aug 2015 00:34:07 GMT"}, 200, "<0+1000>"},
        {"GET", {"If-Modified-Since", "yesterday"}, 200, "<0+1000>"},
        {"GET", {"If-None-Match", "\"x\"", "If-Modified-Since", DATE}, 200, "<0+1000>"},
        {"GET", {"If-Match", TAG}, 200, "<0+1000>"},
        {"GET", {"If-Match", "W/" TAG}, 412, ""},
        {"GET", {"If-Match", "\"x\"", "If-None-Match", TAG}, 412, ""},
        {"GET", {"If-Unmodified-Since", DATE}, 200, "<0+1000>"},
        {"GET", {"If-Unmodified-Since", "Tue, 25 Aug 2015 00:34:07 GMT"}, 412, ""},
        {"GET",
         {"If-Match", TAG, "If-Unmodified-Since", "Tue, 25 Aug 2015 00:34:07 GMT"},
         200,
         "<0+1000>"},
        {"GET", {"Range", "bytes=0-9"}, 206, "<0+10>"},
        {"GET", {"range", "bytes=-1"}, 206, "<999+1>"},
        {"GET", {"Range", "bytes=5-7,7-12"}, 206, "<5+8>"},
        {"HEAD", {"Range", "bytes=0-9"}, 200, "<0+1000>"},
        {"GET", {"Range", "bytes=1000-"}, 416, ""},
        {"HEAD", {"Range", "bytes=1000-"}, 200, "<0+1000>"},
        {"GET", {"Range", "lines=1-2"}, 200, "<0+1000>"},
        {"GET", {"Range", "bytes=0-9", "If-Range", TAG}, 206, "<0+10>"},
        {"GET", {"Range", "bytes=0-9", "If-Range", "W/" TAG}, 200, "<0+1000>"},
        {"GET", {"Range", "bytes=0-9", "If-Range", DATE}, 206, "<0+10>"},
        {"GET", {"Range", "bytes=0-9", "If-Range", "\"x\""}, 200, "<0+1000>"},
        {"GET", {"Range", "bytes=1000-", "If-Range", "\"x\""}, 200, "<0+1000>"},
        {"GET", {"Range", "bytes=0-9", "If-None-Match", TAG}, 304, ""},
        {"GET", {"Range", "bytes=0-9", "If-Match", "\"x\""}, 412, ""},
        {"GET", {"Range", "bytes=0-9", "Range", "bytes=1-2"}, 206, "<0+10>"},
        {"GET", {"If-Rangers", "\"x\"", "Range", "bytes=0-9", "Ranges", "x"}, 206, "<0+10>"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check_row(&rows[i], i);
}

static void says_which_range_it_is(void **state)
{
    struct http_request request = {.method = "GET", .fields = {"Range", "bytes=10-19"}};

    (void)state;
    send_choice(&request, usual);
    assert_string_equal(request.type, "text/plain; charset=utf-8");
    assert_string_equal(request.headers,
                        "ETag: " TAG "\nLast-Modified: " DATE
                        "\nAccept-Ranges: bytes\nContent-Range: bytes 10-19/1000\n");

    request = (struct http_request){.method = "GET", .fields = {"Range", "bytes=2000-"}};
    send_choice(&request, usual);
    assert_string_equal(request.headers, "Content-Range: bytes */1000\n");
}

static void sends_several_ranges_as_parts(void **state)
{
    struct http_request request = {.method = "GET", .fields = {"Range", "bytes=0-0,-2"}};
    char first[FILES_BOUNDARY_LEN + 1] = "", expected[1024];

    (void)state;
    for (int i = 0; i < 2; i++) {
        char boundary[FILES_BOUNDARY_LEN + 1] = "";

        request.status = 0;
        request.headers[0] = request.body[0] = '\0';
        send_choice(&request, usual);
        assert_int_equal(request.status, 206);
        assert_int_equal(sscanf(request.type, "multipart/byteranges; boundary=%24s", boundary), 1);
        assert_int_equal(strlen(boundary), FILES_BOUNDARY_LEN);
        assert_string_not_equal(boundary, first);
        memcpy(first, boundary, sizeof(first));
        assert_null(strstr(request.headers, "Content-Range"));
        (void)snprintf(expected, sizeof(expected),
                       "--%s\r\nContent-Type: text/plain; charset=utf-8\r\n"
                       "Content-Range: bytes 0-0/1000\r\n\r\n<0+1>"
                       "\r\n--%s\r\nContent-Type: text/plain; charset=utf-8\r\n"
                       "Content-Range: bytes 998-999/1000\r\n\r\n<998+2>\r\n--%s--\r\n<0+0>",
                       boundary, boundary, boundary);
        assert_string_equal(request.body, expected);
    }
}

static void writes_the_largest_ranges(void **state)
{
    struct range ranges[RANGE_MAX];
    struct files_multipart multipart;
    char text[FILES_RANGE_SIZE], type[FILES_TYPE_MAX + 1];

    (void)state;
    for (size_t i = 0; i < RANGE_MAX; i++)
        ranges[i] = (struct range){UINT64_MAX - 2, 1};
    files_range_format(&ranges[0], UINT64_MAX, text);
    assert_string_equal(text,
                        "bytes 18446744073709551613-18446744073709551613/18446744073709551615");
    files_range_format_none(UINT64_MAX, text);
    assert_string_equal(text, "bytes */18446744073709551615");

    memset(type, 't', FILES_TYPE_MAX);
    type[FILES_TYPE_MAX] = '\0';
    files_multipart_make(&multipart, type, ranges, RANGE_MAX, UINT64_MAX);
    assert_int_equal(multipart.n, RANGE_MAX + 1);
    for (size_t i = 0; i < RANGE_MAX; i++) {
        assert_int_equal(strlen(multipart.parts[i].text), multipart.parts[i].text_len);
        assert_string_equal(multipart.parts[i].text + multipart.parts[i].text_len - 6,
                            "15\r\n\r\n");
    }
}

static void files_of_strange_times_have_no_date(void **state)
{
    static const time_t strange[] = {-1, (time_t)INT64_C(32503680000)};

    (void)state;
    for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
        struct http_request request = {
            .method = "GET", .fields = {"If-Modified-Since", "Fri, 31 Dec 9999 23:59:59 GMT"}};
        struct files_choice choice = usual;

        choice.mtime.tv_sec = strange[i];
        send_choice(&request, choice);
        assert_int_equal(request.status, 200);
        assert_null(strstr(request.headers, "Last-Modified"));
        assert_non_null(strstr(request.headers, "ETag: \""));
    }
}

static void empty_files_have_no_ranges(void **state)
{
    struct http_request request = {.method = "GET", .fields = {"Range", "bytes=0-"}};
    struct files_choice choice = usual;

    (void)state;
    choice.size = 0;
    send_choice(&request, choice);
    assert_int_equal(request.status, 200);
    assert_string_equal(request.body, "<0+0>");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_the_whole_file),
        cmocka_unit_test(sends_what_the_route_says),
        cmocka_unit_test(judges_conditions_and_ranges),
        cmocka_unit_test(says_which_range_it_is),
        cmocka_unit_test(sends_several_ranges_as_parts),
        cmocka_unit_test(writes_the_largest_ranges),
        cmocka_unit_test(files_of_strange_times_have_no_date),
        cmocka_unit_test(empty_files_have_no_ranges),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
