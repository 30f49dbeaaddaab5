#include "config.h"

#include "http/handlers/files_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http/handlers/files_path.h"

#define FIRST_ROOM 64

/* A folder while it is read. */
struct reading {
    const struct files_root *root;
    const char *path;
    DIR *dir;
    bool dot_files;
    struct files_folder folder;
    size_t room; /* in folder.entries */
};

/* What the entry is once a link has been followed as a request for it would do. */
static int stat_entry(const struct reading *reading, const char *name, struct stat *ret_stat)
{
    char path[PATH_MAX];
    if (fstatat(dirfd(reading->dir), name, ret_stat, AT_SYMLINK_NOFOLLOW) != 0)
        return -errno;
    if (!S_ISLNK(ret_stat->st_mode))
        return 0;
    if (files_path_join(reading->path, name, path, sizeof path) != 0)
        return -ENAMETOOLONG;
    int fd = files_open(reading->root, path, FILES_LOOK, ret_stat);
    if (fd < 0)
        return fd;
    close(fd);
    return 0;
}

static int make_room(struct reading *reading)
{
    struct files_folder *folder = &reading->folder;
    if (folder->n < reading->room)
        return 0;
    size_t room = reading->room > 0 ? 2 * reading->room : FIRST_ROOM;
    struct files_entry *entries = reallocarray(folder->entries, room, sizeof *entries);
    if (entries == NULL)
        return -ENOMEM;
    folder->entries = entries;
    reading->room = room;
    return 0;
}

static int add(struct reading *reading, const char *name, const struct stat *found)
{
    struct files_folder *folder = &reading->folder;
    if (make_room(reading) < 0)
        return -ENOMEM;
    char *copy = strdup(name);
    if (copy == NULL)
        return -ENOMEM;
    folder->entries[folder->n++] = (struct files_entry){
        .name = copy,
        .size = (uint64_t)found->st_size,
        .mtime_s = found->st_mtim.tv_sec,
        .is_folder = S_ISDIR(found->st_mode),
    };
    return 0;
}

/* Returns 1 when there may be more, 0 at the end, -errno. */
static int read_entry(struct reading *reading)
{
    errno = 0;
    /* cppcheck-suppress readdirCalled ; one thread, and readdir_r() is deprecated */
    const struct dirent *entry = readdir(reading->dir);
    struct stat found;
    if (entry == NULL)
        return -errno;
    if (!files_path_is_safe(entry->d_name, reading->dot_files) ||
        stat_entry(reading, entry->d_name, &found) < 0 ||
        !(S_ISREG(found.st_mode) || S_ISDIR(found.st_mode)))
        return 1;
    if (reading->folder.n == FILES_ENTRIES_MAX) {
        reading->folder.is_cut = true;
        return 0;
    }
    int rc = add(reading, entry->d_name, &found);
    return rc < 0 ? rc : 1;
}

static int compare(const void *a, const void *b)
{
    const struct files_entry *one = a, *other = b;
    if (one->is_folder != other->is_folder)
        return one->is_folder ? -1 : 1;
    return strcmp(one->name, other->name);
}

int files_folder_read(const struct files_root *root, const char *path, int fd, bool dot_files,
                      struct files_folder *ret_folder)
{
    struct reading reading = {
        .root = root, .path = path, .dir = fdopendir(fd), .dot_files = dot_files};
    if (reading.dir == NULL) {
        int error = -errno;
        close(fd);
        return error;
    }
    int rc;
    while ((rc = read_entry(&reading)) > 0)
        ;
    closedir(reading.dir);
    if (rc < 0) {
        files_folder_clear(&reading.folder);
        return rc;
    }
    if (reading.folder.n > 0)
        qsort(reading.folder.entries, reading.folder.n, sizeof reading.folder.entries[0], compare);
    *ret_folder = reading.folder;
    return 0;
}

void files_folder_clear(struct files_folder *folder)
{
    for (size_t i = 0; i < folder->n; i++)
        free(folder->entries[i].name);
    free(folder->entries);
    *folder = (struct files_folder){0};
}
