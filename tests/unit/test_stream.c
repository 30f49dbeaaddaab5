/*
 * Answers that come piece by piece: what the client gets of them, when the
 * source is asked, and that it hears of the end exactly once.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "http/reply.h"
#include "http/server_state.h"
#include "server_fixture.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define UNKNOWN       REPLY_LENGTH_UNKNOWN

/* What the source does when it is asked; the last step is not passed. */
struct step {
    enum reply_next next;
    const char *text; /* NULL: nothing is written */
    size_t len;       /* 0: the text up to its NUL */
    int result;       /* of reply_write() */
};

#define STEP(next, text) \
    {                    \
        next, text, 0, 0 \
    }

struct source {
    const struct step *steps;
    struct reply_stream *stream;
    unsigned asked;
    unsigned overs;
};

static int client;
static struct source source;

static int set_up(void **state)
{
    (void)state;
    fixture_serve(FIXTURE_LATER);
    client = fixture_connect();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_end();
    return close(client);
}

static enum reply_next more(struct reply_stream *stream, void *arg)
{
    struct source *own = arg;
    const struct step *step = &own->steps[own->asked++];

    assert_int_equal(own->overs, 0);
    own->stream = stream;
    if (step->text != NULL)
        assert_int_equal(
            reply_write(stream, step->text, step->len > 0 ? step->len : strlen(step->text)),
            step->result);
    return step->next;
}

static void over(void *arg)
{
    struct source *own = arg;
    own->overs++;
}

/* Ask for what waits, and answer it with a stream. */
static void begin(const char *request, int status, uint64_t len, const struct step *steps)
{
    struct reply reply = {.status = status, .type = "text/plain"};
    struct reply_source from = {len, more, over, &source};

    source = (struct source){.steps = steps};
    fixture_send(client, request);
    struct connection *connection = fixture_newest(CONNECTION_ANSWERING);
    assert_non_null(connection);
    connection_hold(connection);
    reply_stream(&connection->request, &reply, &from);
    connection_release(connection);
    fixture_turn();
}

#define GET     "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_1_0 "GET /later HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
#define HEAD    "HEAD /later HTTP/1.1\r\nHost: a\r\n\r\n"

