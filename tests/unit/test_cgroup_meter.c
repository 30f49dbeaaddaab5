/*
 * Counters of control groups: fixture trees of every layout met in the field,
 * and what becomes of a counter while it is watched.
 */
#include "config.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/cgroup_meter.h"

#include "cgroup_fixture.h"
#include "cgroup_text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define EVENTS(n)  "low 0\nhigh 0\nmax 7\noom 9\noom_kill " n "\noom_group_kill 8\n"
#define CONTROL(n) "oom_kill_disable 0\nunder_oom 0\noom_kill " n "\n"
#define STAT_BARE  "usage_usec 9\nuser_usec 6\nsystem_usec 3\n"
#define STAT_V2(n) STAT_BARE "nr_periods 2\nnr_throttled 1\nthrottled_usec " n "\nnr_bursts 0\n"
#define STAT_V1(n) "nr_periods 2\nnr_throttled 1\nthrottled_time " n "\n"

static const struct {
    const char *name;
    const char *cgroups;
    const char *mounts;
    struct fixture_file files[8];
    int64_t oom_kills;
    int64_t throttled_us;
} trees[] = {
    {"no files at all", NULL, NULL, {{NULL, NULL}}, -1, -1},
    {"no mountinfo", "0::/\n", NULL, {{NULL, NULL}}, -1, -1},
    {"no cgroup file", NULL, MOUNT_V2("/", V2), {{NULL, NULL}}, -1, -1},
    {"empty files", "", "", {{NULL, NULL}}, -1, -1},
    {"v2 without a kill",
     "0::/a\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/memory.events", EVENTS("0")}},
     0,
     -1},
    {"v2",
     "0::/a\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/memory.events", EVENTS("3")}, {V2 "/a/cpu.stat", STAT_V2("1234")}},
     3,
     1234},
    {"v2 nearest",
     "0::/a/b/c\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/memory.events", EVENTS("9")}, {V2 "/a/b/c/memory.events", EVENTS("1")}},
     1,
     -1},
    {"v2 leaf without controllers",
     "0::/a/b\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/memory.events", EVENTS("4")},
      {V2 "/a/b/cgroup.procs", ""},
      {V2 "/a/b/cpu.stat", STAT_BARE},
      {V2 "/a/cpu.stat", STAT_V2("77")},
      {V2 "/cpu.stat", STAT_V2("88")}},
     4,
     77},
    {"v2 cgroup namespace",
     "0::/\n",
     MOUNT_V2("/", V2),
     {{V2 "/memory.events", EVENTS("2")}, {V2 "/cpu.stat", STAT_V2("0")}},
     2,
     0},
    {"v2 outside of the namespace",
     "0::/../x\n",
     MOUNT_V2("/", V2),
     {{V2 "/memory.events", EVENTS("2")}, {V2 "/cpu.stat", STAT_V2("5")}},
     -1,
     -1},
    {"v2 bind-mounted root",
     "0::/docker/x/y\n",
     MOUNT_V2("/docker/x", V2),
     {{V2 "/y/memory.events", EVENTS("6")}},
     6,
     -1},
    {"v2 through the second mount",
     "0::/a/b\n",
     MOUNT_V2("/a/b", "/one") MOUNT_V2("/", "/two"),
     {{"/two/a/b/memory.events", EVENTS("5")}},
     5,
     -1},
    {"v1",
     "4:cpu,cpuacct:/x\n3:memory:/y\n",
     MOUNT_TMPFS MOUNT_CPU("/", CPU) MOUNT_MEMORY("/", MEMORY),
     {{MEMORY "/y/memory.oom_control", CONTROL("2")},
      {MEMORY "/memory.oom_control", CONTROL("7")},
      {CPU "/x/cpu.stat", STAT_V1("5999")},
      {CPU "/cpu.stat", STAT_V1("90000")}},
     2,
     5},
    {"v1 docker without a namespace",
     "4:cpu,cpuacct:/docker/x\n3:memory:/docker/x\n",
     MOUNT_CPU("/docker/x", CPU) MOUNT_MEMORY("/docker/x", MEMORY),
     {{MEMORY "/memory.oom_control", CONTROL("1")}, {CPU "/cpu.stat", STAT_V1("999")}},
     1,
     0},
    {"v1 of a kernel that does not count",
     "3:memory:/\n",
     MOUNT_MEMORY("/", MEMORY),
     {{MEMORY "/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\n"}},
     -1,
     -1},
    {"hybrid, v1 has both controllers",
     "4:cpu,cpuacct:/x\n3:memory:/x\n1:name=systemd:/u\n0::/u\n",
     MOUNT_TMPFS MOUNT_CPU("/", CPU) MOUNT_MEMORY("/", MEMORY) MOUNT_V2("/", UNIFIED),
     {{MEMORY "/x/memory.oom_control", CONTROL("5")},
      {UNIFIED "/u/cgroup.procs", ""},
      {UNIFIED "/cgroup.controllers", ""},
      {CPU "/x/cpu.stat", STAT_V1("3000")},
      {UNIFIED "/u/cpu.stat", STAT_BARE}},
     5,
     3},
    {"hybrid, v2 has the cpu controller",
     "3:memory:/x\n0::/u\n",
     MOUNT_TMPFS MOUNT_MEMORY("/", MEMORY) MOUNT_V2("/", UNIFIED),
     {{MEMORY "/x/memory.oom_control", CONTROL("5")}, {UNIFIED "/u/cpu.stat", STAT_V2("6")}},
     5,
     6},
    {"hybrid, v2 has the memory controller",
     "4:cpu:/x\n0::/u\n",
     MOUNT_TMPFS MOUNT_CPU("/", CPU) MOUNT_V2("/", UNIFIED),
     {{UNIFIED "/u/memory.events", EVENTS("8")}},
     8,
     -1},
    {"garbage in the proc files",
     "\1\2:::\n::\n0:\n\xff\xfe",
     "- - - -\n\xff 1 2 \\ \\ -\n",
     {{NULL, NULL}},
     -1,
     -1},
    {"v2 garbage below real counts",
     "0::/a/b/c/d\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/memory.events", EVENTS("2")},
      {V2 "/a/b/memory.events", EVENTS("many")},
      {V2 "/a/b/c/memory.events", EVENTS("-1")},
      {V2 "/a/b/c/d/memory.events", "oom_kill\noom_kill_x 5\n"},
      {V2 "/a/cpu.stat", STAT_V2("4")},
      {V2 "/a/b/cpu.stat", STAT_V2("-4")},
      {V2 "/a/b/c/cpu.stat", STAT_V1("4")},
      {V2 "/a/b/c/d/cpu.stat", ""}},
     2,
     4},
    {"v2 more garbage",
     "0::/a/b/c/d/e\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/b/c/d/e/memory.events", LINE_4K "\n" EVENTS("1")}},
     -1,
     -1},
    {"v2 largest numbers",
     "0::/a\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/memory.events", "oom_kill 99999999999999999999\n"},
      {V2 "/a/cpu.stat", STAT_V2("99999999999999999999")}},
     -1,
     -1},
    {"folders in place of files",
     "0::/a\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/memory.events", NULL}, {V2 "/a/cpu.stat", NULL}, {V2 "/cpu.stat", STAT_V2("2")}},
     -1,
     2},
};

