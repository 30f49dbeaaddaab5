/*
 * What a connection has to send, through a socket that takes little at once.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "http/connection.h"
#include "http/output.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define MIB           ((size_t)1 << 20)
#define MOST          (4 * MIB)

static struct connection connection; /* as much of it as reply_write() needs */
static struct output *output = &connection.output;
static int ours, theirs;
static uint64_t moved;
static char *received; /* MOST bytes */
static size_t n_received;
static bool memory_is_short;

void *__real_malloc(size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *__wrap_malloc(size_t size)
{
    return memory_is_short ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return memory_is_short ? NULL : __real_realloc(memory, size);
}

static int open_sockets(int type)
{
    int ends[2], size = 4096;

    if (socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
        return -1;
    ours = ends[0];
    theirs = ends[1];
    return type == SOCK_STREAM ? setsockopt(ours, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) : 0;
}

static int set_up(void **state)
{
    (void)state;
    output_init(output);
    connection.request.connection = &connection;
    connection.phase = CONNECTION_SENDING;
    moved = 0;
    n_received = 0;
    received = malloc(MOST);
    return received != NULL ? open_sockets(SOCK_STREAM) : -1;
}

static int tear_down(void **state)
{
    (void)state;
    output_clear(output);
    free(received);
    close(ours);
    close(theirs);
    return 0;
}

/* Take all that has come; returns how much that was. */
static size_t receive(void)
{
    size_t before = n_received;
    ssize_t n;

    while ((n = recv(theirs, received + n_received, MOST - n_received, 0)) > 0)
        n_received += (size_t)n;
    return n_received - before;
}

static enum output_state pump(void)
{
    return output_pump(output, ours, &moved);
}

/* Send and receive by turns until it comes to something else. */
static enum output_state pump_on(void)
{
    enum output_state result;

    while ((result = pump()) == OUTPUT_BLOCKED)
        assert_true(receive() > 0);
    receive();
    return result;
}

static void assert_received(const void *expected, size_t len)
{
    assert_int_equal(n_received, len);
    assert_memory_equal(received, expected, len);
    assert_int_equal(moved, len);
}

static char *make_text(size_t len)
{
    char *text = malloc(len + 1);

    assert_non_null(text);
    for (size_t i = 0; i < len; i++)
        text[i] = (char)(i * 31 + i / 251 + i / 65536);
    return text;
}

static int make_file(const char *text, size_t len)
{
    int fd = memfd_create("file", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, text, len, 0), len);
    return fd;
}

/* Fill the socket, so that nothing more fits. */
static void fill_socket(void)
{
    char block[512];

    memset(block, '.', sizeof block);
    while (send(ours, block, sizeof block, MSG_DONTWAIT) > 0)
        ;
}

static void empty_socket(void)
{
    assert_true(receive() > 0);
    n_received = 0;
}

static enum output_state send_both(const char *head, const char *body, size_t len)
{
    struct bytes bytes = {.at = (char *)head, .len = strlen(head)};
    return output_send(output, ours, &bytes, body, len, &moved);
}

/* --- Memory ------------------------------------------------------------------- */

static void nothing_is_done(void **state)
{
    (void)state;
    assert_int_equal(pump(), OUTPUT_DONE);
    assert_int_equal(moved, 0);
    output_clear(output);
    assert_int_equal(pump(), OUTPUT_DONE);
}

static void what_fits_is_out_at_once(void **state)
{
    (void)state;
    assert_int_equal(send_both("head ", "body", 4), OUTPUT_DONE);
    receive();
    assert_received("head body", 9);
    assert_null(output->memory.at);
    assert_int_equal(send_both(" head", NULL, 0), OUTPUT_DONE);
    receive();
    assert_received("head body head", 14);
}

static void the_rest_follows(void **state)
{
    static const size_t lengths[] = {10000, 65536, 300000};

    (void)state;
    for (size_t i = 0; i < LENGTH(lengths); i++) {
        size_t len = lengths[i];
        char *body = make_text(len), *whole = malloc(len + 4);
        memcpy(whole, "head", 4);
        memcpy(whole + 4, body, len);
        n_received = moved = 0;
        assert_int_equal(send_both("head", body, len), OUTPUT_BLOCKED);
        memset(body, 'x', len); /* it was borrowed for the call */
        assert_int_equal(moved, receive());
        assert_int_equal(pump_on(), OUTPUT_DONE);
        assert_received(whole, len + 4);
        free(body);
        free(whole);
    }
}

static void a_full_socket_takes_nothing(void **state)
{
    (void)state;
    fill_socket();
    assert_int_equal(send_both("head ", "body", 4), OUTPUT_BLOCKED);
    assert_int_equal(pump(), OUTPUT_BLOCKED);
    assert_int_equal(moved, 0);
    empty_socket();
    assert_int_equal(pump_on(), OUTPUT_DONE);
    assert_received("head body", 9);
}

static void a_client_that_is_gone_breaks_it(void **state)
{
    char *body = make_text(100000);

    (void)state;
    assert_int_equal(send_both("head ", body, 100000), OUTPUT_BLOCKED);
    close(theirs);
    assert_int_equal(pump(), OUTPUT_BROKEN);
    output_clear(output);
    assert_int_equal(send_both("head", NULL, 0), OUTPUT_BROKEN);
    free(body);
}

static void no_memory_for_the_rest_breaks_it(void **state)
{
    char *body = make_text(100000);

    (void)state;
    memory_is_short = true;
    assert_int_equal(send_both("head ", body, 100000), OUTPUT_BROKEN);
    memory_is_short = false;
    free(body);
}

/* --- Files -------------------------------------------------------------------- */

#define FILE_LEN ((size_t)200000)

/* Parts of a file of FILE_LEN bytes, in turn with texts. */
static void parts_of_files(void **state)
{
    static const struct {
        const char *head;
        struct reply_part parts[4];
    } rows[] = {
        {"", {{NULL, 0, 0, FILE_LEN}}},
        {"head", {{NULL, 0, 0, 0}}},
        {"head", {{NULL, 0, 0, 1}}},
        {"head", {{NULL, 0, FILE_LEN - 1, 1}}},
        {"head", {{NULL, 0, 7, 32767}}},
        {"head", {{NULL, 0, 7, 32768}}},
        {"head", {{NULL, 0, 7, 32769}}},
        {"head", {{"text", 4, 0, 0}}},
        {"head", {{"a", 1, 5, 5}, {"bb", 2, 0, FILE_LEN}, {"ccc", 3, 9, 1}, {"end", 3, 0, 0}}},
        {"head", {{"a", 1, 0, 32768}, {"b", 1, 3, 32768}, {"c", 1, 2, 32768}, {"d", 1, 1, 9}}},
        {"head", {{"a", 1, 0, 40000}, {"", 0, 3, 40000}, {"c", 1, 2, 40000}, {"d", 1, 1, 40000}}},
        {"", {{"--x\r\n\0y", 7, 0, 3}, {"-", 1, 100000, 100000}}},
    };
    char *content = make_text(FILE_LEN), *expected = malloc(MOST);

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        size_t len = strlen(rows[i].head);
        int file = make_file(content, FILE_LEN);
        memcpy(expected, rows[i].head, len);
        for (size_t j = 0; j < 4; j++) {
            const struct reply_part *part = &rows[i].parts[j];
            if (part->text_len > 0)
                memcpy(expected + len, part->text, part->text_len);
            memcpy(expected + len + part->text_len, content + part->offset, part->len);
            len += part->text_len + part->len;
        }
        n_received = moved = 0;
        bytes_add_text(&output->memory, rows[i].head);
        assert_int_equal(output_add_file(output, file, rows[i].parts, 4), 0);
        assert_int_equal(pump_on(), OUTPUT_DONE);
        assert_received(expected, len);
        assert_int_equal(fcntl(file, F_GETFD), -1);
    }
    free(content);
    free(expected);
}

