/*
 * What stands behind discovery.h, for the files that it consists of: discovery.c decides when,
 * session.c speaks with one server at a time, leave.c knows how to come to an end, tidings.c tells
 * log and directory.
 */
#ifndef ZOMBIE_DISCOVERY_DISCOVERY_STATE_H
#define ZOMBIE_DISCOVERY_DISCOVERY_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/registry.h"
#include "discovery/directory.h"
#include "discovery/discovery.h"
#include "discovery/driver.h"
#include "discovery/identity.h"
#include "discovery/lookups.h"
#include "discovery/registration.h"

struct event;
struct evdns_base;

/* What a discovery that leaves waits for. */
enum leaving { LEAVING_IN_DOUBT, LEAVING_HANDS_OVER, LEAVING_DEREGISTERS };

struct discovery {
    struct discovery_settings settings;
    const struct conf_registry *conf;
    const struct driver *driver;
    struct identity identity;
    struct driver_record record;
    struct registration_rule rule;
    struct registration registration;
    bool enrolls; /* whether it registers at all */
    struct lookups *lookups;
    struct directory_registration told; /* as the directory has it */

    void *session; /* NULL: there is none */
    struct evdns_base *dns;
    size_t server;      /* the URL in use */
    unsigned dns_turn;  /* of the name servers, to look it up */
    bool owes_turn;     /* questions for names that were given up end in the next turn */
    bool ends_session;  /* it is of no use any more */
    int64_t hold_ms;    /* look-ups open no session before this */
    unsigned broken;    /* sessions in a row that brought nothing, when nothing is registered */
    struct event *turn; /* in the loop: what was noted is done */
    struct event *look; /* LOOK_MS */
    bool is_tried;      /* a registration was, at least */
    bool owns;          /* the directory was given to this process */
    bool is_over;       /* nothing is done any more */
    void (*left)(void *arg);
    void *left_arg;
    struct event *left_event; /* when to go on with leaving */
    enum leaving leaving;     /* see leave.c */
    int64_t patience_ms;      /* until then a successor is waited for */
    int64_t hand_over_ms;     /* so long a successor is waited for; 0: for none */
};

/* As the log has it, without credentials: the server in use. */
const char *discovery_url(const struct discovery *discovery);

/* Look what is to be done in the next turn of the loop. */
void discovery_wake(struct discovery *discovery);

/* Whether there is a registration of this process to look after. */
static inline bool discovery_registers(const struct discovery *discovery)
{
    return discovery->enrolls && discovery->owns;
}

/* Nothing goes on, and who waits for the end is told. */
void discovery_end(struct discovery *discovery);

/* --- session.c ----------------------------------------------------------------------------- */

/* Open one with the server in use. Returns 0 or -errno. */
__attribute__((warn_unused_result)) int session_open(struct discovery *discovery);

/* Without one nothing happens. Not from within a callback of the driver. */
void session_close(struct discovery *discovery);

/* --- tidings.c ----------------------------------------------------------------------------- */

/* How the registration stands is in the directory from now on. */
void tidings_publish(struct discovery *discovery);

/* The task that ran last has gone well; or something has not, at this URL. */
void tidings_good(struct discovery *discovery);
void tidings_bad(struct discovery *discovery, const char *url, enum driver_outcome outcome,
                 const char *why, int64_t now_ms);

/* Where nothing is registered, the same of look-ups. */
void tidings_heard(struct discovery *discovery);
void tidings_lost(struct discovery *discovery, const char *why);

/* One more of these. */
void tidings_count(struct discovery *discovery, enum directory_count what);

#endif
