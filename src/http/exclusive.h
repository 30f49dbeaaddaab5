/*
 * Fair accepting on a listening socket that several processes share: each new
 * connection wakes one worker, and the worker that took one goes to the end
 * of the queue. libevent adds descriptors to epoll without EPOLLEXCLUSIVE
 * (epoll_ctl(2)), so the registration is made again with it.
 */
#ifndef ZOMBIE_HTTP_EXCLUSIVE_H
#define ZOMBIE_HTTP_EXCLUSIVE_H

/*
 * The epoll instance of this process in which `fd` is registered, found by
 * asking every descriptor; -1 when there is none (another event backend).
 * Meant for start-up: it tries some hundred descriptors.
 */
int exclusive_find_epoll(int fd);

/*
 * Register fd (already there, for reading) again, exclusively and at the end
 * of its wait queue. An epoll that refuses leaves the plain registration,
 * which is correct, only less fair.
 */
void exclusive_requeue(int epoll_fd, int fd);

#endif
