#include "config.h"

#include "distributor/delivery.h"

#include <errno.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "distributor/snapshot.h"

void delivery_begin(struct delivery *delivery, struct snapshot *snapshot)
{
    *delivery = (struct delivery){.snapshot = snapshot_hold(snapshot)};
}

void delivery_begin_answer(struct delivery *delivery, struct snapshot *snapshot, struct bytes *head)
{
    *delivery = (struct delivery){
        .snapshot = snapshot_hold(snapshot), .at = snapshot->list_at, .head = *head};
    *head = (struct bytes){.at = NULL};
}

/* MSG_MORE: the list follows, in the same segment if it fits. */
static int send_head(struct delivery *delivery, int fd)
{
    while (delivery->head.len > 0) {
        ssize_t n =
            send(fd, delivery->head.at, delivery->head.len, MSG_MORE | MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0)
            return -errno;
        bytes_take(&delivery->head, (size_t)n);
    }
    return 0;
}

static int send_snapshot(struct delivery *delivery, int fd)
{
    const struct snapshot *snapshot = delivery->snapshot;
    while (delivery->at < snapshot->len) {
        off_t at = (off_t)delivery->at;
        ssize_t n = sendfile(fd, snapshot->fd, &at, snapshot->len - delivery->at);
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        delivery->at += (size_t)n;
    }
    return 0;
}

int delivery_go_on(struct delivery *delivery, int fd)
{
    int err;
    do {
        err = send_head(delivery, fd);
        if (err == 0)
            err = send_snapshot(delivery, fd);
    } while (err == -EINTR);
    if (err != 0)
        return err;
    delivery_clear(delivery);
    return 0;
}

void delivery_clear(struct delivery *delivery)
{
    snapshot_release(delivery->snapshot);
    bytes_free(&delivery->head);
    *delivery = (struct delivery){.snapshot = NULL};
}
