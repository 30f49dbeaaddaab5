/*
 * Chunked bodies that are understood, and the exact places of the bounds. What
 * is refused is in test_attacks.c.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/chunk.h"

/* What came of a body. */
struct decoded {
    char data[8192];
    size_t len;
    size_t used; /* bytes of the input that were consumed */
    int outcome;
    struct chunk_decoder chunk;
};

/* Decode a body that arrives `step` bytes at a time. */
static void decode(const char *body, size_t len, size_t step, struct decoded *ret)
{
    *ret = (struct decoded){.outcome = CHUNK_MORE};
    chunk_init(&ret->chunk);
    for (size_t come = 0; come < len && ret->outcome == CHUNK_MORE;) {
        come = len - come < step ? len : come + step;
        do {
            size_t consumed = SIZE_MAX;
            struct slice data;

            ret->outcome =
                chunk_feed(&ret->chunk, body + ret->used, come - ret->used, &consumed, &data);
            assert_in_range(consumed, 0, come - ret->used);
            assert_int_equal(data.len > 0, ret->outcome == CHUNK_DATA);
            assert_in_range(ret->len + data.len, 0, sizeof(ret->data));
            if (data.len > 0)
                memcpy(ret->data + ret->len, data.at, data.len);
            ret->len += data.len;
            ret->used += consumed;
        } while (ret->outcome == CHUNK_DATA);
        if (ret->outcome == CHUNK_MORE)
            assert_int_equal(ret->used, come);
    }
}

struct row {
    const char *body;
    const char *data;
};

static const struct row good[] = {
    {"0\r\n\r\n", ""},
    {"00000\r\n\r\n", ""},
    {"5\r\nhello\r\n0\r\n\r\n", "hello"},
    {"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "hello!"},
    {"a\r\n0123456789\r\n0\r\n\r\n", "0123456789"},
    {"A\r\n0123456789\r\n0\r\n\r\n", "0123456789"},
    {"10\r\n0123456789abcdef\r\n0\r\n\r\n", "0123456789abcdef"},
    {"0000000000000005\r\nhello\r\n0\r\n\r\n", "hello"},
    {"7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", "\r\n0\r\n\r\n"},
    {"5;a\r\nhello\r\n0;b\r\n\r\n", "hello"},
    {"5;a=b;c=\"d\";e\r\nhello\r\n0\r\n\r\n", "hello"},
    {"5;a=\"; \\\" \\\\ \t\xe9\"\r\nhello\r\n0\r\n\r\n", "hello"},
    {"5;a=\"\"\r\nhello\r\n0\r\n\r\n", "hello"},
    {"5 ; a = b\t;\tc\r\nhello\r\n0\r\n\r\n", "hello"},
    {"5;a = \"b\" ; c\r\nhello\r\n0\r\n\r\n", "hello"},
    {"5\r\nhello\r\n0\r\nX-A: b\r\n\r\n", "hello"},
    {"5\r\nhello\r\n0\r\nX-A:\r\nx-b: \t\xe9 \r\n\r\n", "hello"},
    {"0\r\nHosts: a\r\nHos: a\r\nX-Content-Length: 5\r\nTransfer-Encoding-Of-Nobody: x\r\n\r\n",
     ""},
};

static void decodes_good_bodies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        for (size_t step = 1; step <= strlen(good[i].body); step++) {
            struct decoded decoded;

            decode(good[i].body, strlen(good[i].body), step, &decoded);
            if (decoded.outcome != CHUNK_DONE || decoded.len != strlen(good[i].data) ||
                memcmp(decoded.data, good[i].data, decoded.len) != 0)
                fail_msg("%s, %zu at a time: %d, %s", good[i].body, step, decoded.outcome,
                         decoded.chunk.why ? decoded.chunk.why : "-");
            assert_int_equal(decoded.used, strlen(good[i].body));
            assert_int_equal(decoded.chunk.announced, decoded.len);
        }
    }
}

