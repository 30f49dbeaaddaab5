/*
 * What a server is told about the client, from trusted proxies and from others.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

#include "proxy/forwarded.h"

enum { VALUES_MAX = 3 };

#define VIA "Via: 1.1 zombie-server\r\n"
#define OURS \
    "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a.example\r\n"
#define FORWARDED_OURS "Forwarded: for=192.0.2.1;host=a.example;proto=http\r\n"

static struct slice slice_of(const char *text)
{
    return (struct slice){.at = text, .len = strlen(text)};
}

/* NULL: a unix socket without a name, as clients have. */
static struct address address_of(const char *text)
{
    struct address address = {.len = sizeof(sa_family_t)};
    const char *why;

    if (!text)
        ((struct sockaddr *)&address.storage)->sa_family = AF_UNIX;
    else
        assert_int_equal(address_parse(text, &address, &why), 0);
    return address;
}

/* Compose and compare, with the values that were sent by the index of their field. */
static void check(const char *name, struct forwarded *forwarded,
                  const char *const sent[FORWARDED_FIELDS][VALUES_MAX], const char *wanted)
{
    struct slice values[FORWARDED_FIELDS][VALUES_MAX];
    struct bytes out = {0};

    for (size_t i = 0; i < FORWARDED_FIELDS; i++) {
        size_t n = 0;

        for (; n < VALUES_MAX && sent[i][n]; n++)
            values[i][n] = slice_of(sent[i][n]);
        forwarded->sent[i] = (struct forwarded_values){.at = values[i], .n = n};
    }
    forwarded_add(&out, forwarded);
    if (out.failed || strcmp(out.at, wanted) != 0)
        fail_msg("%s:\n%s", name, out.at);
    bytes_free(&out);
}

/* By clients that nobody has to believe, who have sent nothing. */
static void tells_of_clients(void **state)
{
    static const struct {
        const char *client;
        const char *proto;
        const char *host;
        int minor;
        const char *wanted;
    } rows[] = {
        {"192.0.2.1:4711", "http", "a.example", 1, OURS FORWARDED_OURS VIA},
        {"192.0.2.1:4711", "https", "a.example:8443", 1,
         "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n"
         "X-Forwarded-Host: a.example:8443\r\n"
         "Forwarded: for=192.0.2.1;host=\"a.example:8443\";proto=https\r\n" VIA},
        {"[2001:db8::1]:4711", "http", "[2001:db8::2]", 1,
         "X-Forwarded-For: 2001:db8::1\r\nX-Forwarded-Proto: http\r\n"
         "X-Forwarded-Host: [2001:db8::2]\r\n"
         "Forwarded: for=\"[2001:db8::1]\";host=\"[2001:db8::2]\";proto=http\r\n" VIA},
        {"[::ffff:192.0.2.1]:4711", "http", "a.example", 1, OURS FORWARDED_OURS VIA},
        {"[::1]:80", "http", "[::1]:80", 1,
         "X-Forwarded-For: ::1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: [::1]:80\r\n"
         "Forwarded: for=\"[::1]\";host=\"[::1]:80\";proto=http\r\n" VIA},
        {"192.0.2.1:1", "http", "", 0,
         "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\n"
         "Forwarded: for=192.0.2.1;proto=http\r\nVia: 1.0 zombie-server\r\n"},
        {NULL, "http", "a.example", 1,
         "X-Forwarded-Proto: http\r\nX-Forwarded-Host: a.example\r\n"
         "Forwarded: for=unknown;host=a.example;proto=http\r\n" VIA},
        {"192.0.2.1:1", "http", "a(b);c=d", 1,
         "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a(b);c=d\r\n"
         "Forwarded: for=192.0.2.1;host=\"a(b);c=d\";proto=http\r\n" VIA},
        {"192.0.2.1:1", "http", "a\"b\\", 1,
         "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\"b\\\r\n"
         "Forwarded: for=192.0.2.1;host=\"a\\\"b\\\\\";proto=http\r\n" VIA},
    };
    static const char *const nothing[FORWARDED_FIELDS][VALUES_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct address client = address_of(rows[i].client);

        for (int is_trusted = 0; is_trusted <= 1; is_trusted++) {
            struct forwarded forwarded = {.client = &client,
                                          .proto = rows[i].proto,
                                          .host = slice_of(rows[i].host),
                                          .minor = rows[i].minor,
                                          .is_trusted = is_trusted};

            check(rows[i].wanted, &forwarded, nothing, rows[i].wanted);
        }
    }
}

