#include "config.h"

#include <errno.h>
#include <event2/dns.h>
#include <event2/util.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <zookeeper/zookeeper.h>

#include "base/address.h"
#include "base/bytes.h"
#include "base/log.h"
#include "discovery/registries/zookeeper_state.h"

/* Addresses of a name that are tried. */
#define ADDRESSES_MAX 8

/* A name that is being looked up; outlives a session that is closed before the answer. */
struct zookeeper_name {
    struct zookeeper_session *session; /* NULL: closed */
    struct evdns_getaddrinfo_request *request;
};

/* --- The library's handle -------------------------------------------------------------------- */

/* What the library says of itself, without its own time and process: "ZOO_INFO@...: text". */
static void on_log(const char *message)
{
    const char *at = strstr(message, ":ZOO_");
    size_t len = strcspn(at != NULL ? ++at : (at = message), "\n");

    log_debug("ZooKeeper's library: %.*s", (int)len, at);
}

static void on_session_event(zhandle_t *handle, int type, int state, const char *path, void *arg)
{
    (void)handle, (void)type, (void)state, (void)path, (void)arg; /* turns see the state */
}

static void log_in(struct zookeeper_session *session)
{
    const struct driver_settings *settings = &session->settings;
    const char *user = conf_registry_user(settings->conf, settings->url);
    const char *password = conf_registry_password(settings->conf, settings->url);
    struct bytes credentials = {0};

    if (user == NULL)
        return;
    bytes_add_text(&credentials, user);
    bytes_add_text(&credentials, ":");
    bytes_add_text(&credentials, password != NULL ? password : "");
    session->is_login = true;
    if (credentials.failed || zoo_add_auth(session->handle, "digest", credentials.at,
                                           (int)credentials.len, NULL, NULL) != ZOK)
        zookeeper_break(session, DRIVER_UNREACHABLE, "out of memory");
    if (credentials.at != NULL)
        explicit_bzero(credentials.at, credentials.len);
    bytes_free(&credentials);
}

/* Addresses only: the library would wait for the answer of a name server. */
static void begin(struct zookeeper_session *session, const char *hosts, size_t n)
{
    session->n_addresses = n;
    zoo_set_debug_level(log_level() == LOG_LEVEL_DEBUG ? ZOO_LOG_LEVEL_INFO : ZOO_LOG_LEVEL_ERROR);
    session->handle = zookeeper_init2(hosts, on_session_event, (int)session->settings.conf->ttl_ms,
                                      NULL, NULL, ZOO_NO_LOG_CLIENTENV, on_log);
    if (session->handle == NULL) {
        zookeeper_break(session, DRIVER_UNREACHABLE, "the library takes no such address");
    } else {
        zoo_set_servers_resolution_delay(session->handle, -1);
        session->state = zoo_state(session->handle);
        log_in(session);
    }
    zookeeper_kick(session);
}

static void add_address(struct bytes *hosts, const struct evutil_addrinfo *info, unsigned port)
{
    char host[NI_MAXHOST], text[NI_MAXHOST + sizeof ",:65535"];

    if (getnameinfo(info->ai_addr, (socklen_t)info->ai_addrlen, host, sizeof host, NULL, 0,
                    NI_NUMERICHOST) != 0)
        return;
    (void)snprintf(text, sizeof text, "%s%s:%u", hosts->len > 0 ? "," : "", host, port);
    bytes_add_text(hosts, text);
}

static void on_addresses(int result, struct evutil_addrinfo *found, void *arg)
{
    struct zookeeper_name *name = arg;
    struct zookeeper_session *session = name->session;
    struct bytes hosts = {0};
    size_t n = 0;

    free(name);
    for (const struct evutil_addrinfo *at = found; at != NULL && session != NULL; at = at->ai_next)
        if (n < ADDRESSES_MAX) {
            add_address(&hosts, at, session->settings.url->port);
            n++;
        }
    if (found != NULL)
        evutil_freeaddrinfo(found);
    if (session != NULL) {
        session->name = NULL;
        if (result == 0 && hosts.len > 0) {
            begin(session, hosts.at, n);
        } else {
            zookeeper_break(session, DRIVER_UNREACHABLE, "the host was not found");
            zookeeper_kick(session);
        }
    }
    bytes_free(&hosts);
}

static int look_host_up(struct zookeeper_session *session, struct evdns_base *dns, const char *host)
{
    struct evutil_addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct evdns_getaddrinfo_request *request;
    struct zookeeper_name *name = calloc(1, sizeof *name);

    if (name == NULL)
        return -ENOMEM;
    name->session = session;
    session->name = name;
    request = evdns_getaddrinfo(dns, host, NULL, &hints, on_addresses, name);
    if (session->name != NULL)
        session->name->request = request;
    return 0;
}

int zookeeper_server_find(struct zookeeper_session *session)
{
    const struct driver_settings *settings = &session->settings;
    struct bytes host = {0};

    zookeeper_renew_patience(session);
    if (settings->dns != NULL && !address_is_numeric(settings->url->host))
        return look_host_up(session, settings->dns, settings->url->host);
    bytes_add_text(&host, settings->url->host);
    bytes_add_text(&host, ":");
    bytes_add_number(&host, settings->url->port);
    if (host.failed)
        return -ENOMEM;
    begin(session, host.at, 1);
    bytes_free(&host);
    return 0;
}

void zookeeper_server_forget(struct zookeeper_session *session)
{
    if (session->name == NULL)
        return;
    session->name->session = NULL;
    evdns_getaddrinfo_cancel(session->name->request);
    session->name = NULL;
}