static struct cgroup_meter *make(const char *root)
{
    struct cgroup_meter *meter = NULL;

    assert_int_equal(cgroup_meter_new(root, &meter), 0);
    assert_non_null(meter);
    return meter;
}

static void test_trees(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(trees); i++) {
        const struct fixture fixture = {trees[i].cgroups, trees[i].mounts, trees[i].files,
                                        COUNT(trees[i].files)};
        char root[PATH_MAX];
        struct cgroup_meter *meter;
        int64_t kills;
        int64_t throttled;

        fixture_make(&fixture, root);
        meter = make(root);
        kills = cgroup_meter_oom_kills(meter);
        throttled = cgroup_meter_throttled_us(meter);
        cgroup_meter_free(meter);
        fixture_remove(root);
        if (kills != trees[i].oom_kills || throttled != trees[i].throttled_us)
            fail_msg("%s: OOM kills %lld, throttled %lld us", trees[i].name, (long long)kills,
                     (long long)throttled);
    }
}

/* The files are found once; what they say is read each time. */
static void test_counters_rise(void **state)
{
    static const struct fixture_file files[] = {{V2 "/a/memory.events", EVENTS("3")},
                                                {V2 "/a/cpu.stat", STAT_V2("10")}};
    const struct fixture fixture = {"0::/a\n", MOUNT_V2("/", V2), files, COUNT(files)};
    struct cgroup_meter *meter;
    char root[PATH_MAX];

    (void)state;
    fixture_make(&fixture, root);
    meter = make(root);
    assert_int_equal(cgroup_meter_oom_kills(meter), 3);
    assert_int_equal(cgroup_meter_throttled_us(meter), 10);
    fixture_write(root, "/proc/self/cgroup", "0::/nowhere\n");
    fixture_write(root, V2 "/a/memory.events", EVENTS("4"));
    fixture_write(root, V2 "/a/cpu.stat", STAT_V2("1000000000000"));
    assert_int_equal(cgroup_meter_oom_kills(meter), 4);
    assert_int_equal(cgroup_meter_throttled_us(meter), 1000000000000);
    assert_int_equal(cgroup_meter_throttled_us(meter), 1000000000000);
    fixture_write(root, V2 "/a/memory.events", "");
    fixture_write(root, V2 "/a/cpu.stat", STAT_BARE);
    assert_int_equal(cgroup_meter_oom_kills(meter), -1);
    assert_int_equal(cgroup_meter_throttled_us(meter), -1);
    cgroup_meter_free(meter);
    fixture_remove(root);
}