static void leaves_what_follows(void **state)
{
    static const char body[] = "1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n";
    struct decoded decoded;
    struct slice data;
    size_t consumed = SIZE_MAX;

    (void)state;
    decode(body, sizeof(body) - 1, sizeof(body), &decoded);
    assert_int_equal(decoded.outcome, CHUNK_DONE);
    assert_string_equal(body + decoded.used, "GET / HTTP/1.1\r\n");
    assert_int_equal(chunk_feed(&decoded.chunk, body, sizeof(body) - 1, &consumed, &data),
                     CHUNK_DONE);
    assert_int_equal(consumed, 0);
    assert_int_equal(data.len, 0);
}

static void does_not_copy(void **state)
{
    static const char body[] = "5\r\nhello\r\n";
    struct chunk_decoder chunk;
    struct slice data;
    size_t consumed;

    (void)state;
    chunk_init(&chunk);
    assert_int_equal(chunk_feed(&chunk, body, 5, &consumed, &data), CHUNK_DATA);
    assert_ptr_equal(data.at, body + 3);
    assert_int_equal(data.len, 2);
    assert_int_equal(consumed, 5);
    assert_int_equal(chunk.announced, 5);
    assert_int_equal(chunk_feed(&chunk, NULL, 0, &consumed, &data), CHUNK_MORE);
    assert_int_equal(consumed, 0);
}

static void announces_before_the_data(void **state)
{
    static const char body[] = "7fffffffffffffff\r\n";
    struct decoded decoded;

    (void)state;
    decode(body, sizeof(body) - 1, 1, &decoded);
    assert_int_equal(decoded.outcome, CHUNK_MORE);
    assert_true(decoded.chunk.announced == INT64_MAX);
}

static void refusals_are_final(void **state)
{
    struct chunk_decoder chunk;
    struct slice data;
    size_t consumed;

    (void)state;
    chunk_init(&chunk);
    assert_int_equal(chunk_feed(&chunk, "x", 1, &consumed, &data), 400);
    assert_int_equal(chunk_feed(&chunk, "0\r\n\r\n", 5, &consumed, &data), 400);
    assert_int_equal(consumed, 0);
    assert_non_null(chunk.why);
}

/* Decode with trailers kept, `step` bytes at a time; writes them as "name=value|". */
static int decode_trailers(const char *body, size_t step, char *text, size_t size)
{
    struct chunk_trailer trailer;
    struct chunk_decoder chunk;
    size_t len = strlen(body);
    size_t used = 0;
    int outcome = CHUNK_MORE;

    memset(&trailer, 'x', sizeof(trailer));
    chunk_init(&chunk);
    chunk_keep_trailers(&chunk, &trailer);
    text[0] = '\0';
    for (size_t come = 0; come < len && outcome == CHUNK_MORE;) {
        come = len - come < step ? len : come + step;
        do {
            size_t consumed = SIZE_MAX;
            size_t at = strlen(text);
            struct slice data;

            outcome = chunk_feed(&chunk, body + used, come - used, &consumed, &data);
            assert_in_range(consumed, 0, come - used);
            used += consumed;
            if (outcome == CHUNK_TRAILER)
                (void)snprintf(text + at, size - at, "%.*s=%.*s|", (int)trailer.name.len,
                               trailer.name.at, (int)trailer.value.len, trailer.value.at);
        } while (outcome == CHUNK_DATA || outcome == CHUNK_TRAILER);
    }
    assert_true(outcome != CHUNK_DONE || used == len);
    return outcome;
}

