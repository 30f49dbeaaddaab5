/*
 * From /proc/self/cgroup and /proc/self/mountinfo to folders.
 *
 * Both files name a cgroup relative to the root of this process's cgroup
 * namespace. A mount shows the part of the hierarchy below its "root" field, so
 * the folder is the mount point plus what is left of the process's path once
 * that root is stripped.
 */
#include "config.h"

#include "host/cgroup_path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A piece of the text being read. */
struct span {
    const char *start;
    size_t len;
};

/* What matters of a line of mountinfo. */
struct mount {
    char root[PATH_MAX];  /* folder of the file system that is mounted, "" for the whole of it */
    char point[PATH_MAX]; /* where, "" for "/" */
};

/* Take the bytes up to the separator, or all of them, off the front of *rest. */
static struct span cut(struct span *rest, char separator)
{
    const char *end = rest->len > 0 ? memchr(rest->start, separator, rest->len) : NULL;
    struct span piece = {rest->start, end ? (size_t)(end - rest->start) : rest->len};
    size_t taken = end ? piece.len + 1 : piece.len;

    rest->start += taken;
    rest->len -= taken;
    return piece;
}

static bool next_line(const char **cursor, struct span *ret_line)
{
    struct span rest = {*cursor, strlen(*cursor)};

    if (rest.len == 0)
        return false;
    rest.len = strcspn(rest.start, "\n");
    *ret_line = rest;
    *cursor = rest.start + rest.len + (rest.start[rest.len] == '\n');
    return true;
}

static bool span_equals(struct span span, const char *text)
{
    return span.len == strlen(text) && memcmp(span.start, text, span.len) == 0;
}

/* Whether the comma-separated list has the word. */
static bool list_has(struct span list, const char *word)
{
    while (list.len > 0) {
        if (span_equals(cut(&list, ','), word))
            return true;
    }
    return false;
}

/* The byte that the three octal digits at `text` stand for, or -1. */
static int octal_byte(const char *text, size_t len)
{
    int value = 0;

    if (len < 3 || text[0] > '3')
        return -1;
    for (size_t i = 0; i < 3; i++) {
        if (text[i] < '0' || text[i] > '7')
            return -1;
        value = value * 8 + (text[i] - '0');
    }
    return value;
}

/* Undo the escapes of mountinfo (\040 for a space) in an absolute path; "/" becomes "". */
static bool unescape_path(struct span span, char buf[PATH_MAX])
{
    size_t used = 0;

    if (span.len == 0 || span.start[0] != '/')
        return false;
    for (size_t i = 0; i < span.len; i++) {
        int byte = -1;

        if (span.start[i] == '\\')
            byte = octal_byte(span.start + i + 1, span.len - i - 1);
        if (byte == 0 || used == PATH_MAX - 1)
            return false;
        buf[used++] = byte > 0 ? (char)byte : span.start[i];
        i += byte > 0 ? 3 : 0;
    }
    if (used == 1)
        used = 0;
    buf[used] = '\0';
    return true;
}

/* Split "ID:CONTROLLERS:PATH"; whether the line is that of the hierarchy. */
static bool parse_process_line(struct span line, const char *controller, struct span *ret_path)
{
    struct span id = cut(&line, ':');
    struct span controllers = cut(&line, ':');
    bool wanted = controller ? list_has(controllers, controller)
                             : span_equals(id, "0") && controllers.len == 0;

    if (!wanted || line.len == 0 || line.start[0] != '/')
        return false;
    *ret_path = line;
    return true;
}

int cgroup_path_of_process(const char *cgroups, const char *controller, char ret_path[PATH_MAX])
{
    struct span line;
    struct span path;

    while (next_line(&cgroups, &line)) {
        if (!parse_process_line(line, controller, &path))
            continue;
        if (path.len >= PATH_MAX)
            return -ENAMETOOLONG;
        memcpy(ret_path, path.start, path.len);
        ret_path[path.len] = '\0';
        return 0;
    }
    return -ENOENT;
}

/*
 * Read "ID PARENT DEVICE ROOT POINT OPTIONS [TAG...] - TYPE SOURCE SUPEROPTIONS";
 * whether it is a mount of the hierarchy.
 */
static bool parse_mount_line(struct span line, const char *controller, struct mount *ret_mount)
{
    struct span root;
    struct span point;
    struct span type;

    for (int i = 0; i < 3; i++)
        cut(&line, ' ');
    root = cut(&line, ' ');
    point = cut(&line, ' ');
    while (line.len > 0 && !span_equals(cut(&line, ' '), "-"))
        continue;
    type = cut(&line, ' ');
    cut(&line, ' ');
    if (!span_equals(type, controller ? "cgroup" : "cgroup2"))
        return false;
    if (controller && !list_has(cut(&line, ' '), controller))
        return false;
    return unescape_path(root, ret_mount->root) && unescape_path(point, ret_mount->point);
}

/* The number of "/.." that the path starts with; *ret_rest is what follows them. */
static size_t count_ups(const char *path, const char **ret_rest)
{
    size_t ups = 0;

    while (strncmp(path, "/..", 3) == 0 && (path[3] == '/' || path[3] == '\0')) {
        path += 3;
        ups++;
    }
    *ret_rest = path;
    return ups;
}

static bool has_up(const char *path)
{
    const char *rest;

    for (path = strchr(path, '/'); path; path = strchr(path + 1, '/')) {
        if (count_ups(path, &rest) > 0)
            return true;
    }
    return false;
}

/*
 * The part of the process's path below the mount's root ("" at the root
 * itself), or NULL when the process is not in the mounted part.
 *
 * ".." stands for a cgroup above the namespace whose name is hidden. A root of
 * nothing but ".." is above every path with fewer of them; the way down cannot
 * be told then, but the root counts as an ancestor.
 */
static const char *path_below(const char *path, const char *root)
{
    size_t len = strlen(root);
    const char *rest_of_root;
    const char *rest_of_path;

    if (strncmp(path, root, len) == 0 && (path[len] == '/' || path[len] == '\0') &&
        !has_up(path + len))
        return path[len] == '/' && path[len + 1] == '\0' ? "" : path + len;
    if (count_ups(root, &rest_of_root) > count_ups(path, &rest_of_path) && *rest_of_root == '\0' &&
        !has_up(rest_of_path))
        return "";
    return NULL;
}

bool cgroup_path_next_mount(const char **cursor, const char *controller, const char *path,
                            struct cgroup_folder *ret_folder)
{
    struct span line;
    struct mount mount = {0};

    while (next_line(cursor, &line)) {
        const char *below;
        size_t point_len;

        if (!parse_mount_line(line, controller, &mount))
            continue;
        below = path_below(path, mount.root);
        point_len = strlen(mount.point);
        if (!below || point_len + strlen(below) >= sizeof(ret_folder->path))
            continue;
        memcpy(ret_folder->path, mount.point, point_len);
        memcpy(ret_folder->path + point_len, below, strlen(below) + 1);
        ret_folder->mount_len = point_len;
        return true;
    }
    return false;
}

bool cgroup_folder_up(struct cgroup_folder *folder)
{
    char *below = folder->path + folder->mount_len;
    char *slash = strrchr(below, '/');

    if (*below == '\0')
        return false;
    *(slash ? slash : below) = '\0';
    return true;
}
