#include "config.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/access_format.h"
#include "conf/check_registry.h"
#include "conf/check_watch.h"
#include "conf/fail.h"
#include "conf/host_name.h"
#include "conf/resolve.h"
#include "conf/schema.h"

/* A worker beats once a second: less than two beats are no silence. */
#define HANG_TIMEOUT_MIN_MS 2000
#define MAX_AGE_MIN_MS      1000

/* What a worker has on top of its master's pages: a loop, buffers, what it writes to. */
#define MIB                (1L << 20)
#define EMPTY_WORKER_BYTES (1L << 20)

static const char *place_of_instance(const struct conf_source *source, const char *key)
{
    return conf_check_place(
        source, (struct conf_name){.section = conf_section_find("instance"), .key = key});
}

static int check_user(const struct conf_source *source, const struct conf *conf)
{
    const char *user = conf->instance.user;

    if (user[0] == '\0' || getpwnam(user) != NULL)
        return 0;
    return conf_fail(source->error, place_of_instance(source, "user"),
                     "instance.user: there is no user '%s'", user);
}

static int check_group(const struct conf_source *source, const struct conf *conf)
{
    const char *group = conf->instance.group;

    if (group[0] == '\0' || getgrnam(group) != NULL)
        return 0;
    return conf_fail(source->error, place_of_instance(source, "group"),
                     "instance.group: there is no group '%s'", group);
}

/* The error number for a path that is no folder; 0: it is one. */
static int folder_error(const char *path)
{
    struct stat status;

    if (stat(path, &status) < 0)
        return errno;
    return S_ISDIR(status.st_mode) ? 0 : ENOTDIR;
}

static int check_chroot(const struct conf_source *source, const struct conf *conf)
{
    const char *folder = conf->instance.chroot;
    int error = folder[0] != '\0' ? folder_error(folder) : 0;

    if (error == 0)
        return 0;
    return conf_fail(source->error, place_of_instance(source, "chroot"),
                     "instance.chroot: %.300s: %s", folder, strerror(error));
}

/* Tell it where a human set one of the two. */
static int check_backoff(const struct conf_source *source, const struct conf *conf)
{
    const struct conf_instance *instance = &conf->instance;
    struct conf_name max = {.section = conf_section_find("instance"), .key = "backoff_max_ms"};
    bool max_is_set = conf_assignments_winner(source->list, max) != NULL;

    if (instance->backoff_max_ms >= instance->backoff_min_ms)
        return 0;
    return conf_fail(source->error,
                     place_of_instance(source, max_is_set ? "backoff_max_ms" : "backoff_min_ms"),
                     "instance.backoff_max_ms (%ld) is less than backoff_min_ms (%ld)",
                     instance->backoff_max_ms, instance->backoff_min_ms);
}

static int check_hang_timeout(const struct conf_source *source, const struct conf *conf)
{
    long timeout_ms = conf->instance.hang_timeout_ms;

    if (timeout_ms == 0 || timeout_ms >= HANG_TIMEOUT_MIN_MS)
        return 0;
    return conf_fail(source->error, place_of_instance(source, "hang_timeout_ms"),
                     "instance.hang_timeout_ms (%ld) must be 0 or %d to 3600000: the heartbeat "
                     "comes once a second",
                     timeout_ms, HANG_TIMEOUT_MIN_MS);
}

static int check_max_age(const struct conf_source *source, const struct conf *conf)
{
    long age_ms = conf->instance.max_age_ms;

    if (age_ms == 0 || age_ms >= MAX_AGE_MIN_MS)
        return 0;
    return conf_fail(source->error, place_of_instance(source, "max_age_ms"),
                     "instance.max_age_ms (%ld) must be 0 or at least %d: workers are looked at "
                     "once a second",
                     age_ms, MAX_AGE_MIN_MS);
}

/* What this process has in memory, from proc(5); -1: cannot be told. */
static long resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    long pages = -1, page_bytes = sysconf(_SC_PAGESIZE), bytes = -1;

    if (file == NULL)
        return -1;
    if (fscanf(file, "%*s %ld", &pages) != 1 || pages < 0 || page_bytes <= 0 ||
        __builtin_mul_overflow(pages, page_bytes, &bytes))
        bytes = -1;
    (void)fclose(file);
    return bytes;
}

/*
 * What a worker takes that has done nothing: this process and a little more, in
 * whole MiB and measured once, so that a file which was good at start is good at
 * each reload. 0: cannot be told.
 */
static long empty_worker_bytes(void)
{
    static long bytes = -1;

    if (bytes < 0) {
        long resident = resident_bytes();
        long least = resident + EMPTY_WORKER_BYTES;

        bytes = resident < 0 ? 0 : (least + MIB - 1) / MIB * MIB;
    }
    return bytes;
}

