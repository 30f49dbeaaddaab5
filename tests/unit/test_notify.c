/*
 * What the service manager gets, with this process on both ends of its socket.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "host/notify.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define NAME_110                                               \
    "/0123456789012345678901234567890123456789012345678901234" \
    "0123456789012345678901234567890123456789012345678901234"

/* A manager that listens; `name` is what NOTIFY_SOCKET is to say. */
struct manager {
    int fd;
    char folder[64];
    char name[96];
};

static void manager_bind(struct manager *manager)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(manager->name);

    memcpy(address.sun_path, manager->name, len);
    if (manager->name[0] == '@')
        address.sun_path[0] = '\0';
    manager->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(manager->fd >= 0);
    len += offsetof(struct sockaddr_un, sun_path);
    assert_int_equal(bind(manager->fd, (struct sockaddr *)&address, (socklen_t)len), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", manager->name, 1), 0);
}

static int set_up(void **state)
{
    struct manager *manager = calloc(1, sizeof(*manager));

    assert_non_null(manager);
    snprintf(manager->folder, sizeof(manager->folder), "/tmp/zombie-notify-XXXXXX");
    assert_non_null(mkdtemp(manager->folder));
    snprintf(manager->name, sizeof(manager->name), "%s/socket", manager->folder);
    manager_bind(manager);
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    *state = manager;
    return 0;
}

static int tear_down(void **state)
{
    struct manager *manager = *state;

    close(manager->fd);
    unlink(manager->name);
    assert_int_equal(rmdir(manager->folder), 0);
    free(manager);
    unsetenv("NOTIFY_SOCKET");
    notify_open();
    return 0;
}

/* One datagram must be waiting, this one. */
static void assert_received(const struct manager *manager, const char *wanted)
{
    char text[NOTIFY_MESSAGE_SIZE * 2];
    ssize_t n = recv(manager->fd, text, sizeof(text) - 1, MSG_DONTWAIT);

    assert_true(n >= 0);
    text[n] = '\0';
    assert_string_equal(text, wanted);
}

