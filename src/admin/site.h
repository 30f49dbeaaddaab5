/*
 * What the admin child answers: its routes on an HTTP server of its own, which
 * shares nothing with those of the workers but the code.
 */
#ifndef ZOMBIE_ADMIN_SITE_H
#define ZOMBIE_ADMIN_SITE_H

#include <stddef.h>

struct admin_site;
struct balancer;
struct conf;
struct directory;
struct event_base;
struct http_drain;
struct scoreboard;
struct worker_identity;

/* What the site needs; all but control_fd is borrowed for its life. */
struct admin_site_settings {
    struct event_base *base;
    const struct conf *conf; /* with admin.listen on */
    const struct scoreboard *scoreboard;
    struct balancer *balancer; /* only looked at, as is: */
    struct directory *directory;
    const struct worker_identity *identity; /* its instance is set before admin_site_accept() */
    int control_fd;          /* to the master, for control/client.h; the site's on success */
    void (*lost)(void *arg); /* that connection has ended: the site is of little use */
    void *arg;
};

/* Set up without accepting. Returns 0 or -errno. */
__attribute__((warn_unused_result)) int admin_site_new(const struct admin_site_settings *settings,
                                                       struct admin_site **ret_site);

/* As http_server_accept(). */
__attribute__((warn_unused_result)) int admin_site_accept(struct admin_site *site,
                                                          const int *listeners, size_t n);

/* As http_server_drain(); event streams end at once. */
void admin_site_drain(struct admin_site *site, const struct http_drain *drain);

/* NULL is fine. */
void admin_site_free(struct admin_site *site);

#endif
