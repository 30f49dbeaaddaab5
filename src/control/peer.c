#include "config.h"

#include "control/peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/server.h"

static bool is_member(const struct control_credentials *credentials, gid_t group)
{
    if (credentials->gid == group)
        return true;
    for (size_t i = 0; i < credentials->n_groups; i++)
        if (credentials->groups[i] == group)
            return true;
    return false;
}

bool control_peer_may(const struct control_door *door,
                      const struct control_credentials *credentials)
{
    if (credentials->uid == 0 || credentials->uid == door->server)
        return true;
    if (!door->has_file)
        return false;
    if (credentials->uid == door->owner || (door->mode & S_IWOTH) != 0)
        return true;
    return (door->mode & S_IWGRP) != 0 && is_member(credentials, door->group);
}

/* fstat(2) knows the socket only; the owner and mode that count are those of its file. */
static struct control_door find_door(int listening)
{
    struct control_door door = {.server = geteuid()};
    union {
        struct sockaddr header;
        struct sockaddr_un file;
        char bytes[sizeof(struct sockaddr_un) + 1]; /* a path of full length has no NUL */
    } name = {.bytes = {0}};
    socklen_t len = sizeof name.file;
    struct stat file;
    if (getsockname(listening, &name.header, &len) != 0 || name.header.sa_family != AF_UNIX)
        return door;
    if (name.file.sun_path[0] == '\0' || stat(name.file.sun_path, &file) != 0)
        return door;
    if (!S_ISSOCK(file.st_mode))
        return door;
    door.has_file = true;
    door.owner = file.st_uid;
    door.group = file.st_gid;
    door.mode = file.st_mode;
    return door;
}

static int read_credentials(int fd, struct ucred *ret_credentials)
{
    socklen_t len = sizeof *ret_credentials;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret_credentials, &len) == 0 ? 0 : -errno;
}

/* Their number; the array is the caller's. Without memory they are in no group. */
static size_t read_groups(int fd, gid_t **ret_groups)
{
    gid_t none;
    socklen_t len = 0; /* it says how much there is */
    *ret_groups = NULL;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, &none, &len) == 0 || errno != ERANGE)
        return 0;
    gid_t *groups = malloc(len);
    if (groups == NULL || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) != 0) {
        free(groups);
        return 0;
    }
    *ret_groups = groups;
    return len / sizeof *groups;
}

int control_peer_read(int fd, struct control_peer *ret_peer)
{
    struct ucred credentials;
    int r = read_credentials(fd, &credentials);
    if (r == 0)
        *ret_peer = (struct control_peer){.pid = credentials.pid, .uid = credentials.uid};
    return r;
}

int control_peer_check(int fd, int listening, struct control_peer *ret_peer)
{
    struct control_door door = find_door(listening);
    struct ucred user;
    gid_t *groups;
    int r = read_credentials(fd, &user);
    if (r != 0)
        return r;
    struct control_credentials credentials = {.uid = user.uid, .gid = user.gid};
    credentials.n_groups = read_groups(fd, &groups);
    credentials.groups = groups;
    r = control_peer_may(&door, &credentials) ? 0 : -EACCES;
    free(groups);
    *ret_peer = (struct control_peer){.pid = user.pid, .uid = user.uid};
    return r;
}
