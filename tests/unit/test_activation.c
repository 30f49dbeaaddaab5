/*
 * Socket activation: each case is a child with its own environment and its own
 * descriptors from 3 on.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/activation.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FIRST_FD     3
#define SPARE_FD     100 /* beyond those that a case has */

/* What may be inherited. */
enum kind { NOTHING, TCP, UNIX, SEQPACKET, UNBOUND, DATAGRAM, PIPE };

#define ADVICE ", check Accept=no and ListenStream= of the socket unit"

static const struct {
    const char *name;
    const char *pid; /* "us": the child's; NULL: not set */
    const char *fds;
    enum kind kinds[3];
    int result;
    const char *line; /* in the log; NULL: none */
} cases[] = {
    {"nothing set", NULL, NULL, {TCP}, 0, NULL},
    {"no process", NULL, "1", {TCP}, 0, NULL},
    {"another process", "1", "1", {TCP}, 0, NULL},
    {"another process's nonsense", "1", "many", {TCP}, 0, NULL},
    {"no count", "us", NULL, {TCP}, 0, NULL},
    {"none", "us", "0", {TCP}, 0, NULL},
    {"one", "us", "1", {TCP}, 1, NULL},
    {"three", "us", "3", {TCP, UNIX, TCP}, 3, NULL},
    {"fewer than there are", "us", "1", {UNIX, PIPE}, 1, NULL},
    {"process is nonsense", "12x", "1", {TCP}, -EINVAL, "LISTEN_PID: \"12x\" is not a number"},
    {"count is nonsense", "us", "many", {TCP}, -EINVAL, "LISTEN_FDS: \"many\" is not a number"},
    {"count is empty", "us", "", {TCP}, -EINVAL, "LISTEN_FDS: \"\" is not a number"},
    {"count is negative", "us", "-1", {TCP}, -EINVAL, "LISTEN_FDS: \"-1\" is not a number"},
    {"too many", "us", "1025", {TCP}, -EINVAL, "\"1025\" is not a number from 0 to 1024"},
    {"far too many", "us", "99999999999999999999", {TCP}, -EINVAL, "is not a number from 0 to"},
    {"more than there are", "us", "2", {TCP}, -EBADF, "LISTEN_FDS: descriptor 4 is not open"},
    {"largest count", "us", "1024", {NOTHING}, -EBADF, "LISTEN_FDS: descriptor 3 is not open"},
    {"does not listen",
     "us",
     "2",
     {TCP, UNBOUND},
     -EINVAL,
     "LISTEN_FDS: descriptor 4 is no listening stream socket" ADVICE},
    {"a datagram socket", "us", "1", {DATAGRAM}, -EINVAL, "descriptor 3 is no listening stream"},
    {"listens for packets", "us", "1", {SEQPACKET}, -EINVAL, "descriptor 3 is no listening stream"},
    {"no socket", "us", "3", {TCP, UNIX, PIPE}, -EINVAL, "descriptor 5 is no listening stream"},
};