/* Part the head of the answer, in which `field` must be, from what follows it. */
static const char *body_after(const char *field)
{
    const char *answer = fixture_received(client, NULL), *end = strstr(answer, "\r\n\r\n");

    assert_non_null(end);
    if (field[0] != '\0' &&
        memmem(answer, (size_t)(end + 2 - answer), field, strlen(field)) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", field, answer);
    return end + 4;
}

static void assert_goes_on(void)
{
    assert_false(fixture_is_closed(client));
    fixture_send(client, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_memory_equal(fixture_received(client, NULL), "HTTP/1.1 ", 9);
}

static void bodies_are_framed(void **state)
{
    static const struct {
        const char *request;
        uint64_t len;
        const char *field, *body;
        bool closes;
        struct step steps[5];
    } rows[] = {
        {GET,
         UNKNOWN,
         "\r\nTransfer-Encoding: chunked\r\n",
         "0\r\n\r\n",
         false,
         {STEP(REPLY_END, NULL)}},
        {GET,
         UNKNOWN,
         "\r\nTransfer-Encoding: chunked\r\n",
         "5\r\nhello\r\n0\r\n\r\n",
         false,
         {STEP(REPLY_END, "hello")}},
        {GET,
         UNKNOWN,
         "chunked",
         "5\r\nhello\r\n0\r\n\r\n",
         false,
         {STEP(REPLY_MORE, "hello"), STEP(REPLY_END, NULL)}},
        {GET,
         UNKNOWN,
         "chunked",
         "1\r\na\r\n10\r\n0123456789abcdef\r\n2\r\n\r\n\r\n0\r\n\r\n",
         false,
         {STEP(REPLY_MORE, "a"), STEP(REPLY_MORE, "0123456789abcdef"), STEP(REPLY_END, "\r\n")}},
        {GET, UNKNOWN, "chunked", "0\r\n\r\n", false, {STEP(REPLY_END, "")}},
        {GET, 0, "\r\nContent-Length: 0\r\n", "", false, {STEP(REPLY_END, NULL)}},
        {GET,
         5,
         "\r\nContent-Length: 5\r\n",
         "hello",
         false,
         {STEP(REPLY_MORE, "he"), STEP(REPLY_MORE, "ll"), STEP(REPLY_END, "o")}},
        {GET_1_0, 5, "\r\nContent-Length: 5\r\n", "hello", false, {STEP(REPLY_END, "hello")}},
        {GET_1_0,
         UNKNOWN,
         "\r\nConnection: close\r\n",
         "hello",
         true,
         {STEP(REPLY_MORE, "hel"), STEP(REPLY_END, "lo")}},
        {HEAD,
         UNKNOWN,
         "\r\nTransfer-Encoding: chunked\r\n",
         "",
         false,
         {STEP(REPLY_END, "hello")}},
        {HEAD, 5, "\r\nContent-Length: 5\r\n", "", false, {STEP(REPLY_END, "hello")}},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        begin(rows[i].request, 200, rows[i].len, rows[i].steps);
        assert_string_equal(body_after(rows[i].field), rows[i].body);
        assert_int_equal(source.overs, 1);
        assert_int_equal(source.asked == 0, strncmp(rows[i].request, "HEAD", 4) == 0);
        if (!rows[i].closes) {
            assert_goes_on();
            continue;
        }
        assert_true(fixture_is_closed(client));
        close(client);
        client = fixture_connect();
    }
}

static void no_content_has_no_body(void **state)
{
    static const struct step steps[] = {STEP(REPLY_END, "hello")};

    (void)state;
    begin(GET, 204, UNKNOWN, steps);
    assert_string_equal(body_after("HTTP/1.1 204 No Content\r\n"), "");
    assert_int_equal(source.asked, 0);
    assert_int_equal(source.overs, 1);
    assert_goes_on();
}

static void chunks_have_their_size(void **state)
{
    static const struct {
        size_t len;
        const char *size;
    } rows[] = {{9, "9\r\n"},     {15, "f\r\n"},        {16, "10\r\n"},      {255, "ff\r\n"},
                {256, "100\r\n"}, {65536, "10000\r\n"}, {70000, "11170\r\n"}};
    char *text = malloc(70001);

    (void)state;
    memset(text, 'x', 70000);
    text[70000] = '\0';
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct step steps[] = {{REPLY_END, text, rows[i].len, 0}};
        begin(GET, 200, UNKNOWN, steps);
        const char *body = body_after("chunked");
        size_t size_len = strlen(rows[i].size);
        assert_int_equal(strlen(body), size_len + rows[i].len + 7);
        assert_memory_equal(body, rows[i].size, size_len);
        assert_memory_equal(body + size_len, text, rows[i].len);
        assert_string_equal(body + size_len + rows[i].len, "\r\n0\r\n\r\n");
    }
    free(text);
}

/* The client shall see that its answer is not whole. */
static void a_broken_stream_breaks_the_connection(void **state)
{
    static const struct {
        const char *request;
        uint64_t len;
        struct step steps[3];
    } rows[] = {
        {GET, 6, {STEP(REPLY_END, "hello")}},
        {GET, 1, {STEP(REPLY_END, NULL)}},
        {GET, 6, {STEP(REPLY_MORE, "hello"), STEP(REPLY_END, NULL)}},
        {GET, 6, {STEP(REPLY_BREAK, "hello")}},
        {GET, 5, {STEP(REPLY_MORE, "hello"), STEP(REPLY_BREAK, NULL)}},
        {GET, UNKNOWN, {STEP(REPLY_BREAK, NULL)}},
        {GET, UNKNOWN, {STEP(REPLY_MORE, "hello"), STEP(REPLY_BREAK, NULL)}},
        {GET_1_0, 6, {STEP(REPLY_MORE, "hello"), STEP(REPLY_END, NULL)}},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        begin(rows[i].request, 200, rows[i].len, rows[i].steps);
        const char *answer = fixture_received(client, NULL);
        assert_null(strstr(answer, "\r\n0\r\n\r\n"));
        assert_true(fixture_is_closed(client));
        assert_int_equal(source.overs, 1);
        close(client);
        client = fixture_connect();
    }
}

static void more_than_announced_is_refused(void **state)
{
    static const struct step steps[] = {
        {REPLY_MORE, "hel", 0, 0}, {REPLY_MORE, "lo", 0, 0}, {REPLY_END, "!", 0, -EMSGSIZE}};

    (void)state;
    begin(GET, 200, 5, steps);
    assert_string_equal(body_after("Content-Length: 5\r\n"), "hello");
    assert_int_equal(source.asked, 3);
    assert_goes_on();
}

/* It would be asked again and again. */
static void more_of_nothing_breaks_off(void **state)
{
    static const struct step steps[] = {STEP(REPLY_MORE, "a"), STEP(REPLY_MORE, NULL)};

    (void)state;
    begin(GET, 200, UNKNOWN, steps);
    assert_string_equal(body_after("chunked"), "1\r\na\r\n");
    assert_true(fixture_is_closed(client));
    assert_int_equal(source.overs, 1);
}

static void waits_until_it_is_woken(void **state)
{
    static const struct step steps[] = {STEP(REPLY_WAIT, NULL), STEP(REPLY_WAIT, "one"),
                                        STEP(REPLY_WAIT, "two"), STEP(REPLY_END, NULL)};
    static const char *const seen[] = {"", "3\r\none\r\n", "3\r\ntwo\r\n", "0\r\n\r\n"};

    (void)state;
    begin(GET, 200, UNKNOWN, steps);
    assert_string_equal(body_after("chunked"), seen[0]);
    for (unsigned i = 1; i < LENGTH(seen); i++) {
        fixture_turn();
        assert_int_equal(source.asked, i);
        assert_non_null(fixture_newest(CONNECTION_ANSWERING));
        assert_int_equal(source.overs, 0);
        reply_wake(source.stream);
        fixture_turn();
        assert_string_equal(fixture_received(client, NULL), seen[i]);
    }
    assert_int_equal(source.overs, 1);
    assert_goes_on();
}

static void may_be_woken_before_it_is_read(void **state)
{
    static const struct step steps[] = {STEP(REPLY_WAIT, "one"), STEP(REPLY_END, "two")};

    (void)state;
    begin(GET, 200, 6, steps);
    reply_wake(source.stream);
    assert_string_equal(body_after("Content-Length: 6\r\n"), "onetwo");
    assert_int_equal(source.overs, 1);
}

static void a_client_that_leaves_ends_it(void **state)
{
    static const struct step steps[] = {STEP(REPLY_WAIT, "one"), STEP(REPLY_MORE, "two"),
                                        STEP(REPLY_END, NULL)};

    (void)state;
    begin(GET, 200, UNKNOWN, steps);
    close(client);
    client = fixture_connect();
    reply_wake(source.stream);
    fixture_turn();
    assert_int_equal(source.overs, 1);
    assert_null(fixture_newest(CONNECTION_ANSWERING));
}

static void the_end_of_the_server_ends_it(void **state)
{
    static const struct step steps[] = {STEP(REPLY_WAIT, "one")};

    (void)state;
    begin(GET, 200, UNKNOWN, steps);
    assert_int_equal(source.overs, 0);
    fixture_end();
    assert_int_equal(source.overs, 1);
    fixture_serve(FIXTURE_LATER);
}

static char block[65536];
static unsigned blocks;

static enum reply_next give_blocks(struct reply_stream *stream, void *arg)
{
    struct source *own = arg;

    own->asked++;
    assert_int_equal(reply_write(stream, block, sizeof block), 0);
    return own->asked < blocks ? REPLY_MORE : REPLY_END;
}

/* A slow reader costs no more than a few blocks, however long the answer is. */
static void is_not_asked_before_the_client_has_read(void **state)
{
    struct reply reply = {.status = 200};
    struct reply_source from = {UNKNOWN, give_blocks, over, &source};
    size_t len, total = 0;

    (void)state;
    blocks = 320;
    source = (struct source){.steps = NULL};
    fixture_send(client, GET);
    struct connection *connection = fixture_newest(CONNECTION_ANSWERING);
    reply_stream(&connection->request, &reply, &from);
    fixture_turn();
    unsigned asked = source.asked;
    assert_true(asked < 20);
    fixture_turn();
    assert_int_equal(source.asked, asked);
    assert_true(fixture_newest(CONNECTION_SENDING) == connection);
    assert_true(connection->output.memory.size <= 4 * sizeof block);
    for (total = 0; source.overs == 0; total += len)
        (void)fixture_received(client, &len);
    (void)fixture_received(client, &len);
    assert_int_equal(source.asked, blocks);
    assert_int_equal(source.overs, 1);
    assert_true(total + len > blocks * sizeof block);
    assert_true(connection->output.memory.size <= sizeof block);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        TEST(bodies_are_framed),
        TEST(no_content_has_no_body),
        TEST(chunks_have_their_size),
        TEST(a_broken_stream_breaks_the_connection),
        TEST(more_than_announced_is_refused),
        TEST(more_of_nothing_breaks_off),
        TEST(waits_until_it_is_woken),
        TEST(may_be_woken_before_it_is_read),
        TEST(a_client_that_leaves_ends_it),
        TEST(the_end_of_the_server_ends_it),
        TEST(is_not_asked_before_the_client_has_read),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
