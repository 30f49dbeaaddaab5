/*
 * Frames: each message there and back, and every way to spoil its bytes.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "ipc/message.h"

#define HEADER_SIZE 8

#define TEXT_127                                                       \
    "0123456789012345678901234567890123456789012345678901234567890123" \
    "012345678901234567890123456789012345678901234567890123456789012"

static const struct {
    const char *name;
    enum message_sender sender;
    struct message message;
    size_t payload; /* its size in bytes */
} cases[] = {
    {"HELLO",
     MESSAGE_FROM_WORKER,
     {.type = MESSAGE_HELLO, .hello = {0x0102030405060708, 0x11121314, 0x21222324}},
     16},
    {"HELLO",
     MESSAGE_FROM_WORKER,
     {.type = MESSAGE_HELLO, .hello = {UINT64_MAX, UINT32_MAX, UINT32_MAX}},
     16},
    {"HELLO", MESSAGE_FROM_WORKER, {.type = MESSAGE_HELLO}, 16},
    {"READY", MESSAGE_FROM_WORKER, {.type = MESSAGE_READY, .ready = {0x01020304}}, 4},
    {"MASTER_ID", MESSAGE_FROM_WORKER, {.type = MESSAGE_MASTER_ID, .master_id = {7}}, 4},
    {"MASTER_ID_IS",
     MESSAGE_FROM_MASTER,
     {.type = MESSAGE_MASTER_ID_IS,
      .master_id_is = {7, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255}}},
     20},
    {"DRAIN", MESSAGE_FROM_MASTER, {.type = MESSAGE_DRAIN, .drain = {1000, 2000, 0, 1}}, 10},
    {"DRAIN", MESSAGE_FROM_MASTER, {.type = MESSAGE_DRAIN, .drain = {UINT32_MAX, 1, 1, 0}}, 10},
    {"STOP", MESSAGE_FROM_MASTER, {.type = MESSAGE_STOP}, 0},
    {"LEAVING", MESSAGE_FROM_WORKER, {.type = MESSAGE_LEAVING, .leaving = {0}}, 1},
    {"LEAVING",
     MESSAGE_FROM_WORKER,
     {.type = MESSAGE_LEAVING, .leaving = {LEAVING_REASONS - 1}},
     1},
    {"LOG", MESSAGE_FROM_MASTER, {.type = MESSAGE_LOG, .log = {7}}, 0},
    {"ACCESS_LOG", MESSAGE_FROM_MASTER, {.type = MESSAGE_ACCESS_LOG, .log = {7}}, 0},
    {"LOG_LEVEL", MESSAGE_FROM_MASTER, {.type = MESSAGE_LOG_LEVEL, .log_level = {0}}, 1},
    {"LOG_LEVEL",
     MESSAGE_FROM_MASTER,
     {.type = MESSAGE_LOG_LEVEL, .log_level = {LOG_LEVEL_DEBUG}},
     1},
    {"CHAOS", MESSAGE_FROM_WORKER, {.type = MESSAGE_CHAOS, .chaos = {0, 0, ""}}, 6},
    {"CHAOS", MESSAGE_FROM_WORKER, {.type = MESSAGE_CHAOS, .chaos = {1, 1, "[::1]:80"}}, 14},
    {"CHAOS",
     MESSAGE_FROM_WORKER,
     {.type = MESSAGE_CHAOS, .chaos = {CHAOS_MODES - 1, 3600000, TEXT_127}},
     133},
};

#define N_CASES (sizeof(cases) / sizeof(cases[0]))

static enum message_sender other(enum message_sender sender)
{
    return sender == MESSAGE_FROM_MASTER ? MESSAGE_FROM_WORKER : MESSAGE_FROM_MASTER;
}

/* Decode from a block of exactly len bytes; a refused frame must leave the message alone. */
static int decode(const uint8_t *bytes, size_t len, enum message_sender sender,
                  struct message *ret_message)
{
    struct message before;
    uint8_t *copy = malloc(len > 0 ? len : 1);
    int r;

