/*
 * What the HTTP client asks, and what it makes of answers: good ones, bad ones, none at all.
 */
#include "config.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/dns.h>

#include "http_client_fixture.h"

static void whole_answers_come(void **state)
{
    static const struct {
        const char *text;
        bool is_last;
        int status;
        const char *body;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, 200, "hello"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, 200, ""},
        {"HTTP/1.1 204 No Content\r\n\r\n", false, 204, ""},
        {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 2\r\n\r\nno",
         false, 302, "no"},
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", false, 404, "no"},
        {"HTTP/1.1 500\r\nContent-Length: 2\r\n\r\nno", false, 500, "no"},
        {"HTTP/1.0 200 OK\r\n\r\nuntil the end", true, 200, "until the end"},
        {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", true, 200, "hi"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
         false, 200, "abcde"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=y\r\na\r\n0\r\nA: b\r\n\r\n",
         true, 0, ""},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", false, 200,
         "hi"},
        {"HTTP/1.1 103 Early Hints\r\nContent-Type: no\r\n\r\nHTTP/1.1 102 P\r\n\r\n"
         "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
         false, 200, "hi"},
    };
    struct call_world world;

    (void)state;
    call_set_up(&world);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int is_slow = 0; is_slow < 2; is_slow++) {
            const struct http_peer_answer answer = {
                .text = cases[i].text, .is_last = cases[i].is_last, .is_slow = is_slow};
            call_get(&world, &answer);
            if (world.status != cases[i].status)
                fail_msg("case %zu: %d, %s", i, world.status, world.error);
            assert_string_equal(call_text(&world.body), cases[i].body);
            assert_string_equal(world.type, "");
        }
    }
    call_tear_down(&world);
}

