#include "config.h"

#include "host/cgroup_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* mountinfo has a line per mount; a machine full of containers reaches a megabyte: 4 MiB. */
#define PROC_TEXT_MAX 4194304U

size_t cgroup_whole_lines(const char *text, size_t len)
{
    const char *newline = memrchr(text, '\n', len);

    return newline ? (size_t)(newline - text) + 1 : 0;
}

int cgroup_open(const char *root, const char *folder, const char *name)
{
    char path[PATH_MAX];
    int fd;

    if (snprintf(path, sizeof(path), "%s%s/%s", root, folder, name) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    /* cppcheck-suppress resourceLeak ; it is what the function returns */
    return fd >= 0 ? fd : -errno;
}

char *cgroup_read_text(const char *root, const char *folder, const char *name, size_t max)
{
    int fd = cgroup_open(root, folder, name);
    FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
    char *text = file ? malloc(max + 1) : NULL;
    size_t len = text ? fread(text, 1, max, file) : 0;

    if (text && ferror(file)) {
        free(text);
        text = NULL;
    }
    if (text)
        text[len == max ? cgroup_whole_lines(text, len) : len] = '\0';
    if (file)
        fclose(file);
    else if (fd >= 0)
        close(fd);
    return text;
}

bool cgroup_texts_read(const char *root, struct cgroup_texts *ret_texts)
{
    ret_texts->cgroups = cgroup_read_text(root, "/proc/self", "cgroup", PROC_TEXT_MAX);
    ret_texts->mounts = cgroup_read_text(root, "/proc/self", "mountinfo", PROC_TEXT_MAX);
    return ret_texts->cgroups && ret_texts->mounts;
}

void cgroup_texts_clear(struct cgroup_texts *texts)
{
    free(texts->cgroups);
    free(texts->mounts);
}

void cgroup_walk_begin(struct cgroup_walk *walk, const struct cgroup_texts *texts,
                       const char *controller)
{
    bool found = cgroup_path_of_process(texts->cgroups, controller, walk->process) == 0;

    walk->controller = controller;
    walk->cursor = found ? texts->mounts : NULL;
    walk->in_mount = false;
}

bool cgroup_walk_next(struct cgroup_walk *walk)
{
    if (walk->in_mount && cgroup_folder_up(&walk->folder))
        return true;
    walk->in_mount = walk->cursor && cgroup_path_next_mount(&walk->cursor, walk->controller,
                                                            walk->process, &walk->folder);
    return walk->in_mount;
}
