#include "config.h"

#include "cluster/reopen.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cluster/master_state.h"
#include "conf/conf.h"
#include "ipc/channel.h"

static void hand_over(struct slot *slot)
{
    const struct message message = {.type = MESSAGE_LOG, .log.fd = log_fd()};
    int err = slot->channel != NULL ? channel_send(slot->channel, &message) : 0;
    if (err != 0)
        log_warning("worker %" PRIu64 " keeps its old log: %s", slot->worker, strerror(-err));
}

void reopen_logs(struct master *master)
{
    const struct conf_log *conf = &master->conf->log;
    int err = conf_open_log(conf);
    if (err != 0) {
        log_error("cannot open %s again: %s, logging on into the old file", conf->target,
                  strerror(-err));
        return;
    }
    if (log_fd() <= STDERR_FILENO) {
        log_info("the log goes to %s, there is nothing to open again", conf->target);
        return;
    }
    log_info("opened the log again");
    for (size_t i = 0; i < master->n_slots; i++)
        if (slot_is_alive(master->slots[i].state))
            hand_over(&master->slots[i]);
}
