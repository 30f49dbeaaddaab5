/*
 * The number of workers and the sentence that explains it; the CPUs of the
 * affinity mask against a kernel whose mask has any width.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/cpu_affinity.h"
#include "host/cpu_count.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *name;
    struct cpu_facts facts;
    long reserved;
    long containers;
    long workers;
    const char *sentence;
} cases[] = {
    {"one CPU", {1, 0}, 0, 1, 1, "cpus 1 (affinity 1) = 1 worker"},
    {"all CPUs", {8, 0}, 0, 1, 8, "cpus 8 (affinity 8) = 8 workers"},
    {"the field case",
     {16, 0},
     1,
     3,
     5,
     "cpus 16 (affinity 16) - 1 reserved / containers 3 = 5 workers"},
    {"whole part only", {16, 0}, 0, 3, 5, "cpus 16 (affinity 16) / containers 3 = 5 workers"},
    {"two containers with a fraction of a quota",
     {8, 3500},
     0,
     2,
     2,
     "cpus 4 (affinity 8, quota 3.5 rounded up) / containers 2 = 2 workers"},
    {"whole quota", {8, 2000}, 0, 1, 2, "cpus 2 (affinity 8, quota 2) = 2 workers"},
    {"tenth of a CPU", {8, 100}, 0, 1, 1, "cpus 1 (affinity 8, quota 0.1 rounded up) = 1 worker"},
    {"thousandth of a CPU",
     {8, 1},
     0,
     1,
     1,
     "cpus 1 (affinity 8, quota 0.001 rounded up) = 1 worker"},
    {"hundredths", {8, 1250}, 0, 1, 2, "cpus 2 (affinity 8, quota 1.25 rounded up) = 2 workers"},
    {"zeros inside the fraction",
     {8, 2050},
     0,
     1,
     3,
     "cpus 3 (affinity 8, quota 2.05 rounded up) = 3 workers"},
    {"quota of a hair more",
     {8, 2001},
     0,
     1,
     3,
     "cpus 3 (affinity 8, quota 2.001 rounded up) = 3 workers"},
    {"affinity below the quota",
     {2, 3500},
     0,
     1,
     2,
     "cpus 2 (affinity 2, quota 3.5 rounded up) = 2 workers"},
    {"quota as large as the affinity",
     {4, 4000},
     0,
     1,
     4,
     "cpus 4 (affinity 4, quota 4) = 4 workers"},
    {"more containers than CPUs",
     {2, 0},
     0,
     3,
     1,
     "cpus 2 (affinity 2) / containers 3 = 1 worker, the minimum"},
    {"as many containers as CPUs",
     {3, 0},
     0,
     3,
     1,
     "cpus 3 (affinity 3) / containers 3 = 1 worker"},
    {"all reserved", {4, 0}, 4, 1, 1, "cpus 4 (affinity 4) - 4 reserved = 1 worker, the minimum"},
    {"more reserved than there are",
     {4, 0},
     9,
     2,
     1,
     "cpus 4 (affinity 4) - 9 reserved / containers 2 = 1 worker, the minimum"},
    {"all but one reserved", {4, 0}, 3, 1, 1, "cpus 4 (affinity 4) - 3 reserved = 1 worker"},
    {"reserved of a quota",
     {64, 7200},
     2,
     3,
     2,
     "cpus 8 (affinity 64, quota 7.2 rounded up) - 2 reserved / containers 3 = 2 workers"},
    {"wide machine",
     {5120, 0},
     0,
     4,
     1280,
     "cpus 5120 (affinity 5120) / containers 4 = 1280 workers"},
};

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        long workers = cpu_count_workers(&cases[i].facts, cases[i].reserved, cases[i].containers);
        char sentence[CPU_COUNT_TEXT_SIZE];

        cpu_count_describe(&cases[i].facts, cases[i].reserved, cases[i].containers, sentence);
        if (workers != cases[i].workers || strcmp(sentence, cases[i].sentence) != 0)
            fail_msg("%s: %ld workers, \"%s\"", cases[i].name, workers, sentence);
    }
}

/* Absurd facts must neither overflow nor leave the sentence without an end. */
static void test_extremes(void **state)
{
    static const struct cpu_facts facts[] = {{LONG_MAX, 0}, {LONG_MAX, INT64_MAX}, {1, INT64_MAX}};
    char sentence[CPU_COUNT_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(facts); i++) {
        assert_true(cpu_count_workers(&facts[i], LONG_MAX, LONG_MAX) == 1);
        memset(sentence, 'x', sizeof(sentence));
        cpu_count_describe(&facts[i], LONG_MAX, LONG_MAX, sentence);
        assert_true(strnlen(sentence, sizeof(sentence)) < sizeof(sentence));
    }
}

/* The kernel of the affinity cases. This definition takes the place of the C library's. */
static struct {
    size_t mask_bytes;
    int cpus; /* evenly spread over the mask */
    int error;
    int calls;
} kernel;

int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
    size_t bits = kernel.mask_bytes * 8;

    (void)pid;
    kernel.calls++;
    if (kernel.error != 0 || size < kernel.mask_bytes) {
        errno = kernel.error != 0 ? kernel.error : EINVAL;
        return -1;
    }
    CPU_ZERO_S(size, set);
    for (size_t i = 0; i < (size_t)kernel.cpus; i++)
        CPU_SET_S(i * bits / (size_t)kernel.cpus, size, set);
    return 0;
}

static const struct {
    const char *name;
    size_t mask_bytes;
    int cpus;
    int error;
    long count;
    int calls;
} masks[] = {
    {"one CPU", 8, 1, 0, 1, 1},
    {"full first mask", 128, 1024, 0, 1024, 1},
    {"kernel for 8192 CPUs", 1024, 96, 0, 96, 4},
    {"more than 1024 CPUs", 256, 1792, 0, 1792, 2},
    {"not allowed to ask", 8, 4, EPERM, 1, 1},
    {"no such call", 8, 4, ENOSYS, 1, 1},
    {"EINVAL for ever", 8, 4, EINVAL, 1, 11},
    {"an empty mask", 8, 0, 0, 1, 1},
};

static void test_affinity(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(masks); i++) {
        long count;

        kernel.mask_bytes = masks[i].mask_bytes;
        kernel.cpus = masks[i].cpus;
        kernel.error = masks[i].error;
        kernel.calls = 0;
        count = cpu_affinity_count();
        if (count != masks[i].count || kernel.calls != masks[i].calls)
            fail_msg("%s: %ld CPUs after %d calls", masks[i].name, count, kernel.calls);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_affinity),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
