/*
 * The descriptors stay open: reading one again needs neither a free descriptor
 * nor a right that the process may have given up, and is one system call.
 */
#include "config.h"

#include "host/cgroup_meter.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/number.h"
#include "host/cgroup_walk.h"

/* Where a counter may be. */
struct source {
    const char *controller; /* of v1; NULL: v2 */
    const char *file;       /* has a line "KEY NUMBER" */
    const char *key;
    long per_unit; /* counted in how many parts of the unit that is reported */
};

static const struct source oom_kills[] = {
    {NULL, "memory.events", "oom_kill", 1},
    {"memory", "memory.oom_control", "oom_kill", 1},
    {NULL, NULL, NULL, 0},
};

static const struct source throttled_us[] = {
    {NULL, "cpu.stat", "throttled_usec", 1},
    {"cpu", "cpu.stat", "throttled_time", 1000},
    {NULL, NULL, NULL, 0},
};

struct counter {
    int fd; /* -1: none */
    const struct source *source;
};

struct cgroup_meter {
    struct counter oom_kills;
    struct counter throttled_us;
};

/* The text behind "KEY " at the line's start, or NULL. */
static const char *value_of(const char *line, const char *key)
{
    size_t len = strlen(key);

    return strncmp(line, key, len) == 0 && line[len] == ' ' ? line + len + 1 : NULL;
}

static int64_t parse_counter(char *text, const struct source *source)
{
    char *save = NULL;
    const char *value = NULL;
    long count;

    for (char *line = strtok_r(text, "\n", &save); line && !value;
         line = strtok_r(NULL, "\n", &save))
        value = value_of(line, source->key);
    if (!value || number_parse(value, 0, LONG_MAX, &count) < 0)
        return -1;
    return count / source->per_unit;
}

/* The kernel writes the file anew for each read from its start. */
static int64_t read_counter(const struct counter *counter)
{
    char text[CGROUP_TEXT_MAX + 1];
    ssize_t n = counter->fd >= 0 ? pread(counter->fd, text, CGROUP_TEXT_MAX, 0) : -1;
    size_t len = n > 0 ? (size_t)n : 0;

    if (n < 0)
        return -1;
    text[len == CGROUP_TEXT_MAX ? cgroup_whole_lines(text, len) : len] = '\0';
    return parse_counter(text, counter->source);
}

/* The nearest cgroup of one hierarchy that has the counter. */
static bool find_nearest(const char *root, const struct cgroup_texts *texts,
                         const struct source *source, struct counter *ret_counter)
{
    struct cgroup_walk walk;

    cgroup_walk_begin(&walk, texts, source->controller);
    while (cgroup_walk_next(&walk)) {
        struct counter counter = {cgroup_open(root, walk.folder.path, source->file), source};

        if (counter.fd < 0)
            continue;
        if (read_counter(&counter) >= 0) {
            *ret_counter = counter;
            return true;
        }
        close(counter.fd);
    }
    return false;
}

/* In hybrid mode either hierarchy may have the controller; a file that is not there says nothing.
 */
static void find(const char *root, const struct cgroup_texts *texts, const struct source *sources,
                 struct counter *ret_counter)
{
    for (const struct source *source = sources; source->file; source++) {
        if (find_nearest(root, texts, source, ret_counter))
            return;
    }
}

int cgroup_meter_new(const char *root, struct cgroup_meter **ret_meter)
{
    struct cgroup_meter *meter = malloc(sizeof(*meter));
    struct cgroup_texts texts;

    if (!meter)
        return -ENOMEM;
    meter->oom_kills.fd = -1;
    meter->throttled_us.fd = -1;
    if (cgroup_texts_read(root, &texts)) {
        find(root, &texts, oom_kills, &meter->oom_kills);
        find(root, &texts, throttled_us, &meter->throttled_us);
    }
    cgroup_texts_clear(&texts);
    *ret_meter = meter;
    return 0;
}

static void close_counter(struct counter *counter)
{
    if (counter->fd >= 0)
        close(counter->fd);
}

void cgroup_meter_free(struct cgroup_meter *meter)
{
    if (!meter)
        return;
    close_counter(&meter->oom_kills);
    close_counter(&meter->throttled_us);
    free(meter);
}

int64_t cgroup_meter_oom_kills(const struct cgroup_meter *meter)
{
    return meter ? read_counter(&meter->oom_kills) : -1;
}

int64_t cgroup_meter_throttled_us(const struct cgroup_meter *meter)
{
    return meter ? read_counter(&meter->throttled_us) : -1;
}
