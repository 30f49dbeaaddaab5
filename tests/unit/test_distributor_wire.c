/*
 * The messages of the Distributor protocol, both ways.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "conf/option.h"
#include "discovery/registries/distributor_wire.h"
#include "discovery/registries/frame.h"

#define POST(params) \
    "{\"uri\":\"/distributes\",\"method\":\"POST\",\"key\":0,\"params\":" params "}"
#define GET(key) "{\"uri\":\"/distributes\",\"method\":\"GET\",\"key\":" key "}"
#define NODE     "{\"port\":1,\"name\":\"a\",\"urls\":[]}"
#define DEEP_14  "[[[[[[[[[[[[[[]]]]]]]]]]]]]]"

/* What a node says of itself, and what the list has of it. */
static void writes_nodes_as_they_said_but_for_the_host(void **state)
{
    static const struct {
        const char *params;
        const char *written;
    } rows[] = {
        {"{\"port\":3000,\"name\":\"goods\",\"urls\":[\"POST/goods\",\"GET/goods\"]}",
         "{\"port\":3000,\"name\":\"goods\",\"urls\":[\"POST/goods\",\"GET/goods\"],"
         "\"host\":\"10.0.0.5\"}"},
        {"{\"port\":1,\"name\":\"\",\"urls\":[]}",
         "{\"port\":1,\"name\":\"\",\"urls\":[],\"host\":\"10.0.0.5\"}"},
        {"{\"port\":\"65535\",\"name\":\"a\",\"urls\":[]}",
         "{\"port\":\"65535\",\"name\":\"a\",\"urls\":[],\"host\":\"10.0.0.5\"}"},
        {"{\"host\":\"evil\",\"port\":1,\"name\":\"a\",\"urls\":[]}",
         "{\"host\":\"10.0.0.5\",\"port\":1,\"name\":\"a\",\"urls\":[]}"},
        {"{\"port\":1,\"name\":\"a\"}",
         "{\"port\":1,\"name\":\"a\",\"urls\":[],\"host\":\"10.0.0.5\"}"},
        {"{\"port\":1,\"name\":\"a\",\"urls\":[],\"zone\":{\"x\":[1,null,true,1.5]}}",
         "{\"port\":1,\"name\":\"a\",\"urls\":[],\"zone\":{\"x\":[1,null,true,1.5]},"
         "\"host\":\"10.0.0.5\"}"},
        {"{\"port\":1,\"name\":\"\\u00b6x\\u00b6\\u00b6\",\"urls\":[\"\\u00b6\"],\"\\u00b6\":0}",
         "{\"port\":1,\"name\":\"\\u00b6x\\u00b6\\u00b6\",\"urls\":[\"\\u00b6\"],\"\\u00b6\":0,"
         "\"host\":\"10.0.0.5\"}"},
        {"{\"port\":1,\"name\":\"\xea\xb0\x80\xf0\x9f\xa7\x9f\",\"urls\":[]}",
         "{\"port\":1,\"name\":\"\xea\xb0\x80\xf0\x9f\xa7\x9f\",\"urls\":[],"
         "\"host\":\"10.0.0.5\"}"},
        {"{\"port\":1,\"name\":\"a\",\"urls\":[],\"x\":" DEEP_14 "}",
         "{\"port\":1,\"name\":\"a\",\"urls\":[],\"x\":" DEEP_14 ",\"host\":\"10.0.0.5\"}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct distributor_request request;
        struct bytes out = {.at = NULL};
        const char *why = "";
        char frame[512];
        int len = snprintf(frame, sizeof frame, POST("%s"), rows[i].params);

        if (distributor_request_read(frame, (size_t)len, &request, &why) != 0)
            fail_msg("%s: %s", frame, why);
        assert_int_equal(request.method, DISTRIBUTOR_POST);
        assert_int_equal(distributor_write_node(&out, request.params, "10.0.0.5"), 0);
        assert_string_equal(out.at, rows[i].written);
        bytes_free(&out);
        distributor_request_clear(&request);
    }
}

static void refuses_what_is_no_request(void **state)
{
    static const struct {
        const char *frame;
        int err;
        const char *why;
    } rows[] = {
        {"hello", -EINVAL, "no JSON"},
        {"{\"uri\":\"/distributes\",\"method\":\"POST\"", -EINVAL, "no JSON"},
        {GET("0") " x", -EINVAL, "no JSON"},
        {"null", -EINVAL, "no JSON object"},
        {"17", -EINVAL, "no JSON object"},
        {"[]", -EINVAL, "no JSON object"},
        {"{}", -EINVAL, "no message: no uri or no method"},
        {"{\"uri\":1,\"method\":\"GET\"}", -EINVAL, "no message: no uri or no method"},
        {"{\"uri\":\"/distributes\"}", -EINVAL, "no message: no uri or no method"},
        {"{\"uri\":\"/goods\",\"method\":\"GET\"}", -EOPNOTSUPP, "another uri"},
        {"{\"uri\":\"/distributes\",\"method\":\"get\"}", -EOPNOTSUPP, "another method"},
        {"{\"uri\":\"/distributes\",\"method\":\"POST\"}", -EINVAL, "no params"},
        {POST("null"), -EINVAL, "params are no object"},
        {POST("\"text\""), -EINVAL, "params are no object"},
        {POST("[]"), -EINVAL, "params are no object"},
        {POST("{}"), -EINVAL, "the port is no number from 1 to 65535"},
        {POST("{\"port\":0}"), -EINVAL, "the port is no number from 1 to 65535"},
        {POST("{\"port\":-1}"), -EINVAL, "the port is no number from 1 to 65535"},
        {POST("{\"port\":65536}"), -EINVAL, "the port is no number from 1 to 65535"},
        {POST("{\"port\":1.5}"), -EINVAL, "the port is no number from 1 to 65535"},
        {POST("{\"port\":\"\"}"), -EINVAL, "the port is no number from 1 to 65535"},
        {POST("{\"port\":\"0x1\"}"), -EINVAL, "the port is no number from 1 to 65535"},
        {POST("{\"port\":\"65536\"}"), -EINVAL, "the port is no number from 1 to 65535"},
        {POST("{\"port\":1}"), -EINVAL, "the name is no text"},
        {POST("{\"port\":1,\"name\":1}"), -EINVAL, "the name is no text"},
        {POST("{\"port\":1,\"name\":\"a\\u0000\"}"), -EINVAL, "no JSON"},
        {POST("{\"port\":1,\"name\":\"\\ud800\"}"), -EINVAL, "no JSON"},
        {POST("{\"port\":1,\"name\":\"a\",\"urls\":null}"), -EINVAL, "urls is no list of texts"},
        {POST("{\"port\":1,\"name\":\"a\",\"urls\":\"x\"}"), -EINVAL, "urls is no list of texts"},
        {POST("{\"port\":1,\"name\":\"a\",\"urls\":[1]}"), -EINVAL, "urls is no list of texts"},
        {POST("{\"port\":1,\"name\":\"a\",\"x\":[[" DEEP_14 "]]}"), -EINVAL,
         "params nest too deeply"},
        {GET("[[[" DEEP_14 "]]]"), -EINVAL, "the key nests too deeply"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct distributor_request request;
        const char *why = "";
        int err = distributor_request_read(rows[i].frame, strlen(rows[i].frame), &request, &why);

        if (err != rows[i].err || strcmp(why, rows[i].why) != 0)
            fail_msg("%s: %d, %s", rows[i].frame, err, why);
    }
}

static void answers_with_the_key(void **state)
{
    static const struct {
        const char *frame;
        const char *key;
    } rows[] = {
        {GET("0"), "0"},
        {GET("17"), "17"},
        {GET("-1.5"), "-1.5"},
        {GET("null"), "null"},
        {GET("\"a\\u00b6b\""), "\"a\\u00b6b\""},
        {GET("{\"a\":[1]}"), "{\"a\":[1]}"},
        {"{\"method\":\"GET\",\"uri\":\"/distributes\"}", "0"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct distributor_request request;
        struct bytes out = {.at = NULL};
        const char *why;
        char answer[256];

        assert_int_equal(
            distributor_request_read(rows[i].frame, strlen(rows[i].frame), &request, &why), 0);
        assert_int_equal(request.method, DISTRIBUTOR_GET);
        assert_int_equal(distributor_write_head(&out, request.key), 0);
        bytes_add_text(&out, "[");
        distributor_write_tail(&out);
        (void)snprintf(answer, sizeof answer,
                       "{\"uri\":\"/distributes\",\"method\":\"GET\",\"key\":%s,\"params\":[]}%s",
                       rows[i].key, FRAME_END);
        assert_string_equal(out.at, answer);
        bytes_free(&out);
        distributor_request_clear(&request);
    }
}

static void writes_what_a_node_sends(void **state)
{
    char first[] = "GET/goods", second[] = "POST/\xc2\xb6";
    char *items[] = {first, second};
    const struct conf_list urls = {items, 2}, none = {NULL, 0};
    struct bytes out = {.at = NULL};

    (void)state;
    assert_int_equal(distributor_write_post(&out, "a\xc2\xb6", 3000, &urls), 0);
    assert_string_equal(out.at, POST("{\"port\":3000,\"name\":\"a\\u00b6\",\"urls\":[\"GET/goods\","
                                     "\"POST/\\u00b6\"]}") FRAME_END);
    bytes_clear(&out);
    assert_int_equal(distributor_write_post(&out, "b", 1, &none), 0);
    assert_string_equal(out.at, POST("{\"port\":1,\"name\":\"b\",\"urls\":[]}") FRAME_END);
    bytes_clear(&out);
    assert_int_equal(distributor_write_get(&out, 7), 0);
    assert_string_equal(out.at, GET("7") FRAME_END);
    assert_int_equal(distributor_write_post(&out, "\xff", 1, &none), -EINVAL);
    second[0] = '\xff';
    assert_int_equal(distributor_write_post(&out, "b", 1, &urls), -EINVAL);
    bytes_free(&out);
}

static void note(const struct distributor_node *node, void *arg)
{
    char *text = arg;

    (void)sprintf(text + strlen(text), "%s=%s:%u ", node->name, node->host, node->port);
}

#define KEYED(key, nodes) \
    "{\"uri\":\"/distributes\",\"method\":\"GET\",\"key\":" key ",\"params\":" nodes "}"
#define LIST(nodes) KEYED("0", nodes)

static void reads_lists(void **state)
{
    static const struct {
        const char *frame;
        int err;
        size_t left_out;
        const char *nodes; /* or why not */
    } rows[] = {
        {LIST("[]"), 0, 0, ""},
        {LIST("[{\"port\":2,\"name\":\"b\",\"urls\":[],\"host\":\"10.0.0.2\"},"
              "{\"port\":\"1\",\"name\":\"a\",\"host\":\"::1\"}]"),
         0, 0, "b=10.0.0.2:2 a=::1:1 "},
        {LIST("[{\"port\":1,\"name\":\"a\",\"host\":\"::ffff:10.0.0.1\"},"
              "{\"port\":1,\"name\":\"b\",\"host\":\"::FFFF:1\"}]"),
         0, 0, "a=10.0.0.1:1 b=::FFFF:1:1 "},
        {LIST("[1,{},{\"port\":1,\"name\":\"a\"},{\"port\":1,\"host\":\"h\"},"
              "{\"name\":\"a\",\"host\":\"h\"},{\"port\":1,\"name\":\"a\",\"host\":\"\"},"
              "{\"port\":1,\"name\":\"a\",\"host\":\"h\"}]"),
         0, 6, "a=h:1 "},
        {LIST("{}"), -EINVAL, 0, "params are no list"},
        {LIST("null"), -EINVAL, 0, "params are no list"},
        {POST(NODE), -EOPNOTSUPP, 0, "another method"},
        {"{\"uri\":\"/x\",\"method\":\"GET\",\"params\":[]}", -EOPNOTSUPP, 0, "another uri"},
        {"[]", -EINVAL, 0, "no JSON object"},
        {"", -EINVAL, 0, "no JSON"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char nodes[256] = "";
        const char *why = "";
        struct distributor_list list = {.left_out = 0};
        int err =
            distributor_list_read(rows[i].frame, strlen(rows[i].frame), note, nodes, &list, &why);

        if (err != rows[i].err || list.left_out != rows[i].left_out ||
            strcmp(err == 0 ? nodes : why, rows[i].nodes) != 0)
            fail_msg("%s: %d, %zu left out, %s%s", rows[i].frame, err, list.left_out, nodes, why);
    }
}

static void knows_what_a_list_answers(void **state)
{
    static const struct {
        const char *frame;
        int key;
    } rows[] = {
        {KEYED("0", "[]"), 0},
        {KEYED("7", "[]"), 7},
        {KEYED("2147483647", "[]"), INT_MAX},
        {KEYED("2147483648", "[]"), 0},
        {KEYED("-1", "[]"), 0},
        {KEYED("1.5", "[]"), 0},
        {KEYED("\"7\"", "[]"), 0},
        {KEYED("null", "[]"), 0},
        {"{\"uri\":\"/distributes\",\"method\":\"GET\",\"params\":[]}", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char nodes[256] = "";
        const char *why;
        struct distributor_list list;

        assert_int_equal(
            distributor_list_read(rows[i].frame, strlen(rows[i].frame), note, nodes, &list, &why),
            0);
        assert_int_equal(list.key, rows[i].key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_nodes_as_they_said_but_for_the_host),
        cmocka_unit_test(refuses_what_is_no_request),
        cmocka_unit_test(answers_with_the_key),
        cmocka_unit_test(writes_what_a_node_sends),
        cmocka_unit_test(reads_lists),
        cmocka_unit_test(knows_what_a_list_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
