/*
 * TLS towards servers whose certificates are verified, names included (RFC 6125), by OpenSSL.
 * A program that was built without OpenSSL refuses https with a message.
 */
#ifndef ZOMBIE_DISCOVERY_TLS_CLIENT_H
#define ZOMBIE_DISCOVERY_TLS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

struct bufferevent;
struct event_base;
struct tls_client;

struct tls_client_settings {
    const char *ca_file;   /* PEM; "": those that the system trusts */
    const char *cert_file; /* PEM, with the chain; "": no client certificate */
    const char *key_file;  /* PEM; "": in cert_file */
};

/* Room for a reason. */
#define TLS_CLIENT_WHY_SIZE 256

/* Whether the program was built with OpenSSL. */
bool tls_client_is_built(void);

/*
 * Read the files, while the process may. TLS 1.2 or later. Returns 0, or -EINVAL with `why` set to
 * a sentence that names the file and what is wrong with it, or -ENOMEM.
 */
__attribute__((warn_unused_result)) int tls_client_new(const struct tls_client_settings *settings,
                                                       char why[TLS_CLIENT_WHY_SIZE],
                                                       struct tls_client **ret_client);

/*
 * A bufferevent without a socket that speaks TLS with this host (a name, or an address without
 * brackets), to be verified. Returns it, or NULL.
 */
struct bufferevent *tls_client_bufferevent(struct tls_client *client, struct event_base *base,
                                           const char *host);

/* Why the handshake of a bufferevent failed, a phrase such as "the certificate has expired"; NULL:
 * for no reason of TLS. Good until the next call. */
const char *tls_client_error(struct bufferevent *bev);

void tls_client_free(struct tls_client *client);

#endif
