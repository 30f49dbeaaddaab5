#include "config.h"

#include "cluster/generation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/access_file.h"
#include "cluster/listeners.h"
#include "conf/conf.h"

_Static_assert(GENERATION_ERROR_SIZE >= LISTENERS_ERROR_SIZE, "what is said of sockets fits");

static void free_sets(struct listeners *const sets[PURPOSES])
{
    for (int purpose = 0; purpose < PURPOSES; purpose++)
        listeners_free(sets[purpose]);
}

static int open_sets(const struct conf *conf, struct listeners *const pools[PURPOSES],
                     struct listeners *sets[PURPOSES], char error[GENERATION_ERROR_SIZE])
{
    int err = 0;
    for (int purpose = 0; err == 0 && purpose < PURPOSES; purpose++) {
        struct purpose_listens wanted;
        purpose_find(conf, (enum purpose)purpose, &wanted);
        err = listeners_open(&wanted, pools != NULL ? pools[purpose] : NULL, &sets[purpose], error);
    }
    return err;
}

int generation_new(unsigned number, struct conf *conf, struct listeners *const pools[PURPOSES],
                   struct generation **ret_generation, char error[GENERATION_ERROR_SIZE])
{
    struct listeners *sets[PURPOSES] = {NULL};
    int err = open_sets(conf, pools, sets, error);
    if (err == 0) {
        err = generation_adopt(number, conf, sets, ret_generation);
        if (err != 0)
            snprintf(error, GENERATION_ERROR_SIZE, "out of memory");
    }
    if (err != 0)
        free_sets(sets);
    return err;
}

int generation_adopt(unsigned number, struct conf *conf, struct listeners *const sets[PURPOSES],
                     struct generation **ret_generation)
{
    struct generation *generation = calloc(1, sizeof *generation);
    if (generation == NULL)
        return -ENOMEM;
    *generation = (struct generation){.number = number, .conf = conf, .access_log_fd = -1};
    memcpy(generation->listeners, sets, sizeof generation->listeners);
    *ret_generation = generation;
    return 0;
}

int generation_open_access_log(struct generation *generation, char error[GENERATION_ERROR_SIZE])
{
    const struct conf_access_log *conf = &generation->conf->access_log;
    int fd;
    int err = access_file_open(conf, &fd);
    if (err != 0) {
        snprintf(error, GENERATION_ERROR_SIZE, "cannot write the access log to %s: %s",
                 conf->target, strerror(-err));
        return err;
    }
    access_file_close(generation->access_log_fd);
    generation->access_log_fd = fd;
    return 0;
}

void generation_free(struct generation *generation)
{
    if (generation == NULL)
        return;
    access_file_close(generation->access_log_fd);
    free_sets(generation->listeners);
    conf_free(generation->conf);
    free(generation);
}