static void hands_out_trailers(void **state)
{
    static const struct {
        const char *body;
        const char *trailers;
        int outcome;
    } rows[] = {
        {"0\r\n\r\n", "", CHUNK_DONE},
        {"5\r\nhello\r\n0\r\nA: b\r\n\r\n", "A=b|", CHUNK_DONE},
        {"0;a=b\r\nA: b\r\nA: c\r\nx-Long-Name-Of-More-Than-24: d\r\n\r\n",
         "A=b|A=c|x-Long-Name-Of-More-Than-24=d|", CHUNK_DONE},
        {"0\r\nA:\r\nB: \t \r\nC:c\r\nD: \t d: e\tf \t\r\n\r\n", "A=|B=|C=c|D=d: e\tf|",
         CHUNK_DONE},
        {"0\r\nA: \xe9\r\n\r\n", "A=\xe9|", CHUNK_DONE},
        {"0\r\nA: b\r\nC: d", "A=b|", CHUNK_MORE},
        {"0\r\nA: b\r\n", "A=b|", CHUNK_MORE},
        {"0\r\nA: b\r\nHost: c\r\n\r\n", "A=b|", 400},
        {"0\r\nA: b\r\nC d: e\r\n\r\n", "A=b|", 400},
        {"0\r\nA: b\rC: d\r\n\r\n", "", 400},
        {"0\r\nA: b\nC: d\r\n\r\n", "", 400},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t step = 1; step <= strlen(rows[i].body); step++) {
            char text[256];

            assert_int_equal(decode_trailers(rows[i].body, step, text, sizeof(text)),
                             rows[i].outcome);
            assert_string_equal(text, rows[i].trailers);
        }
    }
}

/* The longest line that the bound leaves fits into the room that there is. */
static void hands_out_the_longest_trailer(void **state)
{
    static char body[CHUNK_TRAILERS_MAX + 16] = "0\r\nA:";
    static char text[CHUNK_TRAILERS_MAX + 16];
    size_t len = CHUNK_TRAILERS_MAX - strlen("A:\r\n\r\n");

    (void)state;
    memset(body + 5, 'b', len);
    memcpy(body + 5 + len, "\r\n\r\n", 5);
    assert_int_equal(decode_trailers(body, sizeof(body), text, sizeof(text)), CHUNK_DONE);
    assert_int_equal(strlen(text), len + strlen("A=|"));
    memcpy(body + 5 + len, "b\r\n\r\n", 6);
    assert_int_equal(decode_trailers(body, sizeof(body), text, sizeof(text)), 431);
}

/* Write `n` times `text`. */
static size_t repeat(char *out, const char *text, size_t n)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < n; i++)
        memcpy(out + i * len, text, len);
    return n * len;
}

/* What is repeated `n` times, and what comes of one more. */
struct bound {
    const char *name;
    const char *before;
    const char *repeated;
    size_t n;
    const char *after;
    int beyond;
};

static int outcome_of(const struct bound *bound, size_t n)
{
    char body[16384];
    size_t len = repeat(body, bound->before, 1);
    struct decoded decoded;

    len += repeat(body + len, bound->repeated, n);
    len += repeat(body + len, bound->after, 1);
    assert_in_range(len, 0, sizeof(body));
    decode(body, len, len, &decoded);
    return decoded.outcome;
}

static void holds_to_its_bounds(void **state)
{
    static const struct bound bounds[] = {
        {"line", "0;", "a", 254, "\r\n\r\n", 400},
        {"line of blanks", "0", " ", 253, ";a\r\n\r\n", 400},
        {"line in quotes", "0;a=\"", "b", 250, "\"\r\n\r\n", 400},
        {"extensions", "", "1;abcdefg\r\nx\r\n", 585, "0\r\n\r\n", 400},
        {"digits", "", "0", 16, "\r\n\r\n", 413},
        {"trailer lines", "0\r\n", "a:\r\n", 16, "\r\n", 431},
        {"trailer bytes", "0\r\na:", "b", 4090, "\r\n\r\n", 431},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        int within = outcome_of(&bounds[i], bounds[i].n);
        int beyond = outcome_of(&bounds[i], bounds[i].n + 1);

        if (within != CHUNK_DONE || beyond != bounds[i].beyond)
            fail_msg("%s: %d, and then %d", bounds[i].name, within, beyond);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_good_bodies),
        cmocka_unit_test(leaves_what_follows),
        cmocka_unit_test(does_not_copy),
        cmocka_unit_test(announces_before_the_data),
        cmocka_unit_test(refusals_are_final),
        cmocka_unit_test(hands_out_trailers),
        cmocka_unit_test(hands_out_the_longest_trailer),
        cmocka_unit_test(holds_to_its_bounds),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
