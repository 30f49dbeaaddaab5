/*
 * The orders to kill of a run of chaos: which of them may be given, and what the
 * server says to those that were.
 */
#ifndef ZOMBIE_ZOMBIECTL_CHAOS_KILLER_H
#define ZOMBIE_ZOMBIECTL_CHAOS_KILLER_H

struct chaos_killer;
struct chaos_report;
struct control_client;

/* Orders that the server has not answered; for more, kills are held back. */
#define CHAOS_KILLER_ORDERS_MAX 12

struct chaos_killer_settings {
    struct control_client *client;
    struct chaos_report *report;     /* the counts and the strength go there */
    void (*disconnected)(void *arg); /* the connection to the server has ended */
    void *arg;
};

/* Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int
chaos_killer_new(const struct chaos_killer_settings *settings, struct chaos_killer **ret_killer);

/* Kill the worker that serves in that slot; hold it back when there is none, or when too few others
 * would serve. */
void chaos_killer_kill(struct chaos_killer *killer, unsigned slot);

/* Give the orders over another connection: the one before has ended, and what was open is
 * forgotten. NULL: there is none, kills are held back. */
void chaos_killer_use(struct chaos_killer *killer, struct control_client *client);

/* What is open is forgotten; NULL is fine. */
void chaos_killer_free(struct chaos_killer *killer);

#endif
