/*
 * CPU quotas: fixture trees of every layout met in the field.
 */
#include "config.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/cgroup.h"

#include "cgroup_fixture.h"
#include "cgroup_text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *name;
    const char *cgroups;
    const char *mounts;
    struct fixture_file files[8];
    int64_t quota_milli;
} trees[] = {
    {"no files at all", NULL, NULL, {{NULL, NULL}}, 0},
    {"no mountinfo", "0::/\n", NULL, {{V2 "/cpu.max", "100000 100000\n"}}, 0},
    {"no cgroup file", NULL, MOUNT_V2("/", V2), {{V2 "/cpu.max", "100000 100000\n"}}, 0},
    {"empty files", "", "", {{NULL, NULL}}, 0},
    {"v2 without a limit", "0::/a\n", MOUNT_V2("/", V2), {{V2 "/a/cpu.max", "max 100000\n"}}, 0},
    {"v2", "0::/a\n", MOUNT_V2("/", V2), {{V2 "/a/cpu.max", "350000 100000\n"}}, 3500},
    {"v2 tenth of a CPU", "0::/a\n", MOUNT_V2("/", V2), {{V2 "/a/cpu.max", "10000 100000\n"}}, 100},
    {"v2 rounds up", "0::/a\n", MOUNT_V2("/", V2), {{V2 "/a/cpu.max", "1000 3000000\n"}}, 1},
    {"v2 tighter parent",
     "0::/a/b/c\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/cpu.max", "150000 100000\n"},
      {V2 "/a/b/cpu.max", "max 100000\n"},
      {V2 "/a/b/c/cpu.max", "400000 100000\n"}},
     1500},
    {"v2 tighter leaf",
     "0::/a/b\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/cpu.max", "400000 100000\n"}, {V2 "/a/b/cpu.max", "50000 100000\n"}},
     500},
    {"v2 other periods",
     "0::/a/b\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/cpu.max", "40000 20000\n"}, {V2 "/a/b/cpu.max", "900000 1000000\n"}},
     900},
    {"v2 leaf without controllers",
     "0::/a/b\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/b/cgroup.procs", ""}, {V2 "/a/cpu.max", "200000 100000\n"}},
     2000},
    {"v2 leaf that was removed",
     "0::/a/b (deleted)\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/cpu.max", "200000 100000\n"}},
     2000},
    {"v2 cgroup namespace",
     "0::/\n",
     MOUNT_V2("/", V2),
     {{V2 "/cpu.max", "200000 100000\n"}},
     2000},
    {"v2 outside of the namespace",
     "0::/../x\n",
     MOUNT_V2("/", V2),
     {{V2 "/cpu.max", "100000 100000\n"},
      {V2 "/x/cpu.max", "100000 100000\n"},
      {"/sys/fs/x/cpu.max", "100000 100000\n"}},
     0},
    {"v2 mounted from above the namespace",
     "0::/../x\n",
     MOUNT_V2("/..", V2),
     {{V2 "/cpu.max", "300000 100000\n"}, {V2 "/x/cpu.max", "250000 100000\n"}},
     2500},
    {"v2 bind-mounted root",
     "0::/docker/x/y\n",
     MOUNT_V2("/docker/x", V2),
     {{V2 "/cpu.max", "200000 100000\n"},
      {V2 "/y/cpu.max", "300000 100000\n"},
      {V2 "/docker/x/y/cpu.max", "100000 100000\n"}},
     2000},
    {"v2 tighter through the second mount",
     "0::/a/b\n",
     MOUNT_V2("/a/b", "/one") MOUNT_V2("/", "/two"),
     {{"/one/cpu.max", "300000 100000\n"},
      {"/two/a/b/cpu.max", "300000 100000\n"},
      {"/two/a/cpu.max", "100000 100000\n"}},
     1000},
    {"v2 escaped mount",
     "0::/a b\n",
     MOUNT_V2("/", "/mnt/c\\040g"),
     {{"/mnt/c g/a b/cpu.max", "200000 100000\n"}},
     2000},
    {"v1",
     "4:cpu,cpuacct:/x\n3:memory:/y\n",
     MOUNT_TMPFS MOUNT_CPU("/", CPU) MOUNT_MEMORY("/", MEMORY),
     {{CPU "/x/cpu.cfs_quota_us", "350000\n"},
      {CPU "/x/cpu.cfs_period_us", "100000\n"},
      {CPU "/cpu.cfs_quota_us", "-1\n"},
      {CPU "/cpu.cfs_period_us", "100000\n"}},
     3500},
    {"v1 without a limit",
     "4:cpuacct,cpu:/x\n",
     MOUNT_TMPFS MOUNT_CPU("/", CPU),
     {{CPU "/x/cpu.cfs_quota_us", "-1\n"}, {CPU "/x/cpu.cfs_period_us", "100000\n"}},
     0},
    {"v1 tighter parent",
     "4:cpu:/x/y\n",
     MOUNT_CPU("/", CPU),
     {{CPU "/x/cpu.cfs_quota_us", "120000\n"},
      {CPU "/x/cpu.cfs_period_us", "100000\n"},
      {CPU "/x/y/cpu.cfs_quota_us", "200000\n"},
      {CPU "/x/y/cpu.cfs_period_us", "100000\n"}},
     1200},
    {"v1 docker without a namespace",
     "4:cpu,cpuacct:/docker/x\n3:memory:/docker/x\n",
     MOUNT_CPU("/docker/x", CPU) MOUNT_MEMORY("/docker/x", MEMORY),
     {{CPU "/cpu.cfs_quota_us", "150000\n"}, {CPU "/cpu.cfs_period_us", "100000\n"}},
     1500},
    {"hybrid, v1 has both controllers",
     "4:cpu,cpuacct:/x\n3:memory:/x\n1:name=systemd:/u\n0::/u\n",
     MOUNT_TMPFS MOUNT_CPU("/", CPU) MOUNT_MEMORY("/", MEMORY) MOUNT_V2("/", UNIFIED),
     {{CPU "/x/cpu.cfs_quota_us", "250000\n"},
      {CPU "/x/cpu.cfs_period_us", "100000\n"},
      {UNIFIED "/u/cgroup.procs", ""},
      {UNIFIED "/cgroup.controllers", ""}},
     2500},
    {"hybrid, v2 has the cpu controller",
     "3:memory:/x\n0::/u\n",
     MOUNT_TMPFS MOUNT_MEMORY("/", MEMORY) MOUNT_V2("/", UNIFIED),
     {{UNIFIED "/u/cpu.max", "150000 100000\n"}},
     1500},
    {"hybrid, v2 has the memory controller",
     "4:cpu:/x\n0::/u\n",
     MOUNT_TMPFS MOUNT_CPU("/", CPU) MOUNT_V2("/", UNIFIED),
     {{CPU "/x/cpu.cfs_quota_us", "50000\n"}, {CPU "/x/cpu.cfs_period_us", "100000\n"}},
     500},
    {"garbage in the proc files",
     "\1\2:::\n::\n0:\n\xff\xfe",
     "- - - -\n\xff 1 2 \\ \\ -\n",
     {{V2 "/cpu.max", "100000 100000\n"}},
     0},
    {"v2 garbage below a real limit",
     "0::/a/b/c/d\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/cpu.max", "700000 100000\n"},
      {V2 "/a/b/cpu.max", "100000 0\n"},
      {V2 "/a/b/c/cpu.max", "0 100000\n"},
      {V2 "/a/b/c/d/cpu.max", "zombie\n"}},
     7000},
    {"v2 more garbage",
     "0::/a/b/c/d/e\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/cpu.max", "100000\n"},
      {V2 "/a/b/cpu.max", ""},
      {V2 "/a/b/c/cpu.max", "-100000 100000\n"},
      {V2 "/a/b/c/d/cpu.max", "99999999999999999999 1\n"},
      {V2 "/a/b/c/d/e/cpu.max", LINE_4K "\n100000 100000\n"}},
     0},
    {"v2 largest numbers",
     "0::/a\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/cpu.max", "2000000000 1\n"}},
     2000000000000},
    {"folders in place of files",
     "0::/a\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/cpu.max", NULL}, {V2 "/cpu.max", "400000 100000\n"}},
     4000},
    {"v1 garbage",
     "4:cpu:/x/y/z\n",
     MOUNT_CPU("/", CPU),
     {{CPU "/x/y/z/cpu.cfs_quota_us", "100000\n"},
      {CPU "/x/y/cpu.cfs_quota_us", "100000\n"},
      {CPU "/x/y/cpu.cfs_period_us", "0\n"},
      {CPU "/x/cpu.cfs_quota_us", "1e5\n"},
      {CPU "/x/cpu.cfs_period_us", "100000\n"},
      {CPU "/cpu.cfs_quota_us", "300000"},
      {CPU "/cpu.cfs_period_us", "100000"}},
     3000},
};

