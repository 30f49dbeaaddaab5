/*
 * Resident memory of processes, and the score by which the kernel picks its
 * victim. Children do what cannot be undone.
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
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/memory.h"
#include "host/oom_score.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BLOCK_BYTES  (32 * 1024 * 1024)

static void sees_what_is_touched(void **state)
{
    int64_t before = memory_resident_bytes(getpid());
    int64_t reserved;
    char *block =
        mmap(NULL, BLOCK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)state;
    assert_true(block != MAP_FAILED);
    reserved = memory_resident_bytes(getpid());
    memset(block, 1, BLOCK_BYTES);
    assert_true(before > 0 && before % sysconf(_SC_PAGESIZE) == 0);
    assert_true(reserved < before + BLOCK_BYTES / 2);
    assert_true(memory_resident_bytes(getpid()) > before + BLOCK_BYTES / 2);
    munmap(block, BLOCK_BYTES);
    assert_true(memory_resident_bytes(getpid()) < before + BLOCK_BYTES / 2);
}

/* Running, dead, reaped; and ids that nobody has. */
static void sees_the_end(void **state)
{
    siginfo_t info;
    int end[2];
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(end), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char byte;

        close(end[1]);
        _exit(read(end[0], &byte, 1) == 0 ? 0 : 1);
    }
    assert_true(memory_resident_bytes(pid) > 0);
    close(end[0]);
    close(end[1]);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(memory_resident_bytes(pid), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(memory_resident_bytes(pid), -1);
    assert_int_equal(memory_resident_bytes(0), -1);
    assert_int_equal(memory_resident_bytes(-5), -1);
}

static long read_adj(void)
{
    FILE *file = fopen("/proc/self/oom_score_adj", "re");
    long adj = LONG_MIN;

    if (file && fscanf(file, "%ld", &adj) != 1)
        adj = LONG_MIN;
    if (file)
        fclose(file);
    return adj;
}

/* In a child: exits with 0 when raising by `adj` twice does what it should. */
static void raise_twice(long adj)
{
    long before = read_adj();
    long wanted = adj > 1000 - before ? 1000 : before + adj;

    if (before == LONG_MIN || oom_score_raise(adj) != 0 || read_adj() != wanted)
        _exit(1);
    wanted = adj > 1000 - wanted ? 1000 : wanted + adj;
    if (oom_score_raise(adj) != 0 || read_adj() != wanted)
        _exit(2);
    _exit(0);
}

static void raises_the_score(void **state)
{
    static const long adjs[] = {0, 1, 300, 600, 1000, 1001, LONG_MAX};
    long before = read_adj();

    (void)state;
    for (size_t i = 0; i < COUNT(adjs); i++) {
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0)
            raise_twice(adjs[i]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (status != 0)
            fail_msg("by %ld: status %#x", adjs[i], (unsigned)status);
    }
    assert_int_equal(read_adj(), before);
}

static void lowers_nothing(void **state)
{
    long before = read_adj();

    (void)state;
    assert_int_equal(oom_score_raise(-1), -EINVAL);
    assert_int_equal(oom_score_raise(LONG_MIN), -EINVAL);
    assert_int_equal(read_adj(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sees_what_is_touched),
        cmocka_unit_test(sees_the_end),
        cmocka_unit_test(raises_the_score),
        cmocka_unit_test(lowers_nothing),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