static void bad_answers_are_told(void **state)
{
    static const struct {
        struct http_peer_answer answer;
        const char *error;
    } cases[] = {
        {{.is_last = true}, "without an answer"},
        {{.text = "HTTP/1.1 200 OK\r\nConte", .is_last = true}, "within the answer"},
        {{.text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", .is_last = true},
         "within the answer"},
        {{.text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhell",
          .is_last = true},
         "within the answer"},
        {{.text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
          .is_last = true},
         "within the answer"},
        {{.text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nhi\r\n"}, "broken"},
        {{.text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nhi\r\n"}, "broken"},
        {{.text = "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello"}, "not HTTP"},
        {{.text = "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nhello"}, "not HTTP"},
        {{.text = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"}, "larger than 100000"},
        {{.text = "HTTP/1.1 200 OK\r\nnot a field\r\n\r\n"}, "not HTTP"},
        {{.text = "HTTP/1.1 99 Low\r\n\r\n"}, "no status"},
        {{.text = "HTTP/1.1 -200 Low\r\n\r\n"}, "no status"},
        {{.text = "HTTP/1.1 600 High\r\n\r\n"}, "no status"},
        {{.text = "HTTP/2 200\r\n\r\n"}, "not HTTP"},
        {{.text = "SSH-2.0-OpenSSH\r\n"}, "not HTTP"},
        {{.text = "\r\n\r\n"}, "not HTTP"},
        {{.text = "\x15\x03\x03\r\n"}, "not HTTP"},
    };
    struct call_world world;

    (void)state;
    call_set_up(&world);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        call_get(&world, &cases[i].answer);
        if (world.status != 0 || strstr(world.error, cases[i].error) == NULL)
            fail_msg("case %zu: %d, \"%s\"", i, world.status, world.error);
        assert_int_equal(world.peer.n_asked, 1);
    }
    call_tear_down(&world);
}

/* However much a server sends, little of it is read. */
static void floods_are_dammed(void **state)
{
    static char flood[65536 + 1], lines[65536 + 1], fields[65536 + 1];
    static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    static const char chunk[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3fffffff\r\n";
    static const char until_end[] = "HTTP/1.1 200 OK\r\n\r\n";
    static const char interim[] = "HTTP/1.1 103 Early Hints\r\n\r\n";
    const struct {
        const char *text, *flood;
        bool is_stream;
    } cases[] = {
        {NULL, flood, false},
        {"HTTP/1.1 200 OK\r\n", flood, false},
        {"HTTP/1.1 200 OK\r\n", fields, false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", flood, false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", flood, true},
        {until_end, flood, false},
        {until_end, flood, true},
        {chunk, flood, false},
        {chunk, flood, true},
        {chunked, flood, false},
        {chunked, "1\r\nx\r\n", false},
        {chunked, "1\r\nx\r\n", true},
        {interim, flood, false},
    };
    struct call_world world;

    (void)state;
    memset(flood, 'x', sizeof flood - 1);
    for (size_t i = 0; i < sizeof lines - 1; i++)
        fields[i] = "A: b\r\n"[i % 6];
    call_set_up(&world);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct http_peer_answer answer = {.text = cases[i].text, .flood = cases[i].flood};
        http_peer_say(&world.peer, &answer, 1);
        call_send(&world, cases[i].is_stream, 0);
        call_run(&world);
        if (world.status != 0 || world.error[0] == '\0')
            fail_msg("case %zu: %d", i, world.status);
        assert_int_equal(world.lines.len, 0);
        http_peer_hang_up(&world.peer);
        assert_in_range(world.peer.n_sent, 1, 64 << 20); /* mostly buffers of the kernel */
    }
    call_tear_down(&world);
}
static void nobody_is_there(void **state)
{
    struct call_world world;
    char text[128];

    (void)state;
    call_set_up(&world);
    unsigned port = world.peer.port;
    http_peer_close(&world.peer);
    http_peer_open(&world.peer, world.base, "127.0.0.2");
    world.url.port = port;
    call_send(&world, false, 0);
    call_run(&world);
    assert_int_equal(world.status, 0);
    snprintf(text, sizeof text, "cannot connect to 127.0.0.1 port %u: Connection refused", port);
    assert_string_equal(world.error, text);
    call_tear_down(&world);
}

static void requests_are_as_asked(void **state)
{
    static const char *const fields[] = {"X-A", "b", "X-C", "d", NULL};
    static const char *const bad[] = {"X-A", "b\r\nX-C: d", NULL};
    struct http_client_request request = {
        .method = "POST",
        .target = "/v3?x=%20",
        .content_type = "application/json",
        .body = "{}",
        .body_len = 2,
        .fields = fields,
        .done = call_on_done,
    };
    struct call_world world;
    char text[512];

    (void)state;
    call_set_up_as(&world, "127.0.0.1", "127.0.0.1", "Aladdin", NULL);
    http_peer_say(&world.peer, &call_good, 1);
    request.arg = &world;
    assert_non_null(http_client_send(world.client, &request));
    call_run(&world);
    snprintf(text, sizeof text,
             "POST /base/v3?x=%%20 HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
             "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"
             "Content-Type: application/json\r\nContent-Length: 2\r\n"
             "X-A: b\r\nX-C: d\r\n\r\n{}",
             world.peer.port);
    assert_string_equal(call_text(&world.peer.heard), text);

    request = (struct http_client_request){
        .method = "DELETE", .target = "/", .done = call_on_done, .arg = &world};
    assert_non_null(http_client_send(world.client, &request));
    call_run(&world);
    snprintf(text, sizeof text,
             "DELETE /base/ HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
             "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n",
             world.peer.port);
    assert_string_equal(call_text(&world.peer.heard), text);

    request.fields = bad;
    assert_null(http_client_send(world.client, &request));
    call_tear_down(&world);
}

static void addresses_of_ipv6_are_in_brackets(void **state)
{
    struct call_world world;
    char text[64];

    (void)state;
    if (access("/proc/net/if_inet6", F_OK) != 0)
        skip();
    call_set_up_as(&world, "::1", "[::1]", NULL, NULL);
    call_get(&world, &call_good);
    assert_int_equal(world.status, 200);
    snprintf(text, sizeof text, "\r\nHost: [::1]:%u\r\n", world.peer.port);
    assert_non_null(strstr(call_text(&world.peer.heard), text));
    call_tear_down(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_answers_come),
        cmocka_unit_test(bad_answers_are_told),
        cmocka_unit_test(floods_are_dammed),
        cmocka_unit_test(nobody_is_there),
        cmocka_unit_test(requests_are_as_asked),
        cmocka_unit_test(addresses_of_ipv6_are_in_brackets),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
