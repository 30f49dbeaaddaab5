/*
 * Pinning to a CPU, against a kernel whose mask has any width, and for real.
 */
#include "config.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/cpu_affinity.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CPUS_MAX     8192

/* The kernel of these cases. The definitions below take the place of the C library's. */
static struct {
    bool real;
    size_t mask_bytes;
    int cpus;  /* in the mask, */
    int first; /* ... the first, */
    int step;  /* ... and from each to the next */
    int get_error;
    int set_error;
    int pinned; /* the CPU in the mask that was set; -1: none, -2: several */
} kernel;

static int fail_with(int error)
{
    errno = error;
    return -1;
}

int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
    memset(set, 0, size);
    if (kernel.real)
        return syscall(SYS_sched_getaffinity, pid, size, set) < 0 ? -1 : 0;
    if (kernel.get_error != 0)
        return fail_with(kernel.get_error);
    if (size < kernel.mask_bytes)
        return fail_with(EINVAL);
    for (int i = 0; i < kernel.cpus; i++)
        CPU_SET_S((size_t)(kernel.first + i * kernel.step), size, set);
    return 0;
}

int sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *set)
{
    if (kernel.real)
        return (int)syscall(SYS_sched_setaffinity, pid, size, set);
    kernel.pinned = -1;
    for (int cpu = 0; cpu < CPUS_MAX && (size_t)cpu < size * 8; cpu++) {
        if (CPU_ISSET_S((size_t)cpu, size, set))
            kernel.pinned = kernel.pinned == -1 ? cpu : -2;
    }
    if (kernel.set_error != 0)
        return fail_with(kernel.set_error);
    return kernel.pinned == -1 ? fail_with(EINVAL) : 0;
}

static const struct {
    const char *name;
    size_t mask_bytes;
    int cpus;
    int first;
    int step;
    unsigned number;
    int pinned;
} cases[] = {
    {"one CPU", 8, 1, 0, 1, 1, 0},
    {"one CPU, many workers", 8, 1, 3, 1, 77, 3},
    {"the first", 8, 4, 0, 1, 1, 0},
    {"the last", 8, 4, 0, 1, 4, 3},
    {"from the start again", 8, 4, 0, 1, 5, 0},
    {"second round", 8, 4, 0, 1, 7, 2},
    {"a mask with gaps", 8, 3, 5, 7, 2, 12},
    {"a mask with gaps, second round", 8, 3, 5, 7, 6, 19},
    {"beyond 1024 CPUs", 256, 1792, 0, 1, 1500, 1499},
    {"only high CPUs", 1024, 2, 4000, 4000, 2, 8000},
    {"largest number", 8, 2, 0, 1, 4294967295U, 0},
};

static void pins_to_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int err;

        memset(&kernel, 0, sizeof(kernel));
        kernel.mask_bytes = cases[i].mask_bytes;
        kernel.cpus = cases[i].cpus;
        kernel.first = cases[i].first;
        kernel.step = cases[i].step;
        err = cpu_affinity_pin(cases[i].number);
        if (err != 0 || kernel.pinned != cases[i].pinned)
            fail_msg("%s: %d, CPU %d", cases[i].name, err, kernel.pinned);
    }
}

static void tells_failures(void **state)
{
    static const struct {
        int cpus;
        int get_error;
        int set_error;
        unsigned number;
        int result;
    } failures[] = {
        {2, ENOSYS, 0, 1, -ENOSYS}, {2, EPERM, 0, 1, -EPERM},   {2, EINVAL, 0, 1, -EINVAL},
        {2, 0, EPERM, 1, -EPERM},   {2, 0, EINVAL, 1, -EINVAL}, {0, 0, 0, 1, -EINVAL},
        {2, 0, 0, 0, -EINVAL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(failures); i++) {
        memset(&kernel, 0, sizeof(kernel));
        kernel.mask_bytes = 8;
        kernel.cpus = failures[i].cpus;
        kernel.step = 1;
        kernel.get_error = failures[i].get_error;
        kernel.set_error = failures[i].set_error;
        assert_int_equal(cpu_affinity_pin(failures[i].number), failures[i].result);
    }
}

/* In a child: pinned, it runs there and has one CPU. */
static int pin_for_real(unsigned number)
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        int err = cpu_affinity_pin(number);

        _exit(err == 0 && cpu_affinity_count() == 1 ? sched_getcpu() & 63 : 255);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void pins_this_machine(void **state)
{
    unsigned count;
    int first;

    (void)state;
    memset(&kernel, 0, sizeof(kernel));
    kernel.real = true;
    count = (unsigned)cpu_affinity_count();
    first = pin_for_real(1);
    assert_int_not_equal(first, 255);
    assert_int_equal(pin_for_real(count + 1), first);
    if (count > 1 && count <= 64)
        assert_int_not_equal(pin_for_real(2), first);
    assert_int_equal(cpu_affinity_count(), count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pins_to_each),
        cmocka_unit_test(tells_failures),
        cmocka_unit_test(pins_this_machine),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