    assert_non_null(copy);
    memcpy(copy, bytes, len);
    memset(ret_message, 0x5a, sizeof(*ret_message));
    memcpy(&before, ret_message, sizeof(before));
    r = message_decode(copy, len, sender, ret_message);
    free(copy);
    if (r != 0) {
        assert_int_equal(r, -EBADMSG);
        assert_memory_equal(ret_message, &before, sizeof(before));
    }
    return r;
}

static void refuse(const char *what, const uint8_t *bytes, size_t len, enum message_sender sender)
{
    struct message message;

    if (decode(bytes, len, sender, &message) == 0)
        fail_msg("taken: %s", what);
}

/* Write the length of the payload where a frame has it. */
static void put_length(uint8_t *frame, size_t payload)
{
    for (int i = 0; i < 4; i++)
        frame[4 + i] = (uint8_t)(payload >> (8 * (3 - i)));
}

static void same_fields(const struct message *a, const struct message *b)
{
    assert_int_equal(a->type, b->type);
    switch (a->type) {
    case MESSAGE_HELLO:
        assert_true(a->hello.worker == b->hello.worker);
        assert_int_equal(a->hello.pid, b->hello.pid);
        assert_int_equal(a->hello.slot, b->hello.slot);
        break;
    case MESSAGE_READY:
        assert_int_equal(a->ready.listeners, b->ready.listeners);
        break;
    case MESSAGE_MASTER_ID:
        assert_int_equal(a->master_id.request, b->master_id.request);
        break;
    case MESSAGE_MASTER_ID_IS:
        assert_int_equal(a->master_id_is.request, b->master_id_is.request);
        assert_memory_equal(a->master_id_is.uuid, b->master_id_is.uuid, MESSAGE_UUID_SIZE);
        break;
    case MESSAGE_DRAIN:
        assert_int_equal(a->drain.delay_ms, b->drain.delay_ms);
        assert_int_equal(a->drain.idle_ms, b->drain.idle_ms);
        assert_int_equal(a->drain.last, b->drain.last);
        assert_int_equal(a->drain.stopping, b->drain.stopping);
        break;
    case MESSAGE_STOP:
        break;
    case MESSAGE_LEAVING:
        assert_int_equal(a->leaving.reason, b->leaving.reason);
        break;
    case MESSAGE_CHAOS:
        assert_int_equal(a->chaos.mode, b->chaos.mode);
        assert_int_equal(a->chaos.after_ms, b->chaos.after_ms);
        assert_string_equal(a->chaos.client, b->chaos.client);
        break;
    case MESSAGE_LOG:
    case MESSAGE_ACCESS_LOG:
        break; /* a descriptor is no part of the frame */
    case MESSAGE_LOG_LEVEL:
        assert_int_equal(a->log_level.level, b->log_level.level);
        break;
    }
}

static void goes_there_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_CASES; i++) {
        uint8_t frame[MESSAGE_SIZE];
        struct message message;
        size_t len = message_encode(&cases[i].message, frame);

        assert_int_equal(len, HEADER_SIZE + cases[i].payload);
        assert_int_equal(decode(frame, len, cases[i].sender, &message), 0);
        same_fields(&message, &cases[i].message);
        refuse("the other sender", frame, len, other(cases[i].sender));
    }
}

/* Its number means nothing to the process that reads the frame. */
static void a_descriptor_is_not_in_the_frame(void **state)
{
    static const struct message sent = {.type = MESSAGE_LOG, .log = {7}};
    static const uint8_t expected[] = {'Z', 'S', 2, 9, 0, 0, 0, 0};
    uint8_t frame[MESSAGE_SIZE];
    struct message message;

    (void)state;
    assert_int_equal(message_encode(&sent, frame), sizeof(expected));
    assert_memory_equal(frame, expected, sizeof(expected));
    assert_int_equal(decode(expected, sizeof(expected), MESSAGE_FROM_MASTER, &message), 0);
    assert_int_equal(message.type, MESSAGE_LOG);
    assert_int_equal(message.log.fd, -1);
}

