/*
 * A server whose handler of "/later" takes the body of a request piece by piece,
 * as a test wants it, and whose clock a test moves on. To be linked with --wrap
 * for clock_now_ms, clock_now_us, dispatch_streams and request_wait.
 */
#ifndef ZOMBIE_TESTS_BODY_FIXTURE_H
#define ZOMBIE_TESTS_BODY_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/request.h"
#include "http/server_state.h"
#include "server_fixture.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#define POST    "POST /later HTTP/1.1\r\nHost: a\r\n"
#define COUNTED POST "Content-Length: 5\r\n\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define EXPECTS "Expect: 100-continue\r\n"
#define HELLO   "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
#define GOES_ON "HTTP/1.1 100 Continue\r\n\r\n"

#define ROUTES FIXTURE_LATER "route \"/hello\" { handler = text body = hello }\n"

extern struct http_server *server;
extern int client; /* -1: it is closed */

/* The handler: what it does, and what has come to it. */
extern struct handler_state {
    struct http_request *request; /* that it is asked for */
    unsigned asks;                /* so often for a piece in serve(), and when one has come */
    bool answers;                 /* behind the last one */
    unsigned n_served;
    unsigned n_gone;
    unsigned n_pieces;
    bool has_ended;
    char body[1024];
    size_t len;
    size_t sum; /* bytes, also of what `body` has no room for */
} handler;

/* Serve with this configuration; `client` is connected. */
void serve(const char *conf_text);

/* The handler asks for all pieces and answers behind the last one, and has seen nothing yet. */
void begin_again(void);

/* Ask for the next piece, if handler.asks says so, or once more from outside of the server. */
void ask(void);
void ask_from_outside(void);

/* What takes pieces; to be given to request_read_body(). */
void on_piece(struct http_request *request, const char *data, size_t len, bool last);

/* Answer the request with 200. */
void answer(const char *text);

/* Let time go by, and the server look at it. */
void move_on(int64_t ms);

/* The test fails unless the answers begin with one of this status. */
void assert_status(const char *answers, const char *status);

#endif
