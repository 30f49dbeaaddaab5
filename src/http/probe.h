/*
 * One GET, to see whether somebody answers it with success: the probe of
 * containers, which have no curl. It waits, so it is for a process of its own.
 */
#ifndef ZOMBIE_HTTP_PROBE_H
#define ZOMBIE_HTTP_PROBE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"

#define PROBE_URI_SIZE  1024
#define PROBE_HOST_SIZE 256
#define PROBE_NAME_SIZE (ADDRESS_TEXT_SIZE + PROBE_URI_SIZE + 8)
#define PROBE_TEXT_SIZE 160

struct conf;

/* Whom to ask, and for what. */
struct probe_target {
    struct address addresses[2]; /* the second one if nobody listens on the first */
    size_t n;
    char host[PROBE_HOST_SIZE]; /* of the request's Host field */
    char uri[PROBE_URI_SIZE];   /* path and query */
    char name[PROBE_NAME_SIZE]; /* all of it, for people */
};

/*
 * Read "http://HOST[:PORT][/PATH]", where HOST is numeric or localhost, or
 * "unix:/SOCKET[:/PATH]". Returns 0, or -EINVAL and a constant in *ret_why.
 */
__attribute__((warn_unused_result)) int
probe_target_parse(const char *url, struct probe_target *ret_target, const char **ret_why);

/*
 * What this configuration suggests: /readyz of the admin site if there is one,
 * else /healthcheck of the first listener; by loopback where it listens on all
 * addresses. Returns 0, or -EINVAL and a constant in *ret_why.
 */
__attribute__((warn_unused_result)) int probe_target_default(const struct conf *conf,
                                                             struct probe_target *ret_target,
                                                             const char **ret_why);

/* The bytes of such a GET, which asks to close the connection; allocated, NULL: out of memory. */
char *probe_request(const char *host, const char *uri);

/*
 * Understand the begin of an answer (RFC 9112 section 4). Returns its status; 0 when the
 * status line is not whole yet; -EBADMSG when it is no answer of HTTP/1.
 * ret_text gets "503 Service Unavailable: REASON", as far as it is there and
 * printable: REASON is the first line of the body.
 */
int probe_read_answer(const char *bytes, size_t len, char ret_text[PROBE_TEXT_SIZE]);

/*
 * Ask, and wait for timeout_ms at most, all in all. Returns whether the answer is a success
 * (2xx); ret_text gets what it was, or why there is none.
 */
bool probe_run(const struct probe_target *target, int timeout_ms, char ret_text[PROBE_TEXT_SIZE]);

#endif
