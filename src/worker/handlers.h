/*
 * All handlers that a worker has, in the order of their names.
 */
#ifndef ZOMBIE_WORKER_HANDLERS_H
#define ZOMBIE_WORKER_HANDLERS_H

struct conf_handler;

/* The conf part of each, NULL-terminated: what conf_load() wants to know. */
extern const struct conf_handler *const handlers_conf[];

#endif
