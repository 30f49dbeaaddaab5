/*
 * The messages of the Distributor protocol: JSON objects, each a frame
 * (discovery/registries/frame.h), with a uri, a method and a key. A node POSTs itself and may GET
 * the list; the Distributor sends the list of all nodes, as a GET, whenever it has changed. Pure.
 *
 * A frame cannot hold the character that ends it, so what is written has it as \u00b6.
 */
#ifndef ZOMBIE_DISCOVERY_DISTRIBUTOR_WIRE_H
#define ZOMBIE_DISCOVERY_DISTRIBUTOR_WIRE_H

#include <stddef.h>

#include <jansson.h>

struct bytes;
struct conf_list;

/* How deep lists and objects that a node sends of itself may nest, itself included. */
#define DISTRIBUTOR_DEPTH_MAX 16

/* --- The Distributor's side ---------------------------------------------------------------- */

enum distributor_method { DISTRIBUTOR_POST, DISTRIBUTOR_GET };

/* What a node has sent. */
struct distributor_request {
    enum distributor_method method;
    json_t *message;
    const json_t *key; /* of the message; NULL: it has none */
    json_t *params;    /* of the message, for POST: an object with port, name and urls */
};

/*
 * Read one frame. Returns 0, and the request is to be cleared; -EOPNOTSUPP when it is a message
 * of another uri or method; -EINVAL when it is none, or no node can be so, with *ret_why
 * set to a static phrase ("params are no object"); or -ENOMEM.
 */
__attribute__((warn_unused_result)) int
distributor_request_read(const char *frame, size_t len, struct distributor_request *ret_request,
                         const char **ret_why);

void distributor_request_clear(struct distributor_request *request);

/*
 * Append a node as the list has it: all it has said of itself, but with this host, in place of
 * one that it may have sent. Returns 0 or -ENOMEM; out is then of no more use.
 */
__attribute__((warn_unused_result)) int distributor_write_node(struct bytes *out, json_t *params,
                                                               const char *host);

/* Append the message with the list up to its '[', with this key (NULL: 0). The same returns. */
__attribute__((warn_unused_result)) int distributor_write_head(struct bytes *out,
                                                               const json_t *key);

/* Append the rest behind the nodes, which commas part: the ']' and what follows, the end of the
 * frame included. */
void distributor_write_tail(struct bytes *out);

/* --- The side of a node --------------------------------------------------------------------- */

/* One node of the list; texts are borrowed for the call and ended by a NUL. */
struct distributor_node {
    const char *host; /* an address; "::ffff:10.0.0.1" of a server of both families: "10.0.0.1" */
    const char *name;
    unsigned port; /* 1..65535 */
};

/*
 * Append a whole frame that registers a node, with urls such as "GET/goods". Returns 0;
 * -EINVAL when a text is no UTF-8, -ENOMEM; out is then of no more use.
 */
__attribute__((warn_unused_result)) int distributor_write_post(struct bytes *out, const char *name,
                                                               unsigned port,
                                                               const struct conf_list *urls);

/* Append a whole frame that asks for the list; it comes with the key. The same returns. */
__attribute__((warn_unused_result)) int distributor_write_get(struct bytes *out, int key);

struct distributor_list {
    int key;         /* that of the GET which it answers; 0: none that is known */
    size_t left_out; /* nodes without a host, name and port that can be used */
};

/*
 * Read one frame that is the list, and call `each` for every node that can be used, in its order.
 * Returns 0; or, `each` was never called, -EOPNOTSUPP when it is a message of another uri or
 * method, -EINVAL, with a static phrase as *ret_why, when it is none, or -ENOMEM.
 */
__attribute__((warn_unused_result)) int
distributor_list_read(const char *frame, size_t len,
                      void (*each)(const struct distributor_node *node, void *arg), void *arg,
                      struct distributor_list *ret_list, const char **ret_why);

#endif