static void has_these_bytes(void **state)
{
    static const uint8_t hello[] = {'Z', 'S', 2, 1, 0,    0,    0,    16,   1,    2,    3,    4,
                                    5,   6,   7, 8, 0x11, 0x12, 0x13, 0x14, 0x21, 0x22, 0x23, 0x24};
    static const uint8_t chaos[] = {'Z', 'S', 2, 8,   0,   0,   0,   14,  1,   0,   0,
                                    0,   1,   8, '[', ':', ':', '1', ']', ':', '8', '0'};
    uint8_t frame[MESSAGE_SIZE];

    (void)state;
    assert_int_equal(message_encode(&cases[0].message, frame), sizeof(hello));
    assert_memory_equal(frame, hello, sizeof(hello));
    assert_int_equal(message_encode(&cases[N_CASES - 2].message, frame), sizeof(chaos));
    assert_memory_equal(frame, chaos, sizeof(chaos));
}

/* Shorter or longer by any number of bytes, with the length as it was and as it would be. */
static void refuses_every_other_length(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_CASES; i++) {
        uint8_t frame[2 * MESSAGE_SIZE] = {0};
        size_t len = message_encode(&cases[i].message, frame);

        for (size_t other_len = 0; other_len < sizeof(frame); other_len++) {
            if (other_len == len)
                continue;
            put_length(frame, cases[i].payload);
            refuse(cases[i].name, frame, other_len, cases[i].sender);
            if (other_len < HEADER_SIZE)
                continue;
            put_length(frame, other_len - HEADER_SIZE);
            refuse(cases[i].name, frame, other_len, cases[i].sender);
        }
    }
}

static void refuses_wrong_headers(void **state)
{
    static const struct {
        const char *name;
        size_t at;
        uint8_t value;
    } spoils[] = {
        {"magic", 0, 'z'},       {"magic", 1, 'T'},     {"version 0", 2, 0},
        {"version 1", 2, 1},     {"version 3", 2, 3},   {"type 0", 3, 0},
        {"type 12", 3, 12},      {"type 255", 3, 255},  {"length 2^24", 4, 1},
        {"length 2^31", 4, 128}, {"length 2^16", 5, 1}, {"length 2^8", 6, 1},
        {"length 255", 7, 255},
    };

    (void)state;
    for (size_t i = 0; i < N_CASES; i++) {
        for (size_t j = 0; j < sizeof(spoils) / sizeof(spoils[0]); j++) {
            uint8_t frame[MESSAGE_SIZE];
            size_t len = message_encode(&cases[i].message, frame);

            frame[spoils[j].at] = spoils[j].value;
            refuse(spoils[j].name, frame, len, MESSAGE_FROM_MASTER);
            refuse(spoils[j].name, frame, len, MESSAGE_FROM_WORKER);
        }
    }
}

/* A frame with this payload, from whoever may send its type. */
static void refuse_payload(const char *what, enum message_type type, const void *payload,
                           size_t size)
{
    uint8_t frame[2 * MESSAGE_SIZE] = {'Z', 'S', MESSAGE_VERSION, (uint8_t)type};

    put_length(frame, size);
    memcpy(frame + HEADER_SIZE, payload, size);
    refuse(what, frame, HEADER_SIZE + size, MESSAGE_FROM_MASTER);
    refuse(what, frame, HEADER_SIZE + size, MESSAGE_FROM_WORKER);
}

static void refuses_values_out_of_range(void **state)
{
    static const uint8_t last[] = {0, 0, 0, 1, 0, 0, 0, 1, 2, 0};
    static const uint8_t stopping[] = {0, 0, 0, 1, 0, 0, 0, 1, 0, 2};
    static const uint8_t leaving[] = {LEAVING_REASONS};
    static const uint8_t leaving_255[] = {255};
    static const uint8_t chaos[] = {CHAOS_MODES, 0, 0, 0, 0, 1, 'x'};
    static const uint8_t level[] = {LOG_LEVEL_DEBUG + 1};

    (void)state;
    refuse_payload("DRAIN, last 2", MESSAGE_DRAIN, last, sizeof(last));
    refuse_payload("DRAIN, stopping 2", MESSAGE_DRAIN, stopping, sizeof(stopping));
    refuse_payload("LEAVING, reason 3", MESSAGE_LEAVING, leaving, sizeof(leaving));
    refuse_payload("LEAVING, reason 255", MESSAGE_LEAVING, leaving_255, sizeof(leaving_255));
    refuse_payload("CHAOS, mode 5", MESSAGE_CHAOS, chaos, sizeof(chaos));
    refuse_payload("LOG, with a number", MESSAGE_LOG, last, 4);
    refuse_payload("LOG_LEVEL, beyond debug", MESSAGE_LOG_LEVEL, level, sizeof(level));
    refuse_payload("LOG_LEVEL, 255", MESSAGE_LOG_LEVEL, leaving_255, sizeof(leaving_255));
}

