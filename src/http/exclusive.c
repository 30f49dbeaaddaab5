#include "config.h"

#include "http/exclusive.h"

#include <errno.h>
#include <sys/epoll.h>

/* libevent opens its epoll instance first, so in a new worker it is among the lowest. */
#define DESCRIPTORS_TRIED 1024

int exclusive_find_epoll(int fd)
{
    for (int candidate = 0; candidate < DESCRIPTORS_TRIED; candidate++) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        if (candidate != fd && epoll_ctl(candidate, EPOLL_CTL_MOD, fd, &event) == 0)
            return candidate;
    }
    return -1;
}

void exclusive_requeue(int epoll_fd, int fd)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = fd};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, &event) != 0)
        return;
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0)
        return;
    event.events = EPOLLIN;
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}
