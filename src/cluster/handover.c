#include "config.h"

#include "cluster/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/address.h"
#include "base/log.h"
#include "base/log_ring.h"
#include "cluster/balance.h"
#include "cluster/generation.h"
#include "cluster/hear.h"
#include "cluster/launch.h"
#include "cluster/listener.h"
#include "cluster/listeners.h"
#include "cluster/master_state.h"
#include "cluster/sharing.h"
#include "cluster/table.h"
#include "discovery/directory.h"
#include "host/pidfile.h"
#include "ipc/channel.h"
#include "proxy/balancer.h"

/* A state is some hundred bytes a worker; this bounds what is read of a strange descriptor. */
#define TEXT_MAX 8388608

static int collect_sockets(const struct listener *listener, enum purpose purpose,
                           struct state *state)
{
    char title[ADDRESS_TEXT_SIZE];
    struct listener_file file = listener_file(listener);
    address_format(listener_address(listener), title);
    for (size_t i = 0; i < listener_count(listener); i++) {
        char *copy = strdup(title);
        if (copy == NULL)
            return -ENOMEM;
        state->listeners[state->n_listeners++] = (struct state_listener){
            copy, listener_fd(listener, i), file.device, file.inode, (uint32_t)i, purpose};
    }
    return 0;
}

static size_t count_sockets(const struct listeners *listeners)
{
    const struct listener *listener;
    size_t n = 0;
    for (size_t i = 0; (listener = listeners_at(listeners, i)) != NULL; i++)
        n += listener_count(listener);
    return n;
}

static int collect_listeners(const struct generation *generation, struct state *state)
{
    const struct listener *listener;
    size_t n = 0;
    int err = 0;
    for (int purpose = 0; purpose < PURPOSES; purpose++)
        n += count_sockets(generation->listeners[purpose]);
    state->listeners = calloc(n + 1, sizeof *state->listeners);
    if (state->listeners == NULL)
        return -ENOMEM;
    for (int purpose = 0; purpose < PURPOSES; purpose++) {
        const struct listeners *set = generation->listeners[purpose];
        for (size_t i = 0; err == 0 && (listener = listeners_at(set, i)) != NULL; i++)
            err = collect_sockets(listener, (enum purpose)purpose, state);
    }
    return err;
}

static struct state_worker describe(const struct master *master, const struct slot *slot)
{
    return (struct state_worker){
        .place = (uint32_t)(slot - master->slots),
        .number = slot->number,
        .generation = slot->generation,
        .state = slot->state,
        .worker = slot->worker,
        .pid = slot->pid,
        .channel_fd = channel_fd(slot->channel),
        .started_ms = slot->started_ms,
        .ready_ms = slot->ready_ms,
        .deadline_ms = slot->deadline_ms,
        .doom_ms = slot->doom_ms,
        .leaving = slot->leaving,
        .candidate = slot->candidate,
        .asked = slot->asked,
        .deliberate = slot->deliberate,
        .chaos = slot->chaos,
    };
}

static int collect_workers(const struct master *master, struct state *state)
{
    state->workers = calloc(master->n_slots + 1, sizeof *state->workers);
    if (state->workers == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < master->n_slots; i++)
        if (slot_is_alive(master->slots[i].state))
            state->workers[state->n_workers++] = describe(master, &master->slots[i]);
    return 0;
}

static int collect_deaths(const struct recorder *recorder, struct state *state)
{
    size_t n = recorder_count(recorder);
    state->deaths = calloc(n + 1, sizeof *state->deaths);
    if (state->deaths == NULL)
        return -ENOMEM;
    while (state->n_deaths < n) {
        state->deaths[state->n_deaths] = *recorder_at(recorder, state->n_deaths);
        state->n_deaths++;
    }
    return 0;
}

static int collect_events(const struct journal *journal, struct state *state)
{
    const struct journal_entry *entry;
    uint64_t sequence = 0;
    state->events = calloc(JOURNAL_ENTRIES, sizeof *state->events);
    if (state->events == NULL)
        return -ENOMEM;
    while ((entry = journal_from(journal, sequence + 1)) != NULL) {
        state->events[state->n_events++] = *entry;
        sequence = entry->sequence;
    }
    return 0;
}

static int collect_pidfile(const struct pidfile *pidfile, struct state *state)
{
    state->pidfile_fd = -1;
    if (pidfile == NULL)
        return 0;
    state->pidfile_fd = pidfile_fd(pidfile);
    state->pidfile = strdup(pidfile_path(pidfile));
    return state->pidfile != NULL ? 0 : -ENOMEM;
}

