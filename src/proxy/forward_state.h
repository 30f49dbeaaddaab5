/*
 * What stands behind forward.h: for the files forward*.c only.
 *
 *      choose a server            connected           a final head has come
 *   ───────────────► CONNECTING ───────────► ASKING ──────────────────────► ANSWERING
 *          ▲              │   (one that waits: at once)                          │ end
 *          │ may be tried │                     │                                ▼
 *          └───────────── forward_fail() ◄──────┘                        forward_end()
 */
#ifndef ZOMBIE_PROXY_FORWARD_STATE_H
#define ZOMBIE_PROXY_FORWARD_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "http/chunk.h"
#include "proxy/balancer.h"
#include "proxy/forward.h"
#include "proxy/response.h"

struct access_attempt;
struct backend;
struct reply_stream;
struct upstream;

enum forward_phase {
    FORWARD_CONNECTING, /* body pieces are kept, and nothing is sent */
    FORWARD_ASKING,     /* the request is sent, and its answer awaited */
    FORWARD_ANSWERING,  /* the answer is passed on by a stream */
};

struct forward {
    struct http_request *request;
    struct proxy *proxy;
    const struct proxy_route *route;
    struct upstream *upstream;
    enum forward_phase phase;
    int64_t began_us;
    unsigned attempts;
    struct peer_set tried;
    struct balancer_pick pick;
    bool is_picked;          /* balancer_done() is due */
    int64_t connect_us;      /* from the choice until it was connected; -1: it was not */
    int64_t latency_us;      /* ... to the head of the answer; -1: none came */
    unsigned last_reason;    /* why an attempt failed last, as of forward_fail() */
    struct backend *backend; /* NULL: none */

    /* To the server. */
    struct bytes out;   /* of this attempt, as it is sent */
    size_t sent;        /* bytes of it that are out */
    bool has_sent;      /* some of this attempt */
    bool is_deaf;       /* the server takes no more; it may have answered all the same */
    bool is_asked;      /* the next piece of the body is to come */
    bool has_ended;     /* the body was whole */
    struct bytes kept;  /* all of the body so far, as it is sent */
    bool is_replayable; /* `kept` is that */
    bool wants_upgrade; /* the client does, and may */

    /* From the server. */
    struct bytes in; /* has come, and is not taken yet */
    struct response response;
    unsigned interims; /* how many answers with 1xx */
    bool is_last;      /* one of them was to be the last on its connection */
    uint64_t left;     /* of a body with a length */
    struct chunk_decoder chunk;
    struct chunk_trailer *trailer; /* room for one, or NULL */
    struct bytes trailers;
    struct reply_stream *stream; /* waits for more */
    bool has_written;            /* to it, since somebody has looked */
    bool is_broken;              /* the stream is to end as one that is not whole */
    bool is_held;                /* by who will look at it again, and end it if it is over */
    bool is_over;
};

/* --- forward.c ---------------------------------------------------------------- */

/* This attempt, as the access log has it, answered with that status; 0: nobody knows. */
struct access_attempt forward_outline(const struct forward *forward, unsigned status);

/* Say how the server did, to the balancer and the access log; at most once for each pick. */
void forward_tell(struct forward *forward, enum balancer_outcome outcome, unsigned status);

/* Close the connection to the server, and forget what came on it. */
void forward_drop(struct forward *forward);

/*
 * Through with the server: keep its connection if that can take another request, and say how it
 * did. What was asked for of the client is not waited for any more.
 */
void forward_release(struct forward *forward, bool is_reusable);

/* Free it; a server that is still at work is left. */
void forward_end(struct forward *forward);

/* --- forward_attempt.c -------------------------------------------------------- */

/* Choose a server that was not tried. Returns 0, or as balancer_choose(): the pick is as it was. */
__attribute__((warn_unused_result)) int forward_choose(struct forward *forward);

/* Ask the one that is chosen, on a connection that waits, if there is one and not `anew`. */
void forward_go(struct forward *forward, bool anew);

/* Both; or answer that there is nobody. */
void forward_attempt(struct forward *forward);

/* If the stream of the answer waits, it goes on; this may be the end of the forward. */
void forward_wake(struct forward *forward);

/* --- forward_send.c ----------------------------------------------------------- */

/* Have what came of the body, if it was kept, follow the head in `out`. */
void forward_replay(struct forward *forward);

/* Send what there is to send to the server, then ask the client for more of the body. */
void forward_push(struct forward *forward);

/* Wait for the server until its time is over. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int forward_await(struct forward *forward);

/* Wait until the server takes more of the request, or its time is over. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int forward_await_room(struct forward *forward);

/* --- forward_fail.c ----------------------------------------------------------- */

/*
 * This attempt has failed for `reason`, one of enum conf_next: go to another server, or answer
 * with an error. `why` is for the log.
 */
void forward_fail(struct forward *forward, unsigned reason, const char *why);

/* Try another server instead of passing on an answer with such a status, if there is one. */
bool forward_tries_another(struct forward *forward, unsigned reason);

/* It cannot go on, which is not the server's fault, or comes too late to try another. */
void forward_break_off(struct forward *forward, const char *why);

/* Answer with an error; this is the end of the forward. */
void forward_refuse(struct forward *forward, int status, const char *text);

/* There is no server left to try: answer so. */
void forward_give_up(struct forward *forward);

/* --- forward_head.c ----------------------------------------------------------- */

/*
 * Whether the request can be passed on. Returns 0; -EPROTO when it has so many Connection fields
 * that what they name cannot be kept from a server; -ELOOP when it has been passed on so often that
 * it may never arrive.
 */
__attribute__((warn_unused_result)) int forward_judge(const struct http_request *request);

/* Render the head of the request into forward->out. */
void forward_render_head(struct forward *forward);

/* Whether a field of this name is written by the proxy itself, or concerns one connection only. */
bool forward_writes(struct slice name);

/* Add a piece of the body to `out` in the way in which the head has announced it. */
void forward_add_piece(const struct forward *forward, struct bytes *out, const char *data,
                       size_t len, bool last);

/* --- forward_answer.c --------------------------------------------------------- */

/* The next that comes is the head of an answer. */
void forward_expect_head(struct forward *forward);

/* Something has come in ASKING: read it, and go on as it says. */
void forward_read_answer(struct forward *forward);

#endif
