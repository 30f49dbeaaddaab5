/*
 * Messages of the Distributor protocol from anybody: what a node may send goes into a list
 * that is one frame and that a node can read; a list that is read has only nodes that can be used.
 */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "discovery/registries/distributor_wire.h"
#include "discovery/registries/frame.h"

#define HOST "192.0.2.1"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

static void check_why(int err, const char *why)
{
    check(err == -EINVAL || err == -EOPNOTSUPP);
    check(why != NULL && *why != '\0');
}

static void count(const struct distributor_node *node, void *arg)
{
    check(*node->host != '\0' && node->name != NULL);
    check(node->port >= 1 && node->port <= UINT16_MAX);
    ++*(size_t *)arg;
}

static void count_ours(const struct distributor_node *node, void *arg)
{
    check(strcmp(node->host, HOST) == 0);
    count(node, arg);
}

/* The list with the node, or without one, is one frame, and reads so. */
static void check_list(struct distributor_request *request)
{
    struct frames frames = {.max = SIZE_MAX};
    struct bytes out = {.at = NULL};
    const char *frame, *why;
    struct distributor_list list;
    size_t len, n = 0, wanted = request->method == DISTRIBUTOR_POST;

    check(distributor_write_head(&out, request->key) == 0);
    bytes_add_text(&out, "[");
    if (wanted > 0)
        check(distributor_write_node(&out, request->params, HOST) == 0);
    distributor_write_tail(&out);
    check(!out.failed && frames_add(&frames, out.at, out.len) == 0);
    check(frames_next(&frames, &frame, &len) == 0);
    check(len == out.len - strlen(FRAME_END));
    check(distributor_list_read(frame, len, count_ours, &n, &list, &why) == 0);
    check(n == wanted && list.left_out == 0 && list.key >= 0);
    bytes_free(&out);
    frames_free(&frames);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *frame = (const char *)data, *why = NULL;
    struct distributor_request request;
    struct distributor_list list;
    size_t n = 0;
    int err;

    /* Deep keys make a list too deep to read; frames are short in truth. */
    if (size > 65536)
        return 0;
    err = distributor_request_read(frame, size, &request, &why);
    if (err == 0) {
        check_list(&request);
        distributor_request_clear(&request);
    } else {
        check_why(err, why);
    }
    err = distributor_list_read(frame, size, count, &n, &list, &why);
    if (err != 0) {
        check_why(err, why);
        check(n == 0);
    }
    return 0;
}
