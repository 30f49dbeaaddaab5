/*
 * Control groups: fixture trees of every layout met in the field.
 */
#include "config.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/cgroup.h"

#include "cgroup_text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define V2      "/sys/fs/cgroup"
#define CPU     "/sys/fs/cgroup/cpu,cpuacct"
#define MEMORY  "/sys/fs/cgroup/memory"
#define UNIFIED "/sys/fs/cgroup/unified"

#define EVENTS(n)  "low 0\nhigh 0\nmax 7\noom 9\noom_kill " n "\noom_group_kill 8\n"
#define CONTROL(n) "oom_kill_disable 0\nunder_oom 0\noom_kill " n "\n"

struct fixture_file {
    const char *path;
    const char *content; /* NULL: a folder of that name */
};

static const struct {
    const char *name;
    const char *cgroups; /* of /proc/self/cgroup; NULL: no such file */
    const char *mounts;
    struct fixture_file files[8];
    int64_t quota_milli;
    int64_t oom_kills;
} trees[] = {
    {"no files at all", NULL, NULL, {{NULL, NULL}}, 0, -1},
    {"no mountinfo", "0::/\n", NULL, {{V2 "/cpu.max", "100000 100000\n"}}, 0, -1},
    {"no cgroup file", NULL, MOUNT_V2("/", V2), {{V2 "/cpu.max", "100000 100000\n"}}, 0, -1},
    {"empty files", "", "", {{NULL, NULL}}, 0, -1},
    {"v2 without a limit",
     "0::/a\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/cpu.max", "max 100000\n"}, {V2 "/a/memory.events", EVENTS("0")}},
     0,
     0},
    {"v2",
     "0::/a\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/cpu.max", "350000 100000\n"}, {V2 "/a/memory.events", EVENTS("3")}},
     3500,
     3},
    {"v2 tenth of a CPU",
     "0::/a\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/cpu.max", "10000 100000\n"}},
     100,
     -1},
    {"v2 rounds up", "0::/a\n", MOUNT_V2("/", V2), {{V2 "/a/cpu.max", "1000 3000000\n"}}, 1, -1},
    {"v2 tighter parent",
     "0::/a/b/c\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/cpu.max", "150000 100000\n"},
      {V2 "/a/b/cpu.max", "max 100000\n"},
      {V2 "/a/b/c/cpu.max", "400000 100000\n"},
      {V2 "/a/memory.events", EVENTS("9")},
      {V2 "/a/b/c/memory.events", EVENTS("1")}},
     1500,
     1},
    {"v2 tighter leaf",
     "0::/a/b\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/cpu.max", "400000 100000\n"}, {V2 "/a/b/cpu.max", "50000 100000\n"}},
     500,
     -1},
    {"v2 other periods",
     "0::/a/b\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/cpu.max", "40000 20000\n"}, {V2 "/a/b/cpu.max", "900000 1000000\n"}},
     900,
     -1},
    {"v2 leaf without controllers",
     "0::/a/b\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/b/cgroup.procs", ""},
      {V2 "/a/cpu.max", "200000 100000\n"},
      {V2 "/a/memory.events", EVENTS("4")}},
     2000,
     4},
    {"v2 leaf that was removed",
     "0::/a/b (deleted)\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/cpu.max", "200000 100000\n"}},
     2000,
     -1},
    {"v2 cgroup namespace",
     "0::/\n",
     MOUNT_V2("/", V2),
     {{V2 "/cpu.max", "200000 100000\n"}, {V2 "/memory.events", EVENTS("2")}},
     2000,
     2},
    {"v2 outside of the namespace",
     "0::/../x\n",
     MOUNT_V2("/", V2),
     {{V2 "/cpu.max", "100000 100000\n"},
      {V2 "/x/cpu.max", "100000 100000\n"},
      {"/sys/fs/x/cpu.max", "100000 100000\n"},
      {V2 "/memory.events", EVENTS("2")}},
     0,
     -1},
    {"v2 mounted from above the namespace",
     "0::/../x\n",
     MOUNT_V2("/..", V2),
     {{V2 "/cpu.max", "300000 100000\n"}, {V2 "/x/cpu.max", "250000 100000\n"}},
     2500,
     -1},
    {"v2 bind-mounted root",
     "0::/docker/x/y\n",
     MOUNT_V2("/docker/x", V2),
     {{V2 "/cpu.max", "200000 100000\n"},
      {V2 "/y/cpu.max", "300000 100000\n"},
      {V2 "/docker/x/y/cpu.max", "100000 100000\n"},
      {V2 "/y/memory.events", EVENTS("6")}},
     2000,
     6},
    {"v2 tighter through the second mount",
     "0::/a/b\n",
     MOUNT_V2("/a/b", "/one") MOUNT_V2("/", "/two"),
     {{"/one/cpu.max", "300000 100000\n"},
      {"/two/a/b/cpu.max", "300000 100000\n"},
      {"/two/a/cpu.max", "100000 100000\n"},
      {"/two/a/b/memory.events", EVENTS("5")}},
     1000,
     5},
    {"v2 escaped mount",
     "0::/a b\n",
     MOUNT_V2("/", "/mnt/c\\040g"),
     {{"/mnt/c g/a b/cpu.max", "200000 100000\n"}},
     2000,
     -1},
    {"v1",
     "4:cpu,cpuacct:/x\n3:memory:/y\n",
     MOUNT_TMPFS MOUNT_CPU("/", CPU) MOUNT_MEMORY("/", MEMORY),
     {{CPU "/x/cpu.cfs_quota_us", "350000\n"},
      {CPU "/x/cpu.cfs_period_us", "100000\n"},
      {CPU "/cpu.cfs_quota_us", "-1\n"},
      {CPU "/cpu.cfs_period_us", "100000\n"},
      {MEMORY "/y/memory.oom_control", CONTROL("2")},
      {MEMORY "/memory.oom_control", CONTROL("7")}},
     3500,
     2},
    {"v1 without a limit",
     "4:cpuacct,cpu:/x\n",
     MOUNT_TMPFS MOUNT_CPU("/", CPU),
     {{CPU "/x/cpu.cfs_quota_us", "-1\n"}, {CPU "/x/cpu.cfs_period_us", "100000\n"}},
     0,
     -1},
    {"v1 tighter parent",
     "4:cpu:/x/y\n",
     MOUNT_CPU("/", CPU),
     {{CPU "/x/cpu.cfs_quota_us", "120000\n"},
      {CPU "/x/cpu.cfs_period_us", "100000\n"},
      {CPU "/x/y/cpu.cfs_quota_us", "200000\n"},
      {CPU "/x/y/cpu.cfs_period_us", "100000\n"}},
     1200,
     -1},
    {"v1 docker without a namespace",
     "4:cpu,cpuacct:/docker/x\n3:memory:/docker/x\n",
     MOUNT_CPU("/docker/x", CPU) MOUNT_MEMORY("/docker/x", MEMORY),
     {{CPU "/cpu.cfs_quota_us", "150000\n"},
      {CPU "/cpu.cfs_period_us", "100000\n"},
      {MEMORY "/memory.oom_control", CONTROL("1")}},
     1500,
     1},
    {"v1 of a kernel that does not count",
     "3:memory:/\n",
     MOUNT_MEMORY("/", MEMORY),
     {{MEMORY "/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\n"}},
     0,
     -1},
    {"hybrid, v1 has both controllers",
     "4:cpu,cpuacct:/x\n3:memory:/x\n1:name=systemd:/u\n0::/u\n",
     MOUNT_TMPFS MOUNT_CPU("/", CPU) MOUNT_MEMORY("/", MEMORY) MOUNT_V2("/", UNIFIED),
     {{CPU "/x/cpu.cfs_quota_us", "250000\n"},
      {CPU "/x/cpu.cfs_period_us", "100000\n"},
      {MEMORY "/x/memory.oom_control", CONTROL("5")},
      {UNIFIED "/u/cgroup.procs", ""},
      {UNIFIED "/cgroup.controllers", ""}},
     2500,
     5},
    {"hybrid, v2 has the cpu controller",
     "3:memory:/x\n0::/u\n",
     MOUNT_TMPFS MOUNT_MEMORY("/", MEMORY) MOUNT_V2("/", UNIFIED),
     {{UNIFIED "/u/cpu.max", "150000 100000\n"}, {MEMORY "/x/memory.oom_control", CONTROL("5")}},
     1500,
     5},
    {"hybrid, v2 has the memory controller",
     "4:cpu:/x\n0::/u\n",
     MOUNT_TMPFS MOUNT_CPU("/", CPU) MOUNT_V2("/", UNIFIED),
     {{CPU "/x/cpu.cfs_quota_us", "50000\n"},
      {CPU "/x/cpu.cfs_period_us", "100000\n"},
      {UNIFIED "/u/memory.events", EVENTS("8")}},
     500,
     8},
    {"garbage in the proc files",
     "\1\2:::\n::\n0:\n\xff\xfe",
     "- - - -\n\xff 1 2 \\ \\ -\n",
     {{V2 "/cpu.max", "100000 100000\n"}},
     0,
     -1},
    {"v2 garbage below a real limit",
     "0::/a/b/c/d\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/cpu.max", "700000 100000\n"},
      {V2 "/a/b/cpu.max", "100000 0\n"},
      {V2 "/a/b/c/cpu.max", "0 100000\n"},
      {V2 "/a/b/c/d/cpu.max", "zombie\n"},
      {V2 "/a/memory.events", EVENTS("2")},
      {V2 "/a/b/memory.events", EVENTS("many")},
      {V2 "/a/b/c/memory.events", EVENTS("-1")},
      {V2 "/a/b/c/d/memory.events", "oom_kill\noom_kill_x 5\n"}},
     7000,
     2},
    {"v2 more garbage",
     "0::/a/b/c/d/e\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/cpu.max", "100000\n"},
      {V2 "/a/b/cpu.max", ""},
      {V2 "/a/b/c/cpu.max", "-100000 100000\n"},
      {V2 "/a/b/c/d/cpu.max", "99999999999999999999 1\n"},
      {V2 "/a/b/c/d/e/cpu.max", LINE_4K "\n100000 100000\n"},
      {V2 "/a/b/c/d/e/memory.events", LINE_4K "\n" EVENTS("1")}},
     0,
     -1},
    {"v2 largest numbers",
     "0::/a\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/cpu.max", "2000000000 1\n"},
      {V2 "/a/memory.events", "oom_kill 99999999999999999999\n"}},
     2000000000000,
     -1},
    {"folders in place of files",
     "0::/a\n",
     MOUNT_V2("/", V2),
     {{V2 "/a/cpu.max", NULL}, {V2 "/a/memory.events", NULL}, {V2 "/cpu.max", "400000 100000\n"}},
     4000,
     -1},
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
     3000,
     -1},
};