static void texts_are_copied(void **state)
{
    char text[] = "text";
    struct reply_part part = {text, 4, 0, 2};

    (void)state;
    assert_int_equal(output_add_file(output, make_file("file", 4), &part, 1), 0);
    memset(text, 'x', 4);
    part = (struct reply_part){NULL, 0, 0, 0};
    assert_int_equal(pump_on(), OUTPUT_DONE);
    assert_received("textfi", 6);
}

static void a_small_file_goes_with_its_head(void **state)
{
    struct reply_part part = {NULL, 0, 0, 4};

    (void)state;
    close(ours);
    close(theirs);
    assert_int_equal(open_sockets(SOCK_SEQPACKET), 0);
    bytes_add_text(&output->memory, "head ");
    assert_int_equal(output_add_file(output, make_file("file", 4), &part, 1), 0);
    assert_int_equal(pump(), OUTPUT_DONE);
    assert_int_equal(recv(theirs, received, MOST, 0), 9);
    assert_memory_equal(received, "head file", 9);
}

/* A socket that takes everything, as far as sendfile(2) is concerned. */
static void others_have_their_turn(void **state)
{
    struct reply_part part = {NULL, 0, 0, 10 * MIB};
    int taker = memfd_create("taker", MFD_CLOEXEC), file = make_file("", 0);

    (void)state;
    assert_int_equal(ftruncate(file, 10 * MIB), 0);
    assert_int_equal(output_add_file(output, file, &part, 1), 0);
    for (unsigned turn = 1; turn <= 2; turn++) {
        assert_int_equal(output_pump(output, taker, &moved), OUTPUT_BLOCKED);
        assert_int_equal(moved, turn * 4 * MIB);
    }
    assert_int_equal(output_pump(output, taker, &moved), OUTPUT_DONE);
    assert_int_equal(moved, 10 * MIB);
    close(taker);
}

