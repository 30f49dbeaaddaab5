#include "config.h"

#include "http_client_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/dns.h>
#include <event2/event.h>
#include <event2/http.h>

const struct http_peer_answer call_good = {.text =
                                               "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"};

void call_on_done(const struct http_client_answer *answer, void *arg)
{
    struct call_world *world = arg;
    const char *type = NULL;

    assert_int_equal(answer->error == NULL, answer->status != 0);
    assert_int_equal(answer->fields == NULL, answer->status == 0);
    world->n_done++;
    world->status = answer->status;
    snprintf(world->error, sizeof world->error, "%s", answer->error != NULL ? answer->error : "");
    if (answer->status != 0) {
        type = evhttp_find_header(answer->fields, "Content-Type");
        assert_int_equal(answer->body[answer->len], '\0');
        bytes_add(&world->body, answer->body, answer->len);
    }
    snprintf(world->type, sizeof world->type, "%s", type != NULL ? type : "");
    event_base_loopbreak(world->base);
}

void call_on_line(const char *line, size_t len, void *arg)
{
    struct call_world *world = arg;
    bytes_add(&world->lines, line, len);
    bytes_add_text(&world->lines, "|");
    if (world->call != NULL) {
        http_client_cancel(world->call);
        event_base_loopbreak(world->base);
    }
}

void call_run(struct call_world *world)
{
    static const struct timeval too_long = {.tv_sec = 60};
    event_base_loopexit(world->base, &too_long);
    event_base_dispatch(world->base);
    assert_true(event_base_got_break(world->base));
}

static void name(struct evdns_base *dns)
{
    static const char line[] = "127.0.0.1 " CALL_NAME "\n";
    char path[] = "/tmp/test_http_client.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, line, sizeof line - 1), sizeof line - 1);
    close(fd);
    assert_int_equal(evdns_base_load_hosts(dns, path), 0);
    unlink(path);
}

void call_set_up_as(struct call_world *world, const char *host, const char *address,
                    const char *user, struct tls_client *tls)
{
    memset(world, 0, sizeof *world);
    world->base = event_base_new();
    world->dns = evdns_base_new(world->base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    assert_non_null(world->dns);
    name(world->dns);
    http_peer_open(&world->peer, world->base, address);
    snprintf(world->host, sizeof world->host, "%s", host);
    snprintf(world->path, sizeof world->path, "/base");
    world->url = (struct registry_url){
        .is_tls = tls != NULL, .host = world->host, .port = world->peer.port, .path = world->path};
    const struct http_client_settings settings = {
        .base = world->base,
        .dns = world->dns,
        .url = &world->url,
        .tls = tls,
        .user = user,
        .password = user != NULL ? "open sesame" : NULL,
        .timeout_ms = CALL_TIMEOUT_MS,
        .max_body_bytes = CALL_BODY_MAX,
    };
    assert_int_equal(http_client_new(&settings, &world->client), 0);
}

void call_set_up(struct call_world *world)
{
    call_set_up_as(world, "127.0.0.1", "127.0.0.1", NULL, NULL);
}

void call_tear_down(struct call_world *world)
{
    http_client_free(world->client);
    http_peer_close(&world->peer);
    bytes_free(&world->body);
    bytes_free(&world->lines);
    evdns_base_free(world->dns, 1);
    event_base_loop(world->base, EVLOOP_NONBLOCK); /* for look-ups that it has given up */
    event_base_free(world->base);
}

struct http_client_call *call_send(struct call_world *world, bool is_stream, long timeout_ms)
{
    const struct http_client_request request = {
        .method = "GET",
        .target = "/a?b=c",
        .timeout_ms = timeout_ms,
        .line = is_stream ? call_on_line : NULL,
        .done = call_on_done,
        .arg = world,
    };
    bytes_clear(&world->body);
    bytes_clear(&world->lines);
    world->n_done = 0;
    world->status = -1;
    struct http_client_call *call = http_client_send(world->client, &request);
    assert_non_null(call);
    assert_int_equal(world->n_done, 0);
    return call;
}

void call_get(struct call_world *world, const struct http_peer_answer *answer)
{
    http_peer_say(&world->peer, answer, 1);
    call_send(world, false, 0);
    call_run(world);
    assert_int_equal(world->n_done, 1);
}

const char *call_text(const struct bytes *bytes)
{
    return bytes->len > 0 ? bytes->at : "";
}