static void test_trees(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(trees); i++) {
        const struct fixture fixture = {trees[i].cgroups, trees[i].mounts, trees[i].files,
                                        COUNT(trees[i].files)};
        char root[PATH_MAX];
        int64_t quota;

        fixture_make(&fixture, root);
        quota = cgroup_cpu_quota_milli(root);
        fixture_remove(root);
        if (quota != trees[i].quota_milli)
            fail_msg("%s: quota %lld", trees[i].name, (long long)quota);
    }
}

/* A mountinfo beyond the bound is read as far as the bound. */
static void test_huge_mountinfo(void **state)
{
    static const char filler[] = "40 23 0:40 / /srv rw - ext4 /dev/sda rw\n";
    static const struct fixture_file files[] = {{V2 "/a/cpu.max", "200000 100000\n"}};
    const size_t size = 5U * 1024 * 1024;
    const size_t first_len = strlen(MOUNT_V2("/", V2));
    char *text = malloc(size + 1);
    const struct fixture fixture = {"0::/a\n", text, files, COUNT(files)};
    char root[PATH_MAX];

    (void)state;
    assert_non_null(text);
    memcpy(text, MOUNT_V2("/", V2), first_len);
    for (size_t i = first_len; i < size; i++)
        text[i] = filler[(i - first_len) % strlen(filler)];
    text[size] = '\0';
    fixture_make(&fixture, root);
    free(text);
    assert_int_equal(cgroup_cpu_quota_milli(root), 2000);
    fixture_remove(root);
}

static void test_root_that_is_too_long(void **state)
{
    (void)state;
    assert_int_equal(cgroup_cpu_quota_milli("/" LINE_4K), 0);
}

/* Whatever this machine is: an answer, and within bounds. */
static void test_this_machine(void **state)
{
    (void)state;
    assert_true(cgroup_cpu_quota_milli("") >= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trees),
        cmocka_unit_test(test_huge_mountinfo),
        cmocka_unit_test(test_root_that_is_too_long),
        cmocka_unit_test(test_this_machine),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