static void make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
            fail_msg("mkdir %s: %s", path, strerror(errno));
        *slash = '/';
    }
}

static void make_file(const char *root, const char *name, const char *content)
{
    char path[PATH_MAX];
    FILE *file;

    snprintf(path, sizeof(path), "%s%s%s", root, name, content ? "" : "/");
    make_folders(path);
    if (!content)
        return;
    file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static void remove_tree(const char *root)
{
    assert_int_equal(nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void make_root(char buf[PATH_MAX])
{
    const char *folder = getenv("TMPDIR");

    snprintf(buf, PATH_MAX, "%s/zombie-cgroup-XXXXXX", folder ? folder : "/tmp");
    assert_non_null(mkdtemp(buf));
}

static void test_trees(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(trees); i++) {
        char root[PATH_MAX];
        int64_t quota;
        int64_t kills;

        make_root(root);
        if (trees[i].cgroups)
            make_file(root, "/proc/self/cgroup", trees[i].cgroups);
        if (trees[i].mounts)
            make_file(root, "/proc/self/mountinfo", trees[i].mounts);
        for (size_t j = 0; j < COUNT(trees[i].files) && trees[i].files[j].path; j++)
            make_file(root, trees[i].files[j].path, trees[i].files[j].content);
        quota = cgroup_cpu_quota_milli(root);
        kills = cgroup_oom_kills(root);
        remove_tree(root);
        if (quota != trees[i].quota_milli || kills != trees[i].oom_kills)
            fail_msg("%s: quota %lld, OOM kills %lld", trees[i].name, (long long)quota,
                     (long long)kills);
    }
}

/* A mountinfo beyond the bound is read as far as the bound. */
static void test_huge_mountinfo(void **state)
{
    static const char filler[] = "40 23 0:40 / /srv rw - ext4 /dev/sda rw\n";
    const size_t size = 5U * 1024 * 1024;
    const size_t first_len = strlen(MOUNT_V2("/", V2));
    char *text = malloc(size + 1);
    char root[PATH_MAX];

    (void)state;
    assert_non_null(text);
    memcpy(text, MOUNT_V2("/", V2), first_len);
    for (size_t i = first_len; i < size; i++)
        text[i] = filler[(i - first_len) % strlen(filler)];
    text[size] = '\0';
    make_root(root);
    make_file(root, "/proc/self/cgroup", "0::/a\n");
    make_file(root, "/proc/self/mountinfo", text);
    make_file(root, V2 "/a/cpu.max", "200000 100000\n");
    free(text);
    assert_int_equal(cgroup_cpu_quota_milli(root), 2000);
    remove_tree(root);
}

static void test_root_that_is_too_long(void **state)
{
    (void)state;
    assert_int_equal(cgroup_cpu_quota_milli("/" LINE_4K), 0);
    assert_int_equal(cgroup_oom_kills("/" LINE_4K), -1);
}

/* Whatever this machine is: an answer, and within bounds. */
static void test_this_machine(void **state)
{
    (void)state;
    assert_true(cgroup_cpu_quota_milli("") >= 0);
    assert_true(cgroup_oom_kills("") >= -1);
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