/* With such a limit each new worker would be replaced as soon as it is old enough. */
static int check_max_memory(const struct conf_source *source, const struct conf *conf)
{
    long max_bytes = conf->instance.max_memory;
    long least_bytes = empty_worker_bytes();

    if (max_bytes == 0 || max_bytes >= least_bytes)
        return 0;
    return conf_fail(source->error, place_of_instance(source, "max_memory"),
                     "instance.max_memory (%ld bytes) is less than an empty worker takes (%ld "
                     "bytes)",
                     max_bytes, least_bytes);
}

static int check_modes(const struct conf_source *source, const struct conf *conf)
{
    for (size_t i = 0; i < conf->n_listens; i++) {
        const struct conf_listen *listen = &conf->listens[i];
        struct conf_name name = {
            .section = conf_section_find("listen"), .title = listen->title, .key = "mode"};
        const struct conf_assignment *mode = conf_assignments_winner(source->list, name);

        if (mode != NULL && address_port(&listen->address) >= 0)
            return conf_fail(source->error, mode->origin.where,
                             "listen \"%s\": mode is for unix sockets only", listen->title);
    }
    return 0;
}

/* The kernel spreads connections over sockets of one port, and has nothing like it for a file. */
static int check_accepts(const struct conf_source *source, const struct conf *conf)
{
    for (size_t i = 0; i < conf->n_listens; i++) {
        const struct conf_listen *listen = &conf->listens[i];
        struct conf_name name = {
            .section = conf_section_find("listen"), .title = listen->title, .key = "accept"};

        if (listen->accept == CONF_ACCEPT_REUSEPORT && address_port(&listen->address) < 0)
            return conf_fail(source->error, conf_check_place(source, name),
                             "listen \"%s\": accept = reuseport is for TCP only", listen->title);
    }
    return 0;
}

/* Port 0 is a new port each time: two such listeners never meet. */
static bool collide(const struct conf_listen *a, const struct conf_listen *b)
{
    return address_port(&a->address) != 0 && address_equal(&a->address, &b->address);
}

/* Where the listener of that index is named: each naming assignment has become one, in order. */
static const char *place_of_listen(const struct conf_source *source, size_t index)
{
    const struct conf_section *section = conf_section_find("listen");
    enum conf_layer layer =
        conf_assignments_naming_layer(source->list, (struct conf_name){.section = section});
    const struct conf_assignment *item = source->list->items;

    for (;; item++)
        if (item->name.section == section && item->name.key == NULL &&
            item->origin.layer == layer && index-- == 0)
            return item->origin.where;
}

static int check_addresses(const struct conf_source *source, const struct conf *conf)
{
    for (size_t i = 0; i < conf->n_listens; i++)
        for (size_t j = 0; j < i; j++)
            if (collide(&conf->listens[i], &conf->listens[j]))
                return conf_fail(source->error, place_of_listen(source, i),
                                 "listen \"%s\": \"%s\" at %.400s is the same address",
                                 conf->listens[i].title, conf->listens[j].title,
                                 place_of_listen(source, j));
    return 0;
}

static int check_hosts(const struct conf_source *source, const struct conf *conf)
{
    struct conf_name name = {.section = conf_section_find("http"), .key = "hosts"};
    const struct conf_assignment *winner = conf_assignments_winner(source->list, name);

    for (size_t i = 0; i < conf->http.hosts.n; i++)
        if (!conf_is_host_name(conf->http.hosts.items[i]))
            return conf_fail(source->error, winner != NULL ? winner->origin.where : NULL,
                             "http.hosts: '%.100s' is not a host name without a port",
                             conf->http.hosts.items[i]);
    return 0;
}

static int check_access_format(const struct conf_source *source, const struct conf *conf)
{
    struct conf_name name = {.section = conf_section_find("access_log"), .key = "format"};
    const struct conf_assignment *winner = conf_assignments_winner(source->list, name);
    struct access_format *format = NULL;
    char why[ACCESS_FORMAT_WHY_SIZE];
    int rc = access_format_compile(conf->access_log.format, &format, why);

    access_format_free(format);
    if (rc == 0)
        return 0;
    return conf_fail(source->error, winner != NULL ? winner->origin.where : NULL,
                     "access_log.format: %s", why);
}

/* Workers as configured; what `auto` makes is cut to the most that there may be. */
static int check_max_workers(const struct conf_source *source, const struct conf *conf)
{
    const struct conf_instance *instance = &conf->instance;

    if (instance->workers <= instance->max_workers)
        return 0;
    return conf_fail(source->error, place_of_instance(source, "workers"),
                     "instance.workers (%ld) is more than max_workers (%ld)", instance->workers,
                     instance->max_workers);
}

static int (*const checks[])(const struct conf_source *source, const struct conf *conf) = {
    check_user,
    check_group,
    check_chroot,
    check_backoff,
    check_hang_timeout,
    check_max_age,
    check_max_memory,
    check_modes,
    check_accepts,
    check_addresses,
    check_access_format,
    check_hosts,
    check_max_workers,
    conf_check_admin,
    conf_check_control,
    conf_check_registry,
    conf_check_distributor,
};

int conf_check(const struct conf_source *source, const struct conf *conf)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof(checks) / sizeof(checks[0]); i++)
        rc = checks[i](source, conf);
    return rc;
}
