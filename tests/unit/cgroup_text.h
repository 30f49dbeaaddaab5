/*
 * Text that the tests of control groups are made of: lines of mountinfo, and
 * names that are far too long.
 */
#ifndef ZOMBIE_TESTS_CGROUP_TEXT_H
#define ZOMBIE_TESTS_CGROUP_TEXT_H

/* A line of mountinfo. */
#define MOUNT(root, point, type, super) \
    "31 23 0:28 " root " " point " rw,nosuid,relatime shared:9 - " type " " type " " super "\n"
#define MOUNT_V2(root, point)     MOUNT(root, point, "cgroup2", "rw,nsdelegate")
#define MOUNT_CPU(root, point)    MOUNT(root, point, "cgroup", "rw,cpu,cpuacct")
#define MOUNT_MEMORY(root, point) MOUNT(root, point, "cgroup", "rw,memory")
#define MOUNT_TMPFS               MOUNT("/", "/sys/fs/cgroup", "tmpfs", "rw,mode=755")

/* Nine times 500 bytes: longer than PATH_MAX and than any file of a control group. */
#define LINE_50  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/"
#define LINE_500 LINE_50 LINE_50 LINE_50 LINE_50 LINE_50 LINE_50 LINE_50 LINE_50 LINE_50 LINE_50
#define LINE_4K  LINE_500 LINE_500 LINE_500 LINE_500 LINE_500 LINE_500 LINE_500 LINE_500 LINE_500

#endif
