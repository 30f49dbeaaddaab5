#include "config.h"

#include "distributor/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "discovery/registries/distributor_wire.h"
#include "distributor/table.h"

/* Returns 0 or -errno; a memfd takes all that is written unless memory is short. */
static int fill(int fd, const struct bytes *frame)
{
    size_t done = 0;
    while (done < frame->len) {
        ssize_t n = write(fd, frame->at + done, frame->len - done);
        if (n <= 0)
            return n < 0 ? -errno : -ENOSPC;
        done += (size_t)n;
    }
    return 0;
}

static int keep(struct snapshot *snapshot, const struct bytes *frame)
{
    snapshot->fd = memfd_create("zombie-distributor", MFD_CLOEXEC);
    if (snapshot->fd < 0)
        return -errno;
    snapshot->len = frame->len;
    return fill(snapshot->fd, frame);
}

void snapshots_init(struct snapshots *snapshots)
{
    *snapshots = (struct snapshots){.n = 0};
    TAILQ_INIT(&snapshots->all);
}

static void enlist(struct snapshot *snapshot, struct snapshots *snapshots)
{
    snapshot->among = snapshots;
    TAILQ_INSERT_TAIL(&snapshots->all, snapshot, entry);
    snapshots->n++;
    snapshots->bytes += snapshot->len;
}

static void strike_off(struct snapshot *snapshot)
{
    struct snapshots *snapshots = snapshot->among;
    if (snapshots == NULL)
        return;
    TAILQ_REMOVE(&snapshots->all, snapshot, entry);
    snapshots->n--;
    snapshots->bytes -= snapshot->len;
}

int snapshot_new(struct snapshots *snapshots, const struct table *table,
                 struct snapshot **ret_snapshot)
{
    struct bytes frame = {.at = NULL};
    struct snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (snapshot == NULL)
        return -ENOMEM;
    *snapshot = (struct snapshot){.holders = 1, .fd = -1, .version = table->version, .n = table->n};
    int err = distributor_write_head(&frame, NULL);
    snapshot->list_at = frame.len;
    table_write(table, &frame);
    distributor_write_tail(&frame);
    if (err == 0)
        err = frame.failed ? -ENOMEM : keep(snapshot, &frame);
    bytes_free(&frame);
    if (err != 0) {
        snapshot_release(snapshot);
        return err;
    }
    enlist(snapshot, snapshots);
    *ret_snapshot = snapshot;
    return 0;
}

struct snapshot *snapshot_hold(struct snapshot *snapshot)
{
    snapshot->holders++;
    return snapshot;
}

void snapshot_release(struct snapshot *snapshot)
{
    if (snapshot == NULL || --snapshot->holders > 0)
        return;
    strike_off(snapshot);
    if (snapshot->fd >= 0)
        close(snapshot->fd);
    free(snapshot);
}