int handover_collect(const struct master *master, struct state *ret_state)
{
    struct state state = {
        .started_ms = master->started_ms,
        .generation = master->current->number,
        .last_worker = master->last_worker,
        .strangers = master->strangers,
        .upgrades = master->upgrades,
        .strength = master->workers,
        .scoreboard_fd = scoreboard_fd(master->scoreboard),
        .scoreboard_places = (uint32_t)table_size(),
        .places = (uint32_t)master->n_slots,
        .configuration_fd = -1,
        .balancer_fd = balancer_fd(master->balancer),
        .directory_fd = directory_fd(master->directory),
        .log_ring_fd = master->log_ring != NULL ? log_ring_fd(master->log_ring) : -1,
    };
    memcpy(state.uuid, master->uuid, sizeof state.uuid);
    int err = collect_listeners(master->current, &state);
    if (err == 0)
        err = collect_workers(master, &state);
    if (err == 0)
        err = collect_deaths(&master->recorder, &state);
    if (err == 0)
        err = collect_events(&master->journal, &state);
    if (err == 0)
        err = collect_pidfile(master->pidfile, &state);
    if (err != 0) {
        state_clear(&state);
        return err;
    }
    *ret_state = state;
    return 0;
}

static void keep(int fd, bool keep_it)
{
    if (fd >= 0)
        fcntl(fd, F_SETFD, keep_it ? 0 : FD_CLOEXEC);
}

void handover_keep_descriptors(const struct state *state, bool keep_them)
{
    keep(state->scoreboard_fd, keep_them);
    keep(state->configuration_fd, keep_them);
    keep(state->pidfile_fd, keep_them);
    keep(state->log_ring_fd, keep_them);
    keep(state->balancer_fd, keep_them);
    keep(state->directory_fd, keep_them);
    for (size_t i = 0; i < state->n_listeners; i++)
        keep(state->listeners[i].fd, keep_them);
    for (size_t i = 0; i < state->n_workers; i++)
        keep(state->workers[i].channel_fd, keep_them);
}

/* The whole text, allocated, or NULL with errno set. */
static char *read_all(int fd, size_t *ret_len)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return NULL;
    if (status.st_size <= 0 || status.st_size > TEXT_MAX) {
        errno = EBADMSG;
        return NULL;
    }
    size_t size = (size_t)status.st_size;
    char *text = malloc(size);
    if (text == NULL || pread(fd, text, size, 0) != (ssize_t)size) {
        free(text);
        return NULL;
    }
    *ret_len = size;
    return text;
}

int handover_read(const struct launch *launch, struct state *ret_state,
                  char error[STATE_ERROR_SIZE])
{
    size_t len = 0;
    errno = EIO;
    char *text = read_all(launch->state_fd, &len);
    int err = -errno;
    if (text == NULL) {
        snprintf(error, STATE_ERROR_SIZE, "the state cannot be read: %s", strerror(-err));
        return err;
    }
    err = state_decode(text, len, HANDOVER_LAYOUTS, ret_state, error);
    free(text);
    return err;
}

static bool is_listening(int fd)
{
    int on = 0;
    socklen_t size = sizeof on;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &size) == 0 && on != 0;
}

