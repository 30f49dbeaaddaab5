/*
 * Control groups: the way from the text of the two files of /proc to folders.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host/cgroup_path.h"

#include "cgroup_text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *name;
    const char *cgroups;
    const char *controller;
    int result;
    const char *path;
} processes[] = {
    {"v2", "0::/a/b\n", NULL, 0, "/a/b"},
    {"v2 without a newline", "0::/a", NULL, 0, "/a"},
    {"v2 root", "0::/\n", NULL, 0, "/"},
    {"v2 asked for a controller", "0::/a\n", "cpu", -ENOENT, NULL},
    {"v1", "4:cpu:/x\n", "cpu", 0, "/x"},
    {"v1 asked for v2", "4:cpu:/x\n", NULL, -ENOENT, NULL},
    {"first of two controllers", "4:cpu,cpuacct:/x\n", "cpu", 0, "/x"},
    {"last of two controllers", "4:cpuacct,cpu:/x\n", "cpu", 0, "/x"},
    {"middle of three", "9:hugetlb:/h\n4:a,cpu,b:/x\n0::/y\n", "cpu", 0, "/x"},
    {"controller by its whole name", "5:cpuset:/s\n4:cpuacct:/x\n", "cpu", -ENOENT, NULL},
    {"named hierarchy", "1:name=systemd:/u\n", NULL, -ENOENT, NULL},
    {"named like a controller", "1:name=cpu:/u\n", "cpu", -ENOENT, NULL},
    {"v2 behind v1 lines", "4:cpu:/x\n1:name=systemd:/u\n0::/z\n", NULL, 0, "/z"},
    {"id 0 with controllers", "0:cpu:/x\n", NULL, -ENOENT, NULL},
    {"no controllers but another id", "10::/x\n", NULL, -ENOENT, NULL},
    {"colon in the path", "0::/a:b\n", NULL, 0, "/a:b"},
    {"outside of the namespace", "0::/../../x\n", NULL, 0, "/../../x"},
    {"relative path", "0::a\n0::/b\n", NULL, 0, "/b"},
    {"no path", "0::\n", NULL, -ENOENT, NULL},
    {"too few colons", "0:\n0\n\n", NULL, -ENOENT, NULL},
    {"empty", "", NULL, -ENOENT, NULL},
    {"endless path", "0::/" LINE_4K "\n", NULL, -ENAMETOOLONG, NULL},
};

static void test_process(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(processes); i++) {
        char path[PATH_MAX] = "untouched";
        const char *wanted = processes[i].path ? processes[i].path : "untouched";
        int r = cgroup_path_of_process(processes[i].cgroups, processes[i].controller, path);

        if (r != processes[i].result || strcmp(path, wanted) != 0)
            fail_msg("%s: result %d, \"%s\"", processes[i].name, r, path);
    }
}

static const struct {
    const char *name;
    const char *mounts;
    const char *controller;
    const char *path;
    const char *folders; /* all that are found, each with its steps up, as "leaf>parent>mount;" */
} lookups[] = {
    {"v2", MOUNT_V2("/", "/c"), NULL, "/a/b", "/c/a/b>/c/a>/c;"},
    {"v2 at the root", MOUNT_V2("/", "/c"), NULL, "/", "/c;"},
    {"no newline at the end", "1 2 0:3 / /c rw - cgroup2 none rw", NULL, "/a", "/c/a>/c;"},
    {"no tags", "1 2 0:3 / /c rw - cgroup2 none rw\n", NULL, "/a", "/c/a>/c;"},
    {"many tags", "1 2 0:3 / /c rw shared:1 master:2 unbindable - cgroup2 none rw\n", NULL, "/a",
     "/c/a>/c;"},
    {"empty source", "1 2 0:3 / /c rw - cgroup  rw,cpu\n", "cpu", "/a", "/c/a>/c;"},
    {"type by its whole name", MOUNT_CPU("/", "/c"), NULL, "/a", ""},
    {"another controller", MOUNT_MEMORY("/", "/c"), "cpu", "/a", ""},
    {"controller by its whole name", MOUNT("/", "/c", "cgroup", "rw,cpuset,cpuacct"), "cpu", "/a",
     ""},
    {"controller in the order of the mount", MOUNT("/", "/c", "cgroup", "rw,cpuacct,cpu"), "cpu",
     "/a", "/c/a>/c;"},
    {"controller in the mount options only", "1 2 0:3 / /c rw,cpu - cgroup none rw\n", "cpu", "/a",
     ""},
    {"bind-mounted leaf", MOUNT_V2("/docker/x", "/c"), NULL, "/docker/x", "/c;"},
    {"bind-mounted parent", MOUNT_V2("/docker", "/c"), NULL, "/docker/x", "/c/x>/c;"},
    {"name that starts like the root", MOUNT_V2("/docker", "/c"), NULL, "/docker2", ""},
    {"another branch", MOUNT_V2("/docker/y", "/c"), NULL, "/docker/x", ""},
    {"process above what is mounted", MOUNT_V2("/docker/x", "/c"), NULL, "/", ""},
    {"two views", MOUNT_V2("/a/b", "/one") MOUNT_V2("/", "/two"), NULL, "/a/b",
     "/one;/two/a/b>/two/a>/two;"},
    {"view of another branch first", MOUNT_V2("/z", "/one") MOUNT_V2("/a", "/two"), NULL, "/a/b",
     "/two/b>/two;"},
    {"outside of the namespace", MOUNT_V2("/", "/c"), NULL, "/../x", ""},
    {"parent of the namespace", MOUNT_V2("/", "/c"), NULL, "/..", ""},
    {"far outside", MOUNT_V2("/", "/c"), NULL, "/../../x/y", ""},
    {"sibling, mounted from above", MOUNT_V2("/..", "/c"), NULL, "/../x", "/c/x>/c;"},
    {"sibling, mounted from two above", MOUNT_V2("/../..", "/c"), NULL, "/../x", "/c;"},
    {"inside, mounted from above", MOUNT_V2("/..", "/c"), NULL, "/", "/c;"},
    {"deep inside, mounted from above", MOUNT_V2("/../..", "/c"), NULL, "/a/b", "/c;"},
    {"outside by more than the mount", MOUNT_V2("/..", "/c"), NULL, "/../../x", ""},
    {"another branch above", MOUNT_V2("/../y", "/c"), NULL, "/../x", ""},
    {"another branch above, process inside", MOUNT_V2("/../y", "/c"), NULL, "/a", ""},
    {"the same branch above", MOUNT_V2("/../x", "/c"), NULL, "/../x/a", "/c/a>/c;"},
    {"up in the middle", MOUNT_V2("/", "/c"), NULL, "/a/../b", ""},
    {"up at the end", MOUNT_V2("/", "/c"), NULL, "/a/..", ""},
    {"dots that are a name", MOUNT_V2("/", "/c"), NULL, "/..a/...", "/c/..a/...>/c/..a>/c;"},
    {"mounted on /", MOUNT_V2("/", "/"), NULL, "/a", "/a>;"},
    {"space and backslash", MOUNT_V2("/", "/my\\040c\\134x"), NULL, "/a", "/my c\\x/a>/my c\\x;"},
    {"escaped root", MOUNT_V2("/my\\011x", "/c"), NULL, "/my\tx/a", "/c/a>/c;"},
    {"no escape at all", MOUNT_V2("/", "/c\\04\\9x\\"), NULL, "/", "/c\\04\\9x\\;"},
    {"escape that is too large", MOUNT_V2("/", "/c\\777"), NULL, "/", "/c\\777;"},
    {"escaped NUL", MOUNT_V2("/", "/c\\000x"), NULL, "/", ""},
    {"relative mount point", MOUNT_V2("/", "c"), NULL, "/", ""},
    {"relative root", MOUNT_V2("c", "/c"), NULL, "/", ""},
    {"mount point that is too long", MOUNT_V2("/", "/" LINE_4K), NULL, "/", ""},
    {"too long together", MOUNT_V2("/", "/" LINE_500 LINE_500), NULL,
     "/" LINE_500 LINE_500 LINE_500 LINE_500 LINE_500 LINE_500 LINE_500, ""},
    {"short lines", "\n1\n1 2\n1 2 3\n1 2 3 /\n1 2 3 / /c\n1 2 3 / /c rw\n1 2 3 / /c rw -\n", NULL,
     "/", ""},
    {"nothing but spaces", "          \n", NULL, "/", ""},
    {"empty", "", NULL, "/", ""},
};

static void append(char *text, size_t size, const char *more, const char *end)
{
    size_t len = strlen(text);

    snprintf(text + len, size - len, "%s%s", more, end);
}

static void test_mounts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(lookups); i++) {
        const char *cursor = lookups[i].mounts;
        struct cgroup_folder folder;
        char all[2 * PATH_MAX] = "";

        while (cgroup_path_next_mount(&cursor, lookups[i].controller, lookups[i].path, &folder)) {
            append(all, sizeof(all), folder.path, "");
            while (cgroup_folder_up(&folder))
                append(all, sizeof(all), ">", folder.path);
            append(all, sizeof(all), ";", "");
        }
        if (strcmp(all, lookups[i].folders) != 0)
            fail_msg("%s: \"%s\"", lookups[i].name, all);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_process),
        cmocka_unit_test(test_mounts),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
