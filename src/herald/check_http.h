/*
 * One probe of a server: GET over a connection of its own, on the event loop.
 * Only the head of the answer is read.
 */
#ifndef ZOMBIE_HERALD_CHECK_HTTP_H
#define ZOMBIE_HERALD_CHECK_HTTP_H

#include <stddef.h>

struct address;
struct event_base;

/* The most that is read of an answer, interim ones (1xx) included. */
#define CHECK_HTTP_HEAD_BYTES 16384

struct check_http;

/* The status of the final answer; or -errno: -ETIMEDOUT, -ECONNREFUSED, -ECONNRESET for an end
 * too early, -EBADMSG for what is no HTTP/1, -EMSGSIZE for too long a head. */
typedef void check_http_done(int result, void *arg);

struct check_http_plan {
    const struct address *address;
    const char *host; /* of the Host field */
    const char *path; /* and query */
    long timeout_ms;  /* for all of it */
    check_http_done *done;
    void *arg;
};

/*
 * Begin; borrows of the plan only `arg`. `done` is called once, from the loop and never
 * from in here; the probe is the caller's to free, which it may do in there. Returns 0 or
 * -ENOMEM.
 */
__attribute__((warn_unused_result)) int check_http_new(struct event_base *base,
                                                       const struct check_http_plan *plan,
                                                       struct check_http **ret_probe);

/*
 * Read the begin of an answer as far as it is there. Returns the status of the first
 * final one (from 200 on, or 101) when its head is whole; 0 while it is not; or -EBADMSG, or
 * -EMSGSIZE when it has CHECK_HTTP_HEAD_BYTES already.
 */
int check_http_read(const char *bytes, size_t len);

/* Give up if it still runs, and free; NULL is fine. */
void check_http_free(struct check_http *probe);

#endif