/* On a free port of 127.0.0.1, or with an abstract name of the kernel's choice. */
static int make_listener(sa_family_t family, int type)
{
    struct sockaddr_in in = {.sin_family = family, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(family, type, 0);
    socklen_t len = family == AF_INET ? sizeof(in) : sizeof(family);

    if (fd < 0 || bind(fd, (struct sockaddr *)&in, len) != 0 || listen(fd, 8) != 0)
        return -1;
    return fd;
}

static int make(enum kind kind)
{
    int ends[2];

    switch (kind) {
    case TCP:
        return make_listener(AF_INET, SOCK_STREAM);
    case UNIX:
        return make_listener(AF_UNIX, SOCK_STREAM);
    case SEQPACKET:
        return make_listener(AF_UNIX, SOCK_SEQPACKET);
    case UNBOUND:
        return socket(AF_INET, SOCK_STREAM, 0);
    case DATAGRAM:
        return socket(AF_INET, SOCK_DGRAM, 0);
    case PIPE:
        return pipe(ends) == 0 ? ends[0] : -1;
    default:
        return -1;
    }
}

/* In the child: have what the case has, and nothing else, from FIRST_FD on. */
static void inherit(const enum kind kinds[3])
{
    int made[3];

    for (size_t i = 0; i < 3; i++) {
        int fd = make(kinds[i]);

        made[i] = fd < 0 ? -1 : fcntl(fd, F_DUPFD, SPARE_FD);
    }
    for (int fd = FIRST_FD; fd < SPARE_FD; fd++)
        close(fd);
    for (size_t i = 0; i < 3; i++) {
        if (made[i] >= 0 && dup2(made[i], FIRST_FD + (int)i) < 0)
            _exit(100);
    }
}

static void set_environment(const char *pid, const char *fds)
{
    char us[16];

    snprintf(us, sizeof(us), "%d", (int)getpid());
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    setenv("LISTEN_FDNAMES", "web", 1);
    if (pid)
        setenv("LISTEN_PID", strcmp(pid, "us") == 0 ? us : pid, 1);
    if (fds)
        setenv("LISTEN_FDS", fds, 1);
}

/* Whether the descriptors that were taken are ready for use, and the others are as before. */
static bool are_claimed(int taken)
{
    for (int fd = FIRST_FD; fd < FIRST_FD + 3; fd++) {
        bool ours = fd < FIRST_FD + taken;

        if (fcntl(fd, F_GETFD) < 0)
            continue;
        if (fcntl(fd, F_GETFD) != (ours ? FD_CLOEXEC : 0))
            return false;
        if (((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0) != ours)
            return false;
    }
    return true;
}

/* The child's life; its exit status says which expectation failed. */
static void live(size_t i)
{
    int first = -1;
    int result;

    inherit(cases[i].kinds);
    set_environment(cases[i].pid, cases[i].fds);
    result = activation_take(&first);
    if (result != cases[i].result)
        _exit(1);
    if (result > 0 && first != FIRST_FD)
        _exit(2);
    if (!are_claimed(result > 0 ? result : 0))
        _exit(3);
    if (getenv("LISTEN_PID") || getenv("LISTEN_FDS") || getenv("LISTEN_FDNAMES"))
        _exit(4);
    if (activation_take(&first) != 0)
        _exit(5);
    _exit(0);
}

/* Run one case; returns the wait status and what the child logged. */
static int run(size_t i, char *log, size_t size)
{
    int ends[2];
    int status;
    ssize_t n;
    size_t len = 0;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        live(i);
    }
    close(ends[1]);
    while ((n = read(ends[0], log + len, size - 1 - len)) > 0)
        len += (size_t)n;
    log[len] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void takes_what_is_meant_for_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char log[2048];
        int status = run(i, log, sizeof(log));
        bool said = cases[i].line ? strstr(log, cases[i].line) != NULL : log[0] == '\0';

        if (status != 0 || !said)
            fail_msg("%s: status %#x, log \"%s\"", cases[i].name, (unsigned)status, log);
    }
}

static void tells_addresses(void **state)
{
    char text[ADDRESS_TEXT_SIZE];
    struct address address;
    int tcp = make(TCP);
    int unix_fd = make(UNIX);

    (void)state;
    assert_int_equal(activation_address(tcp, &address), 0);
    address_format(&address, text);
    assert_memory_equal(text, "127.0.0.1:", strlen("127.0.0.1:"));
    assert_true(address_port(&address) > 0);
    assert_int_equal(activation_address(unix_fd, &address), 0);
    assert_int_equal(address.storage.ss_family, AF_UNIX);
    address_format(&address, text);
    assert_memory_equal(text, "unix:@", strlen("unix:@"));
    close(tcp);
    close(unix_fd);
}

/* It compares equal to what the configuration says: a path, and an address that is parsed. */
static void tells_addresses_that_compare(void **state)
{
    char folder[] = "/tmp/zombie-activation-XXXXXX";
    char text[ADDRESS_TEXT_SIZE];
    struct address wanted;
    struct address address;
    const char *why;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(text, sizeof(text), "unix:%s/s", folder);
    assert_int_equal(address_parse(text, &wanted, &why), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&wanted.storage, wanted.len), 0);
    assert_int_equal(activation_address(fd, &address), 0);
    unlink(text + strlen("unix:"));
    rmdir(folder);
    close(fd);
    assert_true(address_equal(&address, &wanted));

    fd = make(TCP);
    assert_int_equal(activation_address(fd, &address), 0);
    address_format(&address, text);
    close(fd);
    assert_int_equal(address_parse(text, &wanted, &why), 0);
    assert_true(address_equal(&address, &wanted));
}

static void has_no_address(void **state)
{
    struct address address = {.len = 1};
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(activation_address(ends[0], &address), -ENOTSOCK);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(activation_address(-1, &address), -EBADF);
    ends[0] = socket(AF_NETLINK, SOCK_RAW, 0);
    if (ends[0] >= 0)
        assert_int_equal(activation_address(ends[0], &address), -EAFNOSUPPORT);
    close(ends[0]);
    assert_int_equal(address.len, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_is_meant_for_it),
        cmocka_unit_test(tells_addresses),
        cmocka_unit_test(tells_addresses_that_compare),
        cmocka_unit_test(has_no_address),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
