/*
 * The scoreboard: what is written is read, texts are cut, and a reader beside
 * a writer sees whole requests.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ipc/scoreboard.h"

static struct scoreboard *make(size_t n_slots)
{
    struct scoreboard *scoreboard = NULL;

    assert_int_equal(scoreboard_new(n_slots, &scoreboard), 0);
    assert_non_null(scoreboard);
    return scoreboard;
}

static void is_empty_at_first(void **state)
{
    struct scoreboard *scoreboard = make(3);

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct scoreboard_slot *slot = scoreboard_at(scoreboard, i);
        struct scoreboard_place place;
        struct scoreboard_work work;

        assert_int_equal((uintptr_t)slot % 64, 0);
        scoreboard_read_place(slot, &place);
        scoreboard_read_work(slot, &work);
        assert_int_equal(place.state, 0);
        assert_int_equal(place.worker, 0);
        assert_int_equal(work.requests, 0);
        assert_int_equal(work.since_ms, 0);
        assert_string_equal(work.method, "");
        assert_string_equal(work.path, "");
    }
    assert_int_equal(scoreboard_size(scoreboard), 3);
    scoreboard_free(scoreboard);
    scoreboard_free(NULL);
}

static void keeps_places(void **state)
{
    static const struct scoreboard_place wanted = {2, UINT32_MAX, UINT64_MAX, 4194304, INT64_MAX};
    struct scoreboard *scoreboard = make(2);
    struct scoreboard_slot *slot = scoreboard_at(scoreboard, 1);
    struct scoreboard_place place;

    (void)state;
    scoreboard_set_place(slot, &wanted);
    scoreboard_read_place(slot, &place);
    assert_int_equal(place.state, wanted.state);
    assert_int_equal(place.number, wanted.number);
    assert_true(place.worker == wanted.worker);
    assert_true(place.pid == wanted.pid);
    assert_true(place.started_ms == wanted.started_ms);
    scoreboard_read_place(scoreboard_at(scoreboard, 0), &place);
    assert_int_equal(place.worker, 0);
    scoreboard_free(scoreboard);
}

static void begin(struct scoreboard_slot *slot, const char *method, const char *path,
                  int64_t now_ms)
{
    struct scoreboard_request request = {method, path, "192.0.2.1:4711", now_ms};

    scoreboard_begin(slot, &request);
}

/* What one process wrote is there for another that maps the same memory. */
static void survives_in_another_mapping(void **state)
{
    struct scoreboard *scoreboard = make(3), *adopted = NULL;
    struct scoreboard_work work;
    int fd = dup(scoreboard_fd(scoreboard));

    (void)state;
    begin(scoreboard_at(scoreboard, 2), "GET", "/x", 5);
    assert_int_equal(scoreboard_adopt(fd, 4, &adopted), -EBADF);
    assert_int_equal(scoreboard_adopt(-1, 3, &adopted), -EBADF);
    assert_null(adopted);
    assert_int_equal(scoreboard_adopt(fd, 3, &adopted), 0);
    assert_int_equal(scoreboard_fd(adopted), fd);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    scoreboard_free(scoreboard);
    scoreboard_read_work(scoreboard_at(adopted, 2), &work);
    assert_string_equal(work.path, "/x");
    assert_string_equal(work.client, "192.0.2.1:4711");
    scoreboard_free(adopted);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

/* A master that is handed a memfd must be able to trust its size. */
static void its_memory_can_neither_shrink_nor_grow(void **state)
{
    struct scoreboard *scoreboard = make(3);
    int fd = scoreboard_fd(scoreboard);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_int_equal(ftruncate(fd, 1 << 20), -1);
    assert_int_equal(fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    scoreboard_free(scoreboard);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

/* The first number that a new descriptor would have: the same again when none leaked. */
static int next_descriptor(void)
{
    int fd = dup(STDIN_FILENO);

    (void)close(fd);
    return fd;
}

/* What a process sees whose files may have no more than a byte; 0: what it should. */
static int use_without_memfd(void)
{
    static const struct rlimit one_byte = {1, 1};
    struct scoreboard *scoreboard = NULL;
    struct scoreboard_work work;
    int next = next_descriptor(), status;
    pid_t worker;

    /* Growing a file beyond the limit is refused after a signal that would kill. */
    if (setrlimit(RLIMIT_FSIZE, &one_byte) != 0 || signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
        return 1;
    if (scoreboard_new(3, &scoreboard) != 0)
        return 2;
    if (scoreboard_fd(scoreboard) != -1 || next_descriptor() != next)
        return 3;
    worker = fork();
    if (worker == 0) {
        begin(scoreboard_at(scoreboard, 2), "GET", "/x", 5);
        _exit(0);
    }
    if (worker < 0 || waitpid(worker, &status, 0) != worker || status != 0)
        return 4;
    scoreboard_read_work(scoreboard_at(scoreboard, 2), &work);
    scoreboard_free(scoreboard);
    return strcmp(work.path, "/x") == 0 && next_descriptor() == next ? 0 : 5;
}

static void does_without_a_memfd(void **state)
{
    int status;
    pid_t limited = fork();

    (void)state;
    assert_true(limited >= 0);
    if (limited == 0)
        _exit(use_without_memfd());
    assert_int_equal(waitpid(limited, &status, 0), limited);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void follows_a_request(void **state)
{
    struct scoreboard *scoreboard = make(1);
    struct scoreboard_slot *slot = scoreboard_at(scoreboard, 0);
    struct scoreboard_work work;

    (void)state;
    scoreboard_beat(slot, 900);
    scoreboard_count_connections(slot, 3);
    begin(slot, "DELETE", "/a/b", 1000);
    scoreboard_read_work(slot, &work);
    assert_int_equal(work.heartbeat_ms, 900);
    assert_int_equal(work.connections, 3);
    assert_int_equal(work.since_ms, 1000);
    assert_int_equal(work.requests, 0);
    assert_string_equal(work.method, "DELETE");
    assert_string_equal(work.path, "/a/b");
    scoreboard_end(slot);
    scoreboard_read_work(slot, &work);
    assert_int_equal(work.since_ms, 0);
    assert_int_equal(work.requests, 1);
    assert_int_equal(scoreboard_requests(slot), 1);
    begin(slot, "GET", "/", 2000);
    scoreboard_read_work(slot, &work);
    assert_int_equal(work.since_ms, 2000);
    assert_string_equal(work.method, "GET");
    assert_string_equal(work.path, "/");
    scoreboard_end(slot);
    assert_int_equal(scoreboard_requests(slot), 2);
    scoreboard_free(scoreboard);
}

/* Every length around each word and the limit, over a longer text and over a shorter one. */
static void cuts_texts(void **state)
{
    struct scoreboard *scoreboard = make(1);
    struct scoreboard_slot *slot = scoreboard_at(scoreboard, 0);

    (void)state;
    for (size_t len = 0; len <= 300; len++) {
        char text[301] = "", method[SCOREBOARD_METHOD_SIZE], path[SCOREBOARD_PATH_SIZE];
        struct scoreboard_work work;

        memset(text, 'a' + (int)(len % 26), len);
        (void)snprintf(method, sizeof(method), "%.15s", text);
        (void)snprintf(path, sizeof(path), "%.128s", text);
        for (int before = 0; before < 2; before++) {
            char filler[301] = "";

            memset(filler, '#', before == 0 ? 300 : 1);
            begin(slot, filler, filler, 1);
            begin(slot, text, text, 2);
            scoreboard_read_work(slot, &work);
            assert_string_equal(work.method, method);
            assert_string_equal(work.path, path);
        }
    }
    scoreboard_free(scoreboard);
}

static void set_worker(struct scoreboard_slot *slot, uint64_t worker, uint32_t slot_state)
{
    struct scoreboard_place place = {slot_state, 1, worker, 99, 5};

    scoreboard_set_place(slot, &place);
}

static void a_new_worker_clears_the_work(void **state)
{
    static const struct scoreboard_answer answer = {SCOREBOARD_GET, 200, 10, 20, 30};
    struct scoreboard *scoreboard = make(1);
    struct scoreboard_slot *slot = scoreboard_at(scoreboard, 0);
    struct scoreboard_traffic traffic;
    struct scoreboard_work work;

    (void)state;
    set_worker(slot, 1, 1);
    scoreboard_beat(slot, 900);
    scoreboard_count_connections(slot, 3);
    begin(slot, "GET", "/a", 1000);
    scoreboard_end(slot);
    begin(slot, "GET", "/b", 1000);
    scoreboard_account(slot, &answer);
    scoreboard_count_accepted(slot);
    assert_int_equal(scoreboard_count_limit(slot, 3), 1);

    set_worker(slot, 1, 2); /* the same one in another state */
    scoreboard_read_work(slot, &work);
    assert_int_equal(work.heartbeat_ms, 900);
    assert_int_equal(work.connections, 3);
    assert_int_equal(work.requests, 1);
    assert_int_equal(work.since_ms, 1000);
    assert_string_equal(work.path, "/b");

    set_worker(slot, 2, 2);
    scoreboard_read_work(slot, &work);
    assert_int_equal(work.heartbeat_ms, 0);
    assert_int_equal(work.connections, 0);
    assert_int_equal(work.requests, 0);
    assert_int_equal(work.since_ms, 0);
    scoreboard_read_traffic(slot, &traffic);
    assert_int_equal(traffic.answers[1][SCOREBOARD_GET], 1);
    assert_int_equal(traffic.latency[0], 1);
    assert_int_equal(traffic.accepted, 1);
    assert_int_equal(scoreboard_read_limit(slot, 3), 1);
    scoreboard_free(scoreboard);
}

/* "Clears the worker's part": the texts are of that part too. */
static void a_new_worker_clears_the_texts(void **state)
{
    struct scoreboard *scoreboard = make(1);
    struct scoreboard_slot *slot = scoreboard_at(scoreboard, 0);
    struct scoreboard_work work;

    (void)state;
    set_worker(slot, 1, 1);
    begin(slot, "GET", "/a", 1000);
    set_worker(slot, 2, 1);
    scoreboard_read_work(slot, &work);
    scoreboard_free(scoreboard);
    assert_string_equal(work.method, "");
    assert_string_equal(work.path, "");
}

#define ROUNDS 50000

/* Two requests in turn, method, path and time each of one letter, with a pause in between. */
static void write_in_turn(struct scoreboard_slot *slot)
{
    char paths[2][SCOREBOARD_PATH_SIZE] = {"", ""};
    static const char *const methods[2] = {"AAAAAAAAAAAAAAA", "BBB"};

    memset(paths[0], 'A', 128);
    memset(paths[1], 'B', 63);
    for (int i = 0; i < ROUNDS; i++) {
        begin(slot, methods[i % 2], paths[i % 2], 'A' + i % 2);
        for (volatile int pause = 0; pause < 200; pause = pause + 1)
            continue;
    }
}

/* Whether the three agree; before the first request all is empty. */
static bool is_whole(const struct scoreboard_work *work)
{
    size_t expected = work->since_ms == 'A' ? 128 : work->since_ms == 'B' ? 63 : 0;
    char letter = (char)work->since_ms;

    for (size_t i = 0; i < expected; i++)
        if (work->path[i] != letter)
            return false;
    return strlen(work->path) == expected && work->method[0] == letter &&
           strlen(work->method) == (letter == 'A'   ? 15
                                    : letter == 'B' ? 3
                                                    : 0);
}

/*
 * A mixture that stays as it is comes from a writer that lost its processor in
 * the middle of a request: that is shown as far as it is legible. A mixture
 * that is another thing a moment later was read beside a writer at work.
 */
static bool is_mixture(const struct scoreboard_slot *slot)
{
    struct scoreboard_work work, again;

    scoreboard_read_work(slot, &work);
    if (is_whole(&work))
        return false;
    scoreboard_read_work(slot, &again);
    if (memcmp(&work, &again, sizeof(work)) != 0)
        return true;
    (void)sched_yield();
    return false;
}

/* Without the sequence around the texts, more than one read in a hundred is a mixture. */
static bool sees_hardly_a_mixture(void)
{
    struct scoreboard *scoreboard = make(1);
    struct scoreboard_slot *slot = scoreboard_at(scoreboard, 0);
    long reads = 0, mixtures = 0;
    int status;
    pid_t writer = fork();

    assert_true(writer >= 0);
    if (writer == 0) {
        write_in_turn(slot);
        _exit(0);
    }
    while (waitpid(writer, &status, WNOHANG) == 0) {
        for (int i = 0; i < 100; i++, reads++)
            mixtures += is_mixture(slot);
    }
    scoreboard_free(scoreboard);
    assert_int_equal(status, 0);
    print_message("# %ld mixtures in %ld reads\n", mixtures, reads);
    return mixtures <= reads / 50 + 5;
}

/*
 * The best of a few: on a busy machine a writer may lose its processor in the
 * middle again and again, while a board without a sequence shows mixtures each time.
 */
static void a_reader_sees_whole_requests(void **state)
{
    bool seen = false;

    (void)state;
    for (int attempt = 0; attempt < 8 && !seen; attempt++)
        seen = sees_hardly_a_mixture();
    assert_true(seen);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_empty_at_first),
        cmocka_unit_test(keeps_places),
        cmocka_unit_test(survives_in_another_mapping),
        cmocka_unit_test(its_memory_can_neither_shrink_nor_grow),
        cmocka_unit_test(does_without_a_memfd),
        cmocka_unit_test(follows_a_request),
        cmocka_unit_test(cuts_texts),
        cmocka_unit_test(a_new_worker_clears_the_work),
        cmocka_unit_test(a_new_worker_clears_the_texts),
        cmocka_unit_test(a_reader_sees_whole_requests),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
