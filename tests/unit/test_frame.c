/*
 * The framing of the Distributor protocol: frames, however the stream is cut.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "discovery/registries/frame.h"

#define MAX 8
#define END FRAME_END

/*
 * What a stream must come to: its frames, each with '|' behind it, and then '!' if one is too
 * long, '?' if one is no UTF-8.
 */
static const struct {
    const char *stream;
    const char *frames;
} streams[] = {
    {"", ""},
    {"a", ""},
    {END, ""},
    {END END END, ""},
    {"a" END, "a|"},
    {"a" END "b", "a|"},
    {"a" END "b" END, "a|b|"},
    {END "a" END END "b" END, "a|b|"},
    {"a\nb\n" END, "a\nb\n|"},
    {"12345678" END "12345678" END, "12345678|12345678|"},
    {"12345678", ""},
    {"123456789", "!"},
    {"a" END "123456789" END "b" END, "a|!"},
    /* Characters that share a byte with the end. */
    {"\xc2\xb5\xc2\xb7" END, "\xc2\xb5\xc2\xb7|"},
    {"\xc3\xb6" END, "\xc3\xb6|"},
    {"\xe0\xb6\xb6" END, "\xe0\xb6\xb6|"},
    {"\xf1\xb6\xb6\xb6" END, "\xf1\xb6\xb6\xb6|"},
    /* Whole characters up to the limit, not over it. */
    {"\xea\xb0\x80\xea\xb0\x80\xc3\xbc" END, "\xea\xb0\x80\xea\xb0\x80\xc3\xbc|"},
    {"\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80" END, "!"},
    {"\xf0\x9f\xa7\x9f\xf0\x9f\xa7\x9f" END, "\xf0\x9f\xa7\x9f\xf0\x9f\xa7\x9f|"},
    /* No UTF-8: strays, overlong forms, surrogates, beyond the last one, cut short. */
    {"\x80" END, "?"},
    {"a" END "\xb6" END "b" END, "a|?"},
    {"\xff" END, "?"},
    {"\xc0\xb6" END, "?"},
    {"\xc1\xbf" END, "?"},
    {"\xe0\x9f\xbf" END, "?"},
    {"\xed\xa0\x80" END, "?"},
    {"\xf0\x8f\xbf\xbf" END, "?"},
    {"\xf4\x90\x80\x80" END, "?"},
    {"\xf5\x80\x80\x80" END, "?"},
    {"\xea\xb0" END, "?"},
    {"\xc2" END, "?"},
    {"\xc2"
     "a" END,
     "?"},
};

static void append(char *text, const char *bytes, size_t len)
{
    strncat(text, bytes, len);
    strcat(text, "|");
}

/* Append the frames that have come to a text; returns whether the stream goes on. */
static bool collect(struct frames *frames, char *text)
{
    const char *frame;
    size_t len;
    int r;

    while ((r = frames_next(frames, &frame, &len)) == 0)
        append(text, frame, len);
    assert_true(r == -EAGAIN || r == -EMSGSIZE || r == -EILSEQ);
    assert_int_equal(frames_next(frames, &frame, &len), r);
    if (r != -EAGAIN)
        strcat(text, r == -EMSGSIZE ? "!" : "?");
    return r == -EAGAIN;
}

/* Feed the stream in pieces that end at the two cuts and wherever `step` bytes are full. */
static void check_stream(size_t row, size_t first, size_t second, size_t step)
{
    struct frames frames = {.max = MAX};
    const char *stream = streams[row].stream;
    size_t len = strlen(stream), from = 0;
    char text[128] = "";
    bool goes_on = true;

    for (size_t at = 1; at <= len && goes_on; at++)
        if (at == first || at == second || at == len || at - from == step) {
            assert_int_equal(frames_add(&frames, stream + from, at - from), 0);
            from = at;
            goes_on = collect(&frames, text);
        }
    if (strcmp(text, streams[row].frames) != 0)
        fail_msg("row %zu, cut at %zu and %zu, each %zu: \"%s\"", row, first, second, step, text);
    frames_free(&frames);
}

static void takes_frames_however_they_are_cut(void **state)
{
    (void)state;
    for (size_t row = 0; row < sizeof streams / sizeof streams[0]; row++) {
        size_t len = strlen(streams[row].stream);
        for (size_t step = 1; step <= 3; step++)
            check_stream(row, 0, 0, step);
        for (size_t first = 0; first <= len; first++)
            for (size_t second = first; second <= len; second++)
                check_stream(row, first, second, SIZE_MAX);
    }
}

static void holds_no_memory_between_frames(void **state)
{
    (void)state;
    struct frames frames = {.max = MAX};
    const char *frame;
    size_t len;

    assert_int_equal(frames_next(&frames, &frame, &len), -EAGAIN);
    assert_int_equal(frames_add(&frames, "a" END, 3), 0);
    assert_non_null(frames.bytes.at);
    assert_int_equal(frames_next(&frames, &frame, &len), 0);
    assert_int_equal(frames_next(&frames, &frame, &len), -EAGAIN);
    assert_null(frames.bytes.at);
    assert_int_equal(frames_add(&frames, "", 0), 0);
    assert_int_equal(frames_next(&frames, &frame, &len), -EAGAIN);
    frames_free(&frames);
}

static void takes_a_nul_as_any_other_byte(void **state)
{
    (void)state;
    struct frames frames = {.max = MAX};
    const char *frame;
    size_t len;

    assert_int_equal(frames_add(&frames, "a\0b" END, 5), 0);
    assert_int_equal(frames_next(&frames, &frame, &len), 0);
    assert_int_equal(len, 3);
    assert_memory_equal(frame, "a\0b", 3);
    frames_free(&frames);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_frames_however_they_are_cut),
        cmocka_unit_test(holds_no_memory_between_frames),
        cmocka_unit_test(takes_a_nul_as_any_other_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
