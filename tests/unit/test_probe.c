/* What --healthcheck asks and understands (http/probe.h). */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "http/probe.h"

static void urls_are_targets(void **state)
{
    static const struct {
        const char *url;
        size_t n;
        const char *host;
        const char *uri;
        const char *name;
    } rows[] = {
        {"http://127.0.0.1:9090/readyz", 1, "127.0.0.1:9090", "/readyz",
         "http://127.0.0.1:9090/readyz"},
        {"http://127.0.0.1:9090", 1, "127.0.0.1:9090", "/", "http://127.0.0.1:9090/"},
        {"http://127.0.0.1/a?b=c", 1, "127.0.0.1", "/a?b=c", "http://127.0.0.1:80/a?b=c"},
        {"http://[::1]:9090/x", 1, "[::1]:9090", "/x", "http://[::1]:9090/x"},
        {"http://[::1]/x", 1, "[::1]", "/x", "http://[::1]:80/x"},
        {"http://localhost:9090/x", 2, "localhost:9090", "/x", "http://127.0.0.1:9090/x"},
        {"http://localhost", 2, "localhost", "/", "http://127.0.0.1:80/"},
        {"unix:/run/a.sock:/readyz", 1, "localhost", "/readyz", "unix:/run/a.sock:/readyz"},
        {"unix:/run/a.sock", 1, "localhost", "/", "unix:/run/a.sock:/"},
        {"unix:/run/a:b.sock:/x:/y", 1, "localhost", "/x:/y", "unix:/run/a:b.sock:/x:/y"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct probe_target target;
        const char *why = NULL;
        if (probe_target_parse(rows[i].url, &target, &why) != 0)
            fail_msg("%s: %s", rows[i].url, why);
        assert_int_equal(target.n, rows[i].n);
        assert_string_equal(target.host, rows[i].host);
        assert_string_equal(target.uri, rows[i].uri);
        assert_string_equal(target.name, rows[i].name);
    }
}

static void others_are_refused(void **state)
{
    static const char *const urls[] = {
        "",
        "127.0.0.1:9090",
        "https://127.0.0.1/",
        "http://",
        "http:///x",
        "http://example.com/",
        "http://127.0.0.1:/",
        "http://127.0.0.1:x/",
        "http://127.0.0.1:65536/",
        "http://[::1/",
        "http://::1/",
        "http://user@127.0.0.1/",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/a\r\nb",
        "http://127.0.0.1 /",
        "http://127.0.0.1?x",
        "unix:",
        "unix:a.sock:/x",
        "unix:/a.sock:/x y",
        "unix:/an/endless/path/of/a/socket/that/is/longer/than/one/hundred/and/seven/bytes/which/"
        "is/"
        "what/unix/allows/for/it:/x",
    };

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct probe_target target = {.n = 7};
        const char *why = NULL;
        if (probe_target_parse(urls[i], &target, &why) != -EINVAL || why == NULL || target.n != 7)
            fail_msg("%s", urls[i]);
    }
}

