#include "config.h"

#include "discovery/tls_client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_OPENSSL

#include <fcntl.h>
#include <unistd.h>

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/address.h"

#define NAME_SIZE 256

struct tls_client {
    SSL_CTX *context;
};

/* What an SSL has to remember for tls_client_error(): a reset clears what it knows itself. */
struct memory {
    char host[NAME_SIZE];
    int refusal; /* X509_V_..., of its certificate */
};

bool tls_client_is_built(void)
{
    return true;
}

static void free_memory(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
                        void *argp)
{
    (void)parent;
    (void)data;
    (void)index;
    (void)argl;
    (void)argp;
    free(ptr);
}

/* The index of struct memory in an SSL; -1: out of memory. */
static int memory_index(void)
{
    static int index = -1;
    if (index < 0)
        index = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_memory);
    return index;
}

/* A passphrase is asked of nobody: a daemon has no terminal. */
static int no_passphrase(char *buf, int size, int is_writing, void *arg)
{
    (void)is_writing;
    (void)arg;
    if (size > 0)
        buf[0] = '\0';
    return 0;
}

static int on_verified(int is_good, X509_STORE_CTX *store)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct memory *memory = ssl != NULL ? SSL_get_ex_data(ssl, memory_index()) : NULL;
    if (!is_good && memory != NULL)
        memory->refusal = X509_STORE_CTX_get_error(store);
    return is_good;
}

/* --- Files ------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static int refuse(char why[TLS_CLIENT_WHY_SIZE],
                                                        const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(why, TLS_CLIENT_WHY_SIZE, format, args);
    va_end(args);
    ERR_clear_error();
    return -EINVAL;
}

static const char *reason(void)
{
    const char *text = ERR_reason_error_string(ERR_peek_error());
    return text != NULL ? text : "it makes no sense";
}

static int check_readable(const char *path, char why[TLS_CLIENT_WHY_SIZE])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return refuse(why, "cannot read %s: %s", path, strerror(errno));
    close(fd);
    return 0;
}

static int load_authorities(SSL_CTX *context, const char *path, char why[TLS_CLIENT_WHY_SIZE])
{
    if (path[0] == '\0') {
        if (SSL_CTX_set_default_verify_paths(context) != 1)
            return refuse(why, "cannot read the certificates that the system trusts: %s", reason());
        return 0;
    }
    if (check_readable(path, why) != 0)
        return -EINVAL;
    if (SSL_CTX_load_verify_locations(context, path, NULL) != 1)
        return refuse(why, "%s has no certificate in PEM: %s", path, reason());
    return 0;
}

static int load_certificate(SSL_CTX *context, const char *path, char why[TLS_CLIENT_WHY_SIZE])
{
    if (check_readable(path, why) != 0)
        return -EINVAL;
    if (SSL_CTX_use_certificate_chain_file(context, path) != 1)
        return refuse(why, "%s has no certificate in PEM: %s", path, reason());
    return 0;
}

static int load_key(SSL_CTX *context, const char *path, const char *certificate,
                    char why[TLS_CLIENT_WHY_SIZE])
{
    if (check_readable(path, why) != 0)
        return -EINVAL;
    if (SSL_CTX_use_PrivateKey_file(context, path, SSL_FILETYPE_PEM) == 1)
        return 0;
    if (ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH)
        return refuse(why, "the key in %s is not that of the certificate in %s", path, certificate);
    return refuse(why, "%s has no key in PEM without a passphrase: %s", path, reason());
}

static int load(SSL_CTX *context, const struct tls_client_settings *settings,
                char why[TLS_CLIENT_WHY_SIZE])
{
    const char *certificate = settings->cert_file;
    const char *key = settings->key_file[0] != '\0' ? settings->key_file : certificate;
    int rc = load_authorities(context, settings->ca_file, why);
    if (rc == 0 && certificate[0] == '\0' && key[0] != '\0')
        rc = refuse(why, "there is a key, %s, but no certificate", key);
    if (rc != 0 || certificate[0] == '\0')
        return rc;
    rc = load_certificate(context, certificate, why);
    return rc == 0 ? load_key(context, key, certificate, why) : rc;
}

int tls_client_new(const struct tls_client_settings *settings, char why[TLS_CLIENT_WHY_SIZE],
                   struct tls_client **ret_client)
{
    struct tls_client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return -ENOMEM;
    ERR_clear_error();
    client->context = SSL_CTX_new(TLS_client_method());
    if (client->context == NULL || memory_index() < 0 ||
        SSL_CTX_set_min_proto_version(client->context, TLS1_2_VERSION) != 1) {
        tls_client_free(client);
        return -ENOMEM;
    }
    SSL_CTX_set_options(client->context, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_default_passwd_cb(client->context, no_passphrase);
    SSL_CTX_set_verify(client->context, SSL_VERIFY_PEER, on_verified);
    int rc = load(client->context, settings, why);
    if (rc != 0) {
        tls_client_free(client);
        return rc;
    }
    *ret_client = client;
    return 0;
}

void tls_client_free(struct tls_client *client)
{
    if (client == NULL)
        return;
    SSL_CTX_free(client->context);
    free(client);
}

/* --- Connections --------------------------------------------------------------------------- */

