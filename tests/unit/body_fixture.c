#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include <cmocka.h>

#include "body_fixture.h"
#include "http/dispatch.h"
#include "http/limits.h"
#include "http/reply.h"
#include "server_fixture.h"

struct http_server *server;
static int64_t now_ms;
int client;

struct handler_state handler;

int64_t __wrap_clock_now_ms(void);
int64_t __wrap_clock_now_us(void);
bool __wrap_dispatch_streams(const struct http_request *request);
int __wrap_request_wait(struct http_request *request, int64_t delay_ms,
                        void (*then)(struct http_request *request));

int64_t __wrap_clock_now_ms(void)
{
    return now_ms;
}

int64_t __wrap_clock_now_us(void)
{
    return now_ms * 1000;
}

bool __wrap_dispatch_streams(const struct http_request *request)
{
    (void)request;
    return true;
}

static void on_gone(struct http_request *request, void *arg)
{
    (void)arg;
    assert_ptr_equal(request, handler.request);
    handler.n_gone++;
    handler.request = NULL;
}

void answer(const char *text)
{
    struct reply reply = {.status = 200, .type = "text/plain", .body = text, .len = strlen(text)};
    struct http_request *request = handler.request;

    handler.request = NULL;
    reply_send(request, &reply);
}

void ask(void)
{
    if (handler.asks == 0)
        return;
    handler.asks--;
    request_read_body(handler.request, on_piece);
}

void on_piece(struct http_request *request, const char *data, size_t len, bool last)
{
    size_t room = sizeof handler.body - 1 - handler.len, part = len < room ? len : room;

    assert_ptr_equal(request, handler.request);
    assert_false(handler.has_ended);
    assert_true(len > 0 || last);
    if (part > 0)
        memcpy(handler.body + handler.len, data, part);
    handler.len += part;
    handler.body[handler.len] = '\0';
    handler.sum += len;
    handler.n_pieces++;
    handler.has_ended = last;
    if (last && handler.answers)
        answer("thanks");
    else if (!last)
        ask();
}

/* The handler of "/later" is ours. */
int __wrap_request_wait(struct http_request *request, int64_t delay_ms,
                        void (*then)(struct http_request *request))
{
    (void)delay_ms;
    (void)then;
    handler.request = request;
    handler.n_served++;
    request_suspend(request, on_gone, NULL);
    ask();
    return 0;
}

void ask_from_outside(void)
{
    handler.asks++;
    ask();
    fixture_turn();
}

void begin_again(void)
{
    handler = (struct handler_state){.asks = 1000000, .answers = true};
}

void serve(const char *conf_text)
{
    now_ms = 1000000;
    server = fixture_serve(conf_text);
    client = fixture_connect();
    begin_again();
}

void assert_status(const char *answers, const char *status)
{
    if (strncmp(answers, "HTTP/1.1 ", 9) != 0 || strncmp(answers + 9, status, 3) != 0)
        fail_msg("not %s: %s", status, answers);
}

void move_on(int64_t ms)
{
    now_ms += ms;
    event_active(server->deadline, EV_TIMEOUT, 0);
    fixture_turn();
}