static void the_configuration_suggests_one(void **state)
{
    static char name[] = "a.example", *names[] = {name};
    static const struct {
        const char *admin;
        const char *listen;
        bool named;
        const char *target; /* NULL: none */
        const char *host;
    } rows[] = {
        {"127.0.0.1:9090", "0.0.0.0:80", false, "http://127.0.0.1:9090/readyz", "127.0.0.1:9090"},
        {"127.0.0.1:9090", "0.0.0.0:80", true, "http://127.0.0.1:9090/readyz", "a.example"},
        {"0.0.0.0:9090", "0.0.0.0:80", false, "http://127.0.0.1:9090/readyz", "127.0.0.1:9090"},
        {"[::]:9090", "0.0.0.0:80", false, "http://[::1]:9090/readyz", "[::1]:9090"},
        {"unix:/run/a", "0.0.0.0:80", false, "unix:/run/a:/readyz", "localhost"},
        {"off", "0.0.0.0:80", false, "http://127.0.0.1:80/healthcheck", "127.0.0.1:80"},
        {"off", "192.0.2.1:80", true, "http://192.0.2.1:80/healthcheck", "a.example"},
        {"off", "unix:/run/a", false, "unix:/run/a:/healthcheck", "localhost"},
        {"off", "127.0.0.1:0", false, NULL, NULL},
        {"127.0.0.1:0", "127.0.0.1:80", false, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct conf_listen listen = {.title = (char *)rows[i].listen};
        struct conf_list hosts = {names, rows[i].named ? 1 : 0};
        struct conf conf = {.admin = {.listen = (char *)rows[i].admin, .hosts = hosts},
                            .http = {.hosts = hosts},
                            .listens = &listen,
                            .n_listens = 1};
        struct probe_target target;
        const char *why;
        assert_int_equal(address_parse(rows[i].listen, &listen.address, &why), 0);
        int err = probe_target_default(&conf, &target, &why);
        assert_int_equal(err, rows[i].target != NULL ? 0 : -EINVAL);
        if (err == 0) {
            assert_string_equal(target.name, rows[i].target);
            assert_string_equal(target.host, rows[i].host);
        }
    }
}

static const struct {
    const char *bytes;
    int status;
    const char *text;
} answers[] = {
    {"HTTP/1.1 200 OK\r\n", 200, "200 OK"},
    {"HTTP/1.0 204 No Content\r\n\r\n", 204, "204 No Content"},
    {"HTTP/1.1 503 Service Unavailable\r\nA: b\r\n\r\nno worker serves\nmore\n", 503,
     "503 Service Unavailable: no worker serves"},
    {"HTTP/1.1 404 Not Found\r\n\r\n404 Not Found: nothing is routed here\n", 404,
     "404 Not Found: nothing is routed here"},
    {"HTTP/1.1 404 Not Found\r\n\r\n404 Not Fou", 404, "404 Not Found: 404 Not Fou"},
    {"HTTP/1.1 404 Not Found\r\n\r\n404 Not Found\n", 404, "404 Not Found"},
    {"HTTP/1.1 503 \r\n\r\n\x1b[31mred\n", 503, "503 : ?[31mred"},
    {"HTTP/1.1 200\n\r\n\r\nbare", 200, "200: bare"},
    {"", 0, ""},
    {"H", 0, ""},
    {"HTTP/1.1 200 OK", 0, ""},
    {"HTTP/2 200\r\n", -EBADMSG, ""},
    {"HTTP/1.1 2xx\r\n", -EBADMSG, ""},
    {"HTTP/1.1 20\r\n", -EBADMSG, ""},
    {"HTTP/1.1\r\n", -EBADMSG, ""},
    {"HTTP/1.1 099 X\r\n", -EBADMSG, "099 X"},
    {"HTTP/1.1x200 OK\r\n", -EBADMSG, ""},
    {"SSH-2.0-OpenSSH\r\n", -EBADMSG, ""},
};

static void answers_are_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        char text[PROBE_TEXT_SIZE] = "";
        size_t len = strlen(answers[i].bytes);
        char *exact = malloc(len + 1); /* a sanitizer sees what is read behind it */
        memcpy(exact, answers[i].bytes, len);
        assert_int_equal(probe_read_answer(exact, len, text), answers[i].status);
        assert_string_equal(text, answers[i].text);
        free(exact);
    }
}

static void long_answers_are_cut(void **state)
{
    char text[PROBE_TEXT_SIZE] = "", line[2000];

    (void)state;
    memset(line, 'x', sizeof line);
    memcpy(line, "HTTP/1.1 200 ", 13);
    assert_int_equal(probe_read_answer(line, sizeof line, text), -EBADMSG); /* no end in sight */
    memcpy(line + sizeof line - 2, "\r\n", 2);
    assert_int_equal(probe_read_answer(line, sizeof line, text), 200);
    assert_int_equal(strlen(text), PROBE_TEXT_SIZE - 1);
}

/* A listening socket of the loopback. */
static int listen_locally(struct probe_target *target)
{
    const char *why;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(probe_target_parse("http://127.0.0.1:1/x", target, &why), 0);
    struct address *address = &target->addresses[0];
    address_set_port(address, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address->storage, address->len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address->storage, &address->len), 0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

/* One that listens and never says anything; then one that is not there at all. */
static void it_waits_no_longer_than_it_may(void **state)
{
    struct probe_target target;
    char text[PROBE_TEXT_SIZE];
    int fd = listen_locally(&target);

    (void)state;
    assert_false(probe_run(&target, 20, text));
    assert_string_equal(text, "no answer within 20 ms");
    close(fd);
    assert_false(probe_run(&target, 5000, text));
    assert_string_equal(text, "Connection refused");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_targets),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(the_configuration_suggests_one),
        cmocka_unit_test(answers_are_understood),
        cmocka_unit_test(long_answers_are_cut),
        cmocka_unit_test(it_waits_no_longer_than_it_may),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
