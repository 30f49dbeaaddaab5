/*
 * Configuration files from anybody: whatever they hold, loading ends with a
 * configuration or with a message, and a configuration survives its own dump.
 */
#include "config.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conf/load.h"
#include "worker/handlers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Load the bytes as a file; NULL when they are refused, which needs a reason. */
static struct conf *load(const void *data, size_t size)
{
    char path[64], error[CONF_ERROR_SIZE];
    struct conf_args args = {.file = path};
    struct conf *conf = NULL;
    int fd = memfd_create("zombie", MFD_CLOEXEC);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (conf_load(&args, handlers_conf, &conf, error) < 0)
        assert(conf == NULL && error[0] != '\0');
    (void)close(fd);
    return conf;
}

static char *dump(const struct conf *conf)
{
    char *dumped = NULL;
    size_t size;
    FILE *out = open_memstream(&dumped, &size);

    if (out == NULL || conf_dump(conf, out) < 0)
        abort();
    (void)fclose(out);
    return dumped;
}

/* Cut the comments with the origins, which are other ones after a load. */
static void strip_origins(char *dumped)
{
    char *to = dumped;

    for (char *line = dumped, *end; *line != '\0'; line = end + 1) {
        char *comment = NULL;

        end = strchr(line, '\n');
        for (char *at = line; at < end; at++)
            if (strncmp(at, "  # ", 4) == 0)
                comment = at;
        if (comment == NULL)
            comment = end;
        memmove(to, line, (size_t)(comment - line));
        to += comment - line;
    }
    *to = '\0';
}

static void check_dump(const struct conf *conf)
{
    char *first = dump(conf);
    struct conf *again = load(first, strlen(first));
    char *second;

    assert(again != NULL);
    second = dump(again);
    strip_origins(first);
    strip_origins(second);
    assert(strcmp(first, second) == 0);
    free(first);
    free(second);
    conf_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf *conf = load(data, size);

    if (conf != NULL && conf->chaos.token[0] == '\0')
        check_dump(conf);
    conf_free(conf);
    return 0;
}
