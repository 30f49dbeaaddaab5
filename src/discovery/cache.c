#include "config.h"

#include "discovery/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

/* Rises when the file means something else. */
#define FORMAT 1

/* The services are kept as they are written: {"format":1,"services":{NAME:[MEMBER, ...]}}. */
struct cache {
    json_t *services; /* those that are written */
    json_t *found;    /* what was read */
};

struct cache *cache_new(void)
{
    struct cache *cache = malloc(sizeof *cache);
    if (cache == NULL)
        return NULL;
    *cache = (struct cache){.services = json_object(), .found = json_object()};
    if (cache->services != NULL && cache->found != NULL)
        return cache;
    cache_free(cache);
    return NULL;
}

void cache_free(struct cache *cache)
{
    if (cache == NULL)
        return;
    json_decref(cache->services);
    json_decref(cache->found);
    free(cache);
}

/* --- Members ------------------------------------------------------------------------- */

static json_t *pack(const struct member *member)
{
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:b}", "id", member->id, "host", member->host,
                     "port", (json_int_t)member->port, "weight", (json_int_t)member->weight,
                     "max_fails", (json_int_t)member->max_fails, "fail_timeout_ms",
                     (json_int_t)member->fail_timeout_ms, "down", member->is_down != 0);
}

/* Returns whether all of them are in their ranges. */
static bool unpack_numbers(json_t *one, struct member *member)
{
    json_int_t port, weight, max_fails, fail_timeout_ms;
    int is_down;
    if (json_unpack(one, "{s:I, s:I, s:I, s:I, s:b}", "port", &port, "weight", &weight, "max_fails",
                    &max_fails, "fail_timeout_ms", &fail_timeout_ms, "down", &is_down) != 0)
        return false;
    if (port < 1 || port > UINT16_MAX || weight < 1 || weight > UINT16_MAX || max_fails < 0 ||
        max_fails > INT32_MAX || fail_timeout_ms < 1 || fail_timeout_ms > INT32_MAX)
        return false;
    member->port = (uint32_t)port;
    member->weight = (uint32_t)weight;
    member->max_fails = (uint32_t)max_fails;
    member->fail_timeout_ms = (uint32_t)fail_timeout_ms;
    member->is_down = is_down != 0;
    return true;
}

static bool unpack(json_t *one, struct member *member)
{
    const char *id, *host;
    size_t id_len, host_len;
    member_init(member);
    return json_unpack(one, "{s:s%, s:s%}", "id", &id, &id_len, "host", &host, &host_len) == 0 &&
           member_set_id(member, id, id_len) && member_set_host(member, host, host_len) &&
           unpack_numbers(one, member);
}

int cache_set(struct cache *cache, const char *service, const struct member *members, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        if (json_array_append_new(list, pack(&members[i])) != 0) {
            json_decref(list);
            return -ENOMEM;
        }
    return json_object_set_new(cache->services, service, list) == 0 ? 0 : -ENOMEM;
}

/* What is asked for is kept: without memory for that it is not in the next file. */
static json_t *find(struct cache *cache, const char *service)
{
    json_t *list = json_object_get(cache->services, service);
    if (list != NULL)
        return list;
    list = json_object_get(cache->found, service);
    if (list != NULL)
        (void)json_object_set(cache->services, service, list);
    return list;
}

size_t cache_get(struct cache *cache, const char *service, struct member *ret_members)
{
    json_t *list = find(cache, service);
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(list) && n < MEMBERS_MAX; i++)
        n += unpack(json_array_get(list, i), &ret_members[n]);
    return members_sort(ret_members, n);
}

/* --- The file ------------------------------------------------------------------------- */

int cache_parse(struct cache *cache, const char *text, size_t len)
{
    json_t *file = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    json_t *services = json_object_get(file, "services");
    int err = -EBADMSG;
    if (json_integer_value(json_object_get(file, "format")) == FORMAT && json_is_object(services))
        err = json_object_update(cache->found, services) == 0 ? 0 : -ENOMEM;
    json_decref(file);
    return err;
}

/* How large a file is that can be read. */
static int check(int fd, size_t *ret_size)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return -EBADMSG;
    if (status.st_size > CACHE_BYTES_MAX)
        return -EFBIG;
    *ret_size = (size_t)status.st_size;
    return 0;
}

/* A file that grows meanwhile is cut, and so is no JSON. */
static int read_whole(int fd, char *text, size_t size, size_t *ret_len)
{
    ssize_t n = 1;
    *ret_len = 0;
    while (*ret_len < size && n > 0) {
        n = read(fd, text + *ret_len, size - *ret_len);
        if (n < 0)
            return -errno;
        *ret_len += (size_t)n;
    }
    return 0;
}

static int read_open(struct cache *cache, int fd)
{
    size_t size = 0, len = 0;
    int err = check(fd, &size);
    if (err != 0)
        return err;
    char *text = malloc(size + 1);
    if (text == NULL)
        return -ENOMEM;
    err = read_whole(fd, text, size, &len);
    if (err == 0)
        err = cache_parse(cache, text, len);
    free(text);
    return err;
}

/* A symbolic link is the administrator's; a FIFO would be waited for without O_NONBLOCK. */
int cache_read(struct cache *cache, const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int err = read_open(cache, fd);
    close(fd);
    return err;
}

/* The new name is not safe before its folder is (fsync(2)). */
static int sync_folder(const char *path)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int err = fsync(fd) == 0 ? 0 : -errno;
    close(fd);
    return err;
}

static int write_to(json_t *file, int fd)
{
    errno = EIO;
    if (json_dumpfd(file, fd, JSON_COMPACT) != 0 || fchmod(fd, 0640) != 0 || fsync(fd) != 0)
        return -errno;
    return 0;
}

static int put_in_place(json_t *file, const char *path)
{
    char aside[PATH_MAX];
    if (snprintf(aside, sizeof aside, "%s.XXXXXX", path) >= (int)sizeof aside)
        return -ENAMETOOLONG;
    int fd = mkostemp(aside, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int err = write_to(file, fd);
    close(fd);
    if (err == 0 && rename(aside, path) != 0)
        err = -errno;
    if (err != 0)
        unlink(aside);
    return err != 0 ? err : sync_folder(path);
}

int cache_write(const struct cache *cache, const char *path)
{
    json_t *file = json_pack("{s:i, s:O}", "format", FORMAT, "services", cache->services);
    if (file == NULL)
        return -ENOMEM;
    int err = put_in_place(file, path);
    json_decref(file);
    return err;
}