static void a_file_that_becomes_shorter_breaks_it(void **state)
{
    static const size_t lengths[] = {100, 32768, FILE_LEN}, left[] = {0, 99};
    char *content = make_text(FILE_LEN);

    (void)state;
    for (size_t i = 0; i < LENGTH(lengths) * LENGTH(left); i++) {
        struct reply_part part = {NULL, 0, 0, lengths[i / 2]};
        int file = make_file(content, FILE_LEN);
        assert_int_equal(output_add_file(output, file, &part, 1), 0);
        assert_int_equal(ftruncate(file, (off_t)left[i % 2]), 0);
        assert_int_equal(pump_on(), OUTPUT_BROKEN);
        output_clear(output);
        assert_int_equal(fcntl(file, F_GETFD), -1);
    }
    free(content);
}

static void a_file_that_becomes_shorter_meanwhile_breaks_it(void **state)
{
    struct reply_part part = {NULL, 0, 0, FILE_LEN};
    char *content = make_text(FILE_LEN);
    int file = make_file(content, FILE_LEN);

    (void)state;
    assert_int_equal(output_add_file(output, file, &part, 1), 0);
    assert_int_equal(pump(), OUTPUT_BLOCKED);
    assert_true(receive() > 0);
    assert_int_equal(ftruncate(file, 10), 0);
    assert_int_equal(pump_on(), OUTPUT_BROKEN);
    assert_true(n_received < FILE_LEN);
    assert_memory_equal(received, content, n_received);
    free(content);
}

static void a_file_is_closed_when_it_is_dropped(void **state)
{
    struct reply_part part = {NULL, 0, 0, FILE_LEN};
    char *content = make_text(FILE_LEN);
    int file = make_file(content, FILE_LEN);

    (void)state;
    assert_int_equal(output_add_file(output, file, &part, 1), 0);
    assert_int_equal(pump(), OUTPUT_BLOCKED);
    output_clear(output);
    assert_int_equal(fcntl(file, F_GETFD), -1);
    assert_int_equal(pump(), OUTPUT_DONE);
    file = make_file(content, FILE_LEN);
    memory_is_short = true;
    assert_int_equal(output_add_file(output, file, &part, 1), -ENOMEM);
    memory_is_short = false;
    assert_int_equal(fcntl(file, F_GETFD), -1);
    assert_int_equal(pump(), OUTPUT_DONE);
    free(content);
}

static void no_memory_for_a_small_file_breaks_it(void **state)
{
    struct reply_part part = {NULL, 0, 0, 4};

    (void)state;
    assert_int_equal(output_add_file(output, make_file("file", 4), &part, 1), 0);
    memory_is_short = true;
    assert_int_equal(pump(), OUTPUT_BROKEN);
    memory_is_short = false;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        TEST(nothing_is_done),
        TEST(what_fits_is_out_at_once),
        TEST(the_rest_follows),
        TEST(a_full_socket_takes_nothing),
        TEST(a_client_that_is_gone_breaks_it),
        TEST(no_memory_for_the_rest_breaks_it),
        TEST(parts_of_files),
        TEST(texts_are_copied),
        TEST(a_small_file_goes_with_its_head),
        TEST(others_have_their_turn),
        TEST(a_file_that_becomes_shorter_breaks_it),
        TEST(a_file_that_becomes_shorter_meanwhile_breaks_it),
        TEST(a_file_is_closed_when_it_is_dropped),
        TEST(no_memory_for_a_small_file_breaks_it),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
