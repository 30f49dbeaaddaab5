#include "config.h"

#include "cluster/descriptors.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/conf.h"
#include "http/server.h"

void descriptors_fill_standard(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

void descriptors_raise(const struct conf *conf)
{
    struct rlimit limit;
    rlim_t needed = (rlim_t)conf->http.max_connections + conf->n_listens + HTTP_SERVER_SPARE_FDS;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed)
        return;
    struct rlimit wanted = {needed, needed > limit.rlim_max ? needed : limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &wanted) == 0)
        return;
    wanted = (struct rlimit){limit.rlim_max, limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &wanted) != 0)
        wanted = limit;
    if (wanted.rlim_cur < needed)
        log_warning("http.max_connections = %ld needs %ju descriptors a worker, the limit is %ju: "
                    "workers accept fewer connections",
                    conf->http.max_connections, (uintmax_t)needed, (uintmax_t)wanted.rlim_cur);
}