static const struct sent_row {
    const char *name;
    const char *sent[FORWARDED_FIELDS][VALUES_MAX];
    const char *trusted; /* what a trusted client gets; NULL: the same as any other */
} sent_rows[] = {
    {"X-Forwarded-For is appended to",
     {[FORWARDED_X_FOR] = {"198.51.100.1"}},
     "X-Forwarded-For: 198.51.100.1, 192.0.2.1\r\nX-Forwarded-Proto: http\r\n"
     "X-Forwarded-Host: a.example\r\n" VIA},
    {"its lines are joined",
     {[FORWARDED_X_FOR] = {"198.51.100.1,198.51.100.2", "", "unknown"}},
     "X-Forwarded-For: 198.51.100.1,198.51.100.2, unknown, 192.0.2.1\r\n"
     "X-Forwarded-Proto: http\r\nX-Forwarded-Host: a.example\r\n" VIA},
    {"proto and host are kept",
     {[FORWARDED_X_PROTO] = {"https"}, [FORWARDED_X_HOST] = {"b.example:8443"}},
     "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n"
     "X-Forwarded-Host: b.example:8443\r\n" VIA},
    {"lists of them too",
     {[FORWARDED_X_PROTO] = {"https, http"}, [FORWARDED_X_HOST] = {"b", "c"}},
     "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https, http\r\n"
     "X-Forwarded-Host: b, c\r\n" VIA},
    {"nothing was sent", {[FORWARDED_X_FOR] = {""}, [FORWARDED_STANDARD] = {"", ""}}, NULL},
    {"Forwarded is appended to",
     {[FORWARDED_STANDARD] = {"for=198.51.100.1;proto=https"}},
     "Forwarded: for=198.51.100.1;proto=https, for=192.0.2.1;host=a.example;proto=http\r\n" VIA},
    {"its lines are joined as well",
     {[FORWARDED_STANDARD] = {"for=\"[2001:db8::1]:4711\"", "For=\"a\\\"b, \" ; by=_x,,for=c;"}},
     "Forwarded: for=\"[2001:db8::1]:4711\", For=\"a\\\"b, \" ; by=_x,,for=c;, "
     "for=192.0.2.1;host=a.example;proto=http\r\n" VIA},
    {"both dialects",
     {[FORWARDED_X_FOR] = {"198.51.100.1"}, [FORWARDED_STANDARD] = {"for=198.51.100.1"}},
     "X-Forwarded-For: 198.51.100.1, 192.0.2.1\r\nX-Forwarded-Proto: http\r\n"
     "X-Forwarded-Host: a.example\r\n"
     "Forwarded: for=198.51.100.1, for=192.0.2.1;host=a.example;proto=http\r\n" VIA},
    {"one of them malformed",
     {[FORWARDED_X_FOR] = {"198.51.100.1"}, [FORWARDED_STANDARD] = {"for=\"198.51.100.1"}},
     "X-Forwarded-For: 198.51.100.1, 192.0.2.1\r\nX-Forwarded-Proto: http\r\n"
     "X-Forwarded-Host: a.example\r\n" VIA},
    {"an open quote", {[FORWARDED_STANDARD] = {"for=\"_x"}}, NULL},
    {"an open quote behind an escape", {[FORWARDED_STANDARD] = {"for=\"_x\\\""}}, NULL},
    {"an open escape", {[FORWARDED_STANDARD] = {"for=\"_x\\"}}, NULL},
    {"a quote that another line closes", {[FORWARDED_STANDARD] = {"for=\"_x", "for=y\""}}, NULL},
    {"no value", {[FORWARDED_STANDARD] = {"for="}}, NULL},
    {"no name", {[FORWARDED_STANDARD] = {"=x"}}, NULL},
    {"no pair", {[FORWARDED_STANDARD] = {"for"}}, NULL},
    {"an address without quotes", {[FORWARDED_STANDARD] = {"for=[::1]"}}, NULL},
    {"something behind quotes", {[FORWARDED_STANDARD] = {"for=\"x\"y"}}, NULL},
    {"a blank before the value", {[FORWARDED_STANDARD] = {"for= x"}}, NULL},
    {"blanks in the place of a comma", {[FORWARDED_STANDARD] = {"for=x for=y"}}, NULL},
    {"one line of two malformed", {[FORWARDED_STANDARD] = {"for=x", "y"}}, NULL},
};