static void refuses_bad_texts(void **state)
{
    uint8_t chaos[6 + 248] = {0, 0, 0, 0, 0, 3, 'a', 0, 'b'};

    (void)state;
    refuse_payload("NUL inside", MESSAGE_CHAOS, chaos, 9);
    memcpy(chaos + 6, "\0ab", 3);
    refuse_payload("NUL in front", MESSAGE_CHAOS, chaos, 9);
    memcpy(chaos + 6, "ab\0", 3);
    refuse_payload("NUL behind", MESSAGE_CHAOS, chaos, 9);
    memset(chaos + 6, 'x', sizeof(chaos) - 6);
    refuse_payload("longer than said", MESSAGE_CHAOS, chaos, 10);
    refuse_payload("shorter than said", MESSAGE_CHAOS, chaos, 8);
    for (unsigned len = MESSAGE_TEXT_SIZE; len <= 255; len++) {
        chaos[5] = (uint8_t)len;
        refuse_payload("a text of 128 bytes", MESSAGE_CHAOS, chaos, len < 248 ? 6 + len : 254);
    }
}

/* A text that does not end within its room is cut to what fits. */
static void cuts_a_text_that_does_not_fit(void **state)
{
    struct message message = {.type = MESSAGE_CHAOS}, decoded;
    uint8_t frame[MESSAGE_SIZE];
    size_t len;

    (void)state;
    memset(message.chaos.client, 'x', MESSAGE_TEXT_SIZE);
    len = message_encode(&message, frame);
    assert_int_equal(len, HEADER_SIZE + 6 + MESSAGE_TEXT_SIZE - 1);
    assert_int_equal(decode(frame, len, MESSAGE_FROM_WORKER, &decoded), 0);
    assert_int_equal(strlen(decoded.chaos.client), MESSAGE_TEXT_SIZE - 1);
}

/* Each byte with each value: refused, or a message that has exactly these bytes. */
static void a_changed_byte_is_refused_or_means_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_CASES; i++) {
        uint8_t frame[MESSAGE_SIZE], again[MESSAGE_SIZE];
        size_t len = message_encode(&cases[i].message, frame);

        for (size_t at = 0; at < len * 256; at++) {
            uint8_t saved = frame[at / 256];
            struct message message;

            frame[at / 256] = (uint8_t)(at % 256);
            for (int sender = MESSAGE_FROM_MASTER; sender <= MESSAGE_FROM_WORKER; sender++) {
                if (message_decode(frame, len, (enum message_sender)sender, &message) != 0)
                    continue;
                assert_int_equal(message_encode(&message, again), len);
                assert_memory_equal(again, frame, len);
            }
            frame[at / 256] = saved;
        }
    }
}

static void has_names(void **state)
{
    static const char *const modes[CHAOS_MODES] = {"exit", "kill", "segv", "abort", "hang"};

    (void)state;
    for (size_t i = 0; i < N_CASES; i++)
        assert_string_equal(message_name(cases[i].message.type), cases[i].name);
    assert_string_equal(message_name((enum message_type)0), "?");
    assert_string_equal(message_name((enum message_type)12), "?");
    assert_string_equal(message_name((enum message_type)255), "?");
    for (int i = 0; i < CHAOS_MODES; i++)
        assert_string_equal(chaos_mode_name((enum chaos_mode)i), modes[i]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_there_and_back),
        cmocka_unit_test(a_descriptor_is_not_in_the_frame),
        cmocka_unit_test(has_these_bytes),
        cmocka_unit_test(refuses_every_other_length),
        cmocka_unit_test(refuses_wrong_headers),
        cmocka_unit_test(refuses_values_out_of_range),
        cmocka_unit_test(refuses_bad_texts),
        cmocka_unit_test(cuts_a_text_that_does_not_fit),
        cmocka_unit_test(a_changed_byte_is_refused_or_means_itself),
        cmocka_unit_test(has_names),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