static bool is_channel(int fd)
{
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

static bool is_scoreboard(const struct state *state)
{
    struct scoreboard *scoreboard;
    if (state->scoreboard_places != table_size())
        return false;
    int fd = fcntl(state->scoreboard_fd, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return false;
    if (scoreboard_adopt(fd, state->scoreboard_places, &scoreboard) != 0) {
        close(fd);
        return false;
    }
    scoreboard_free(scoreboard);
    return true;
}

static int complain(char error[STATE_ERROR_SIZE], const char *what, int fd)
{
    snprintf(error, STATE_ERROR_SIZE, "descriptor %d is not %s", fd, what);
    return -EBADF;
}

int handover_check(const struct state *state, char error[STATE_ERROR_SIZE])
{
    struct address address;
    const char *why;
    for (size_t i = 0; i < state->n_listeners; i++) {
        const struct state_listener *listener = &state->listeners[i];
        if (!is_listening(listener->fd) || address_parse(listener->title, &address, &why) != 0)
            return complain(error, "a listening socket", listener->fd);
    }
    if (state->places > table_size())
        return complain(error, "a table that fits", (int)state->places);
    for (size_t i = 0; i < state->n_workers; i++)
        if (state->workers[i].channel_fd >= 0 && !is_channel(state->workers[i].channel_fd))
            return complain(error, "a worker's channel", state->workers[i].channel_fd);
    if (!is_scoreboard(state))
        return complain(error, "a scoreboard of this program", state->scoreboard_fd);
    return 0;
}

static int adopt_listener(const struct state_listener *from, struct listener **ret_listener)
{
    struct listener_file file = {from->device, from->inode};
    struct address address;
    const char *why;
    int err = address_parse(from->title, &address, &why);
    return err != 0 ? err : listener_adopt(from->fd, &address, file, ret_listener);
}

/* Which worker was born before which socket is not known any more: what counts is their share. */
static int adopt_listeners(const struct state *state, enum purpose purpose,
                           struct listeners **ret_listeners)
{
    struct listeners *listeners;
    struct listener *listener = NULL;
    int err = listeners_new(state->n_listeners, &listeners);
    for (size_t i = 0; err == 0 && i < state->n_listeners; i++) {
        const struct state_listener *from = &state->listeners[i];
        if (from->purpose != (uint32_t)purpose)
            continue;
        if (from->socket > 0) {
            err = listener_adopt_more(listener, from->fd, 0);
            continue;
        }
        err = adopt_listener(from, &listener);
        if (err == 0)
            listeners_add(listeners, listener, listener_is_joinable(listener));
    }
    if (err == 0)
        *ret_listeners = listeners;
    return err;
}

/* A worker beyond the last slot still serves until others have its sockets, see sharing.h. */
static bool is_surplus(const struct state *state, const struct state_worker *worker)
{
    return role_of(worker->number) == ROLE_WORKER && worker->number > state->strength &&
           !worker->leaving;
}

static bool is_sharing_settled(const struct state *state)
{
    for (size_t i = 0; i < state->n_workers; i++)
        if (is_surplus(state, &state->workers[i]))
            return false;
    return true;
}

static int adopt_worker(struct master *master, const struct state_worker *from, unsigned of)
{
    struct slot *slot = &master->slots[from->place];
    slot->number = from->number;
    slot->generation = from->generation;
    slot->share = (struct share){from->number, of};
    slot->state = from->state;
    slot->worker = from->worker;
    slot->pid = from->pid;
    slot->started_ms = from->started_ms;
    slot->ready_ms = from->ready_ms;
    slot->deadline_ms = from->deadline_ms;
    slot->doom_ms = from->doom_ms;
    slot->leaving = from->leaving;
    slot->candidate = from->candidate;
    slot->asked = from->asked;
    slot->deliberate = from->deliberate;
    slot->chaos = from->chaos;
    slot->killed_for = from->state == SLOT_KILLED ? "it was to die before the upgrade" : NULL;
    keep(from->channel_fd, false);
    return from->channel_fd >= 0 ? hear_worker(slot, from->channel_fd) : 0;
}

static int adopt_table(struct master *master, const struct state *state)
{
    unsigned of = is_sharing_settled(state) ? state->strength : 0;
    int err = table_adopt(master, state->scoreboard_fd, state->places);
    for (size_t i = 0; err == 0 && i < state->n_workers; i++)
        err = adopt_worker(master, &state->workers[i], of);
    sharing_change(master);
    for (size_t i = 0; err == 0 && i < master->n_slots; i++)
        slot_show(&master->slots[i]);
    return err;
}

/* Without it the instance serves as well. */
static void adopt_pidfile(struct master *master, const struct state *state)
{
    int err = pidfile_adopt(state->pidfile, state->pidfile_fd, &master->pidfile);
    if (err != 0)
        log_warning("cannot keep the pid file %s: %s, going on without", state->pidfile,
                    strerror(-err));
}

/* What has happened so far. */
static void adopt_records(struct master *master, const struct state *state)
{
    for (size_t i = 0; i < state->n_deaths; i++)
        master->recorder.deaths[master->recorder.added++] = state->deaths[i];
    if (state->n_events > 0)
        master->journal.added = state->events[0].sequence - 1;
    for (size_t i = 0; i < state->n_events; i++)
        journal_add(&master->journal, &state->events[i]);
    if (state->log_ring_fd >= 0 && log_ring_adopt(state->log_ring_fd, &master->log_ring) != 0)
        master->log_ring = NULL;
}

/* What is known of other services; the herald finds it out anew if need be. */
static int adopt_directory(struct master *master, int fd)
{
    if (fd >= 0 && directory_adopt(fd, &master->directory) == 0)
        return 0;
    if (fd >= 0)
        close(fd);
    return directory_new(&master->directory);
}

int handover_adopt(struct master *master, struct conf *conf, const struct state *state)
{
    struct listeners *sets[PURPOSES] = {NULL};
    char error[GENERATION_ERROR_SIZE];
    int err = 0;
    memcpy(master->uuid, state->uuid, sizeof master->uuid);
    master->started_ms = state->started_ms;
    master->last_worker = state->last_worker;
    master->last_generation = state->generation;
    master->strangers = state->strangers;
    master->upgrades = state->upgrades + 1;
    master->workers = state->strength;
    adopt_records(master, state);
    for (int purpose = 0; err == 0 && purpose < PURPOSES; purpose++)
        err = adopt_listeners(state, (enum purpose)purpose, &sets[purpose]);
    if (err == 0)
        err = generation_adopt(state->generation, conf, sets, &master->current);
    if (err == 0 && generation_open_access_log(master->current, error) != 0)
        log_warning("%s, workers write none until a reload opens it", error);
    if (err == 0)
        err = adopt_table(master, state);
    if (err == 0)
        err = balance_adopt(master, conf, state->balancer_fd);
    if (err == 0)
        err = adopt_directory(master, state->directory_fd);
    if (err == 0 && state->pidfile_fd >= 0)
        adopt_pidfile(master, state);
    return err;
}