/* Two, and no program that this process starts gets them. */
static void test_descriptors(void **state)
{
    static const struct fixture_file files[] = {{V2 "/a/memory.events", EVENTS("3")},
                                                {V2 "/a/b/cpu.stat", STAT_BARE},
                                                {V2 "/a/cpu.stat", STAT_V2("10")}};
    const struct fixture fixture = {"0::/a/b\n", MOUNT_V2("/", V2), files, COUNT(files)};
    struct cgroup_meter *meter;
    char root[PATH_MAX];
    int next;

    (void)state;
    fixture_make(&fixture, root);
    next = dup(STDOUT_FILENO);
    assert_true(next >= 0);
    close(next);
    meter = make(root);
    assert_int_equal(fcntl(next, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(next + 1, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(next + 2, F_GETFD), -1);
    cgroup_meter_free(meter);
    assert_int_equal(fcntl(next, F_GETFD), -1);
    assert_int_equal(fcntl(next + 1, F_GETFD), -1);
    fixture_remove(root);
}

static void test_no_meter(void **state)
{
    struct cgroup_meter *meter = make("/" LINE_4K);

    (void)state;
    assert_int_equal(cgroup_meter_oom_kills(meter), -1);
    assert_int_equal(cgroup_meter_throttled_us(meter), -1);
    cgroup_meter_free(meter);
    assert_int_equal(cgroup_meter_oom_kills(NULL), -1);
    assert_int_equal(cgroup_meter_throttled_us(NULL), -1);
    cgroup_meter_free(NULL);
}

/* Whatever this machine is: an answer, within bounds, that never goes back. */
static void test_this_machine(void **state)
{
    struct cgroup_meter *meter = make("");
    int64_t kills = cgroup_meter_oom_kills(meter);
    int64_t throttled = cgroup_meter_throttled_us(meter);

    (void)state;
    print_message("# OOM kills %lld, throttled %lld us\n", (long long)kills, (long long)throttled);
    assert_true(kills >= -1 && cgroup_meter_oom_kills(meter) >= kills);
    assert_true(throttled >= -1 && cgroup_meter_throttled_us(meter) >= throttled);
    cgroup_meter_free(meter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trees),        cmocka_unit_test(test_counters_rise),
        cmocka_unit_test(test_descriptors),  cmocka_unit_test(test_no_meter),
        cmocka_unit_test(test_this_machine),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
