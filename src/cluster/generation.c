#include "config.h"

#include "cluster/generation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cluster/access_file.h"
#include "cluster/listeners.h"
#include "conf/conf.h"

int generation_new(unsigned number, struct conf *conf, const struct listeners *pool,
                   struct generation **ret_generation)
{
    struct listeners *listeners;
    int err = listeners_open(conf, pool, &listeners);
    if (err != 0)
        return err;
    err = generation_adopt(number, conf, listeners, ret_generation);
    if (err != 0)
        listeners_free(listeners);
    return err;
}

int generation_adopt(unsigned number, struct conf *conf, struct listeners *listeners,
                     struct generation **ret_generation)
{
    struct generation *generation = calloc(1, sizeof *generation);
    if (generation == NULL)
        return -ENOMEM;
    *generation = (struct generation){number, conf, listeners, -1};
    *ret_generation = generation;
    return 0;
}

int generation_open_access_log(struct generation *generation)
{
    const struct conf_access_log *conf = &generation->conf->access_log;
    int fd;
    int err = access_file_open(conf, &fd);
    if (err != 0) {
        log_error("cannot write the access log to %s: %s", conf->target, strerror(-err));
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
    listeners_free(generation->listeners);
    conf_free(generation->conf);
    free(generation);
}