static void assert_silence(const struct manager *manager)
{
    char byte;

    assert_int_equal(recv(manager->fd, &byte, 1, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
}

static void sends_a_datagram_a_call(void **state)
{
    struct manager *manager = *state;

    notify_open();
    notify_send("READY=1\nSTATUS=Generation %u serves", 7U);
    notify_send("WATCHDOG=1");
    assert_received(manager, "READY=1\nSTATUS=Generation 7 serves");
    assert_received(manager, "WATCHDOG=1");
    assert_silence(manager);
}

static void sends_to_an_abstract_name(void **state)
{
    struct manager *manager = *state;
    struct manager abstract = {.fd = -1};

    snprintf(abstract.name, sizeof(abstract.name), "@zombie-notify-%d", (int)getpid());
    manager_bind(&abstract);
    notify_open();
    notify_send("READY=%d", 1);
    assert_received(&abstract, "READY=1");
    assert_silence(manager);
    close(abstract.fd);
}

static void ignores_other_addresses(void **state)
{
    static const char *const names[] = {"", "/", "@", "relative", "vsock:2:1234", NAME_110};
    struct manager *manager = *state;

    for (size_t i = 0; i < COUNT(names); i++) {
        notify_open(); /* the manager's */
        assert_int_equal(setenv("NOTIFY_SOCKET", names[i], 1), 0);
        assert_int_equal(setenv("WATCHDOG_USEC", "5000000", 1), 0);
        notify_open();
        notify_send("READY=1");
        assert_silence(manager);
        assert_int_equal(notify_watchdog_ms(), 0);
        assert_int_equal(setenv("NOTIFY_SOCKET", manager->name, 1), 0);
    }
}

static void does_nothing_without_a_manager(void **state)
{
    struct manager *manager = *state;

    notify_open();
    unsetenv("NOTIFY_SOCKET");
    notify_open();
    notify_send("READY=1");
    assert_silence(manager);
}

/* The next program finds all it needs, and opening twice is the same as once. */
static void leaves_the_environment(void **state)
{
    struct manager *manager = *state;

    assert_int_equal(setenv("WATCHDOG_USEC", "4000000", 1), 0);
    notify_open();
    assert_string_equal(getenv("NOTIFY_SOCKET"), manager->name);
    assert_string_equal(getenv("WATCHDOG_USEC"), "4000000");
    notify_open();
    notify_send("READY=1");
    assert_received(manager, "READY=1");
    assert_int_equal(notify_watchdog_ms(), 2000);
}

/* A manager that is stuck: this would never return, or the signal would kill. */
static void never_waits(void **state)
{
    struct manager *manager = *state;
    char text[32];
    int received = 0;

    notify_open();
    for (int i = 0; i < 2000; i++)
        notify_send("STATUS=%d", i);
    while (recv(manager->fd, text, sizeof(text), MSG_DONTWAIT) > 0)
        received++;
    assert_true(received > 0 && received < 2000);
    notify_send("STATUS=later");
    assert_received(manager, "STATUS=later");
}

static void survives_the_manager(void **state)
{
    struct manager *manager = *state;

    notify_open();
    close(manager->fd);
    notify_send("STATUS=refused");
    assert_int_equal(unlink(manager->name), 0);
    notify_send("STATUS=nobody there");
    manager_bind(manager);
    notify_send("STATUS=back");
    assert_received(manager, "STATUS=back");
    assert_silence(manager);
}

static void survives_a_lack_of_descriptors(void **state)
{
    struct manager *manager = *state;
    struct rlimit limit;
    struct rlimit none;

    notify_open();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){0, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    notify_send("STATUS=lost");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_silence(manager);
    notify_send("STATUS=sent");
    assert_received(manager, "STATUS=sent");
}

static void keeps_no_descriptor(void **state)
{
    int next = dup(STDOUT_FILENO);

    (void)state;
    assert_true(next >= 0);
    close(next);
    notify_open();
    notify_send("READY=1");
    assert_int_equal(fcntl(next, F_GETFD), -1);
}

static void complains_once(void **state)
{
    struct manager *manager = *state;
    char path[96];
    char text[1024] = "";
    const char *first;
    FILE *file;

    snprintf(path, sizeof(path), "%s/log", manager->folder);
    assert_int_equal(log_open(LOG_LEVEL_DEBUG, LOG_FORMAT_TEXT, path), 0);
    notify_open();
    close(manager->fd);
    notify_send("STATUS=one");
    notify_send("STATUS=two");
    assert_int_equal(log_open(LOG_LEVEL_INFO, LOG_FORMAT_TEXT, "stderr"), 0);
    manager->fd = -1;
    file = fopen(path, "re");
    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    unlink(path);
    first = strstr(text, "cannot notify the service manager: Connection refused");
    assert_non_null(first);
    assert_null(strstr(first + 1, "cannot notify"));
}

static void cuts_a_long_message(void **state)
{
    struct manager *manager = *state;
    char status[NOTIFY_MESSAGE_SIZE * 2];
    char wanted[NOTIFY_MESSAGE_SIZE];

    memset(status, 'x', sizeof(status));
    status[sizeof(status) - 1] = '\0';
    snprintf(wanted, sizeof(wanted), "READY=1\nSTATUS=%.*s",
             (int)(sizeof(wanted) - strlen("READY=1\nSTATUS=") - 1), status);
    notify_open();
    notify_send("READY=1\nSTATUS=%s", status);
    assert_received(manager, wanted);
    assert_silence(manager);
}

static void halves_the_watchdog(void **state)
{
    static const struct {
        const char *usec;
        const char *pid; /* "us": this process */
        int64_t wanted_ms;
    } cases[] = {
        {NULL, NULL, 0},
        {NULL, "us", 0},
        {"30000000", NULL, 15000},
        {"30000000", "us", 15000},
        {"30000000", "1", 0},
        {"30000000", "", 0},
        {"30000000", "zombie", 0},
        {"3999", NULL, 1},
        {"1", NULL, 1},
        {"0", NULL, 0},
        {"", NULL, 0},
        {"-1", NULL, 0},
        {"30s", NULL, 0},
        {"99999999999999999999", NULL, LONG_MAX / 2000},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char us[16];

        unsetenv("WATCHDOG_USEC");
        unsetenv("WATCHDOG_PID");
        snprintf(us, sizeof(us), "%d", (int)getpid());
        if (cases[i].usec)
            setenv("WATCHDOG_USEC", cases[i].usec, 1);
        if (cases[i].pid)
            setenv("WATCHDOG_PID", strcmp(cases[i].pid, "us") == 0 ? us : cases[i].pid, 1);
        notify_open();
        if (notify_watchdog_ms() != cases[i].wanted_ms)
            fail_msg("case %zu: %lld ms", i, (long long)notify_watchdog_ms());
    }
}

static void tells_microseconds(void **state)
{
    int64_t before = notify_monotonic_us();
    struct timespec now;
    int64_t between;

    (void)state;
    clock_gettime(CLOCK_MONOTONIC, &now);
    between = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    assert_true(before > 0 && before <= between && between <= notify_monotonic_us());
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(sends_a_datagram_a_call), CASE(sends_to_an_abstract_name),
        CASE(ignores_other_addresses), CASE(does_nothing_without_a_manager),
        CASE(leaves_the_environment),  CASE(never_waits),
        CASE(survives_the_manager),    CASE(survives_a_lack_of_descriptors),
        CASE(keeps_no_descriptor),     CASE(complains_once),
        CASE(cuts_a_long_message),     CASE(halves_the_watchdog),
        CASE(tells_microseconds),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