/* Whom to ask for (RFC 6066 section 3: names alone) and whom to accept. */
static int set_host(SSL *ssl, const char *host)
{
    if (address_is_numeric(host))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1 ? 0 : -1;
    SSL_set_hostflags(ssl,
                      X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (SSL_set1_host(ssl, host) != 1 || SSL_set_tlsext_host_name(ssl, host) != 1)
        return -1;
    return 0;
}

static int remember(SSL *ssl, const char *host)
{
    struct memory *memory = calloc(1, sizeof *memory);
    if (memory == NULL)
        return -1;
    (void)snprintf(memory->host, sizeof memory->host, "%s", host);
    if (SSL_set_ex_data(ssl, memory_index(), memory) != 1) {
        free(memory);
        return -1;
    }
    return 0;
}

struct bufferevent *tls_client_bufferevent(struct tls_client *client, struct event_base *base,
                                           const char *host)
{
    SSL *ssl = SSL_new(client->context);
    if (ssl == NULL)
        return NULL;
    if (set_host(ssl, host) != 0 || remember(ssl, host) != 0) {
        SSL_free(ssl);
        return NULL;
    }
    return bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_CONNECTING,
                                          BEV_OPT_CLOSE_ON_FREE);
}

/* --- Why it failed --------------------------------------------------------------------------- */

static const char *explain_refusal(const struct memory *memory)
{
    static char text[TLS_CLIENT_WHY_SIZE + NAME_SIZE];
    const char *what = X509_verify_cert_error_string(memory->refusal);
    if (memory->refusal == X509_V_ERR_HOSTNAME_MISMATCH ||
        memory->refusal == X509_V_ERR_IP_ADDRESS_MISMATCH)
        what = "it is for another name";
    (void)snprintf(text, sizeof text, "the certificate of %s is not accepted: %s", memory->host,
                   what);
    return text;
}

/* libevent keeps its errors beside those of the library, which are told by their number. */
static unsigned long first_error(struct bufferevent *bev)
{
    unsigned long error, first = 0;
    while ((error = bufferevent_get_openssl_error(bev)) != 0)
        if (ERR_GET_LIB(error) != 0 && ERR_GET_LIB(error) != ERR_LIB_SYS)
            first = error;
    return first;
}

const char *tls_client_error(struct bufferevent *bev)
{
    static char text[TLS_CLIENT_WHY_SIZE + NAME_SIZE];
    SSL *ssl = bufferevent_openssl_get_ssl(bev);
    const struct memory *memory = ssl != NULL ? SSL_get_ex_data(ssl, memory_index()) : NULL;
    if (memory == NULL)
        return NULL;
    if (memory->refusal != X509_V_OK)
        return explain_refusal(memory);
    unsigned long error = first_error(bev);
    const char *what = error != 0 ? ERR_reason_error_string(error) : NULL;
    if (what == NULL)
        return NULL;
    (void)snprintf(text, sizeof text, "TLS with %s failed: %s", memory->host, what);
    return text;
}

#else

bool tls_client_is_built(void)
{
    return false;
}

int tls_client_new(const struct tls_client_settings *settings, char why[TLS_CLIENT_WHY_SIZE],
                   struct tls_client **ret_client)
{
    (void)settings;
    (void)ret_client;
    (void)snprintf(why, TLS_CLIENT_WHY_SIZE, "the program was built without OpenSSL");
    return -EINVAL;
}

struct bufferevent *tls_client_bufferevent(struct tls_client *client, struct event_base *base,
                                           const char *host)
{
    (void)client;
    (void)base;
    (void)host;
    return NULL;
}

const char *tls_client_error(struct bufferevent *bev)
{
    (void)bev;
    return NULL;
}

void tls_client_free(struct tls_client *client)
{
    (void)client;
}

#endif