static void believes_trusted_clients_alone(void **state)
{
    static const char any[] = OURS FORWARDED_OURS VIA;
    struct address client = address_of("192.0.2.1:4711");
    struct forwarded forwarded = {
        .client = &client, .proto = "http", .host = slice_of("a.example"), .minor = 1};

    (void)state;
    for (size_t i = 0; i < sizeof(sent_rows) / sizeof(sent_rows[0]); i++) {
        const struct sent_row *row = &sent_rows[i];

        forwarded.is_trusted = false;
        check(row->name, &forwarded, row->sent, any);
        forwarded.is_trusted = true;
        check(row->name, &forwarded, row->sent, row->trusted ? row->trusted : any);
    }
}

/* What a trusted proxy on a unix socket says stays; there is nothing to append. */
static void believes_trusted_sockets(void **state)
{
    static const char *const x[FORWARDED_FIELDS][VALUES_MAX] = {
        [FORWARDED_X_FOR] = {"198.51.100.1"}};
    static const char *const standard[FORWARDED_FIELDS][VALUES_MAX] = {
        [FORWARDED_STANDARD] = {"for=198.51.100.1"}};
    struct address client = address_of(NULL);
    struct forwarded forwarded = {.client = &client, .proto = "http", .is_trusted = true};

    (void)state;
    check("X-Forwarded-For", &forwarded, x,
          "X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-Proto: http\r\n"
          "Via: 1.0 zombie-server\r\n");
    check("Forwarded", &forwarded, standard,
          "Forwarded: for=198.51.100.1, for=unknown;proto=http\r\nVia: 1.0 zombie-server\r\n");
}

/* Whoever sends it: without it a loop would not be seen. */
static void appends_to_via(void **state)
{
    static const struct slice lines[] = {{"1.0 fred", 8}, {"", 0}, {"HTTP/2 b (c, d)", 15}};
    static const struct forwarded_values sent = {.at = lines, .n = 3};
    struct address client = address_of("192.0.2.1:4711");
    struct forwarded forwarded = {.client = &client, .proto = "http", .minor = 1};
    struct bytes out = {0};

    (void)state;
    forwarded_add_via(&out, 0, &sent);
    assert_string_equal(out.at, "Via: 1.0 fred, HTTP/2 b (c, d), 1.0 zombie-server\r\n");
    bytes_clear(&out);
    forwarded.sent[FORWARDED_VIA] = sent;
    forwarded_add(&out, &forwarded);
    assert_non_null(strstr(out.at, "\r\nVia: 1.0 fred, HTTP/2 b (c, d), 1.1 zombie-server\r\n"));
    bytes_free(&out);
}

static void knows_its_fields(void **state)
{
    static const struct {
        const char *name;
        enum forwarded_field field;
    } rows[] = {
        {"X-Forwarded-For", FORWARDED_X_FOR},
        {"x-forwarded-FOR", FORWARDED_X_FOR},
        {"X-Forwarded-Proto", FORWARDED_X_PROTO},
        {"X-Forwarded-Host", FORWARDED_X_HOST},
        {"Forwarded", FORWARDED_STANDARD},
        {"forwarded", FORWARDED_STANDARD},
        {"Via", FORWARDED_VIA},
        {"VIA", FORWARDED_VIA},
        {"X_Forwarded_For", FORWARDED_DISGUISED},
        {"X-Forwarded_Proto", FORWARDED_DISGUISED},
        {"x_forwarded-host", FORWARDED_DISGUISED},
        {"X-Forwarded-Fo", FORWARDED_OTHER},
        {"X-Forwarded-Fort", FORWARDED_OTHER},
        {"X-Forwarded", FORWARDED_OTHER},
        {"XX-Forwarded-For", FORWARDED_OTHER},
        {"X.Forwarded.For", FORWARDED_OTHER},
        {"Vib", FORWARDED_OTHER},
        {"Host", FORWARDED_OTHER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (forwarded_field(slice_of(rows[i].name)) != rows[i].field)
            fail_msg("%s", rows[i].name);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_of_clients),
        cmocka_unit_test(believes_trusted_clients_alone),
        cmocka_unit_test(believes_trusted_sockets),
        cmocka_unit_test(appends_to_via),
        cmocka_unit_test(knows_its_fields),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
