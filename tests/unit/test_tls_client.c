/*
 * HTTP by TLS: whose certificates are accepted, and what is said of the others.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/ssl.h>

#include "certificate_fixture.h"
#include "discovery/tls_client.h"
#include "http_client_fixture.h"

#define SOON 365

enum file { CA_FILE, CLIENT_FILE, KEY_FILE, LOCKED_FILE, OTHER_KEY_FILE, GARBAGE_FILE, FILES };

static const char *const names[FILES] = {"ca.pem",     "client.pem", "key.pem",
                                         "locked.pem", "other.pem",  "garbage.pem"};

static char folder[] = "/tmp/test_tls_client.XXXXXX";
static char paths[FILES][64];
static struct certificate authority, stranger, client_certificate;

static int write_files(void **state)
{
    static const struct certificate_plan ca = {
        .name = "Our CA", .from_days = -1, .to_days = SOON, .is_authority = 1};
    static const struct certificate_plan other = {
        .name = "Their CA", .from_days = -1, .to_days = SOON, .is_authority = 1};
    static const struct certificate_plan client = {
        .name = "client", .by = &authority, .from_days = -1, .to_days = SOON};

    (void)state;
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < FILES; i++)
        snprintf(paths[i], sizeof paths[i], "%s/%s", folder, names[i]);
    certificate_make(&authority, &ca);
    certificate_make(&stranger, &other);
    certificate_make(&client_certificate, &client);
    certificate_write(&authority, paths[CA_FILE]);
    certificate_write(&client_certificate, paths[CLIENT_FILE]);
    certificate_write_key(&client_certificate, paths[KEY_FILE], NULL);
    certificate_write_key(&client_certificate, paths[LOCKED_FILE], "secret");
    certificate_write_key(&stranger, paths[OTHER_KEY_FILE], NULL);
    FILE *file = fopen(paths[GARBAGE_FILE], "w");
    assert_non_null(file);
    fputs("-----BEGIN CERTIFICATE-----\nthis is none\n", file);
    return fclose(file);
}

static int remove_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILES; i++)
        unlink(paths[i]);
    certificate_free(&authority);
    certificate_free(&stranger);
    certificate_free(&client_certificate);
    return rmdir(folder);
}

static struct tls_client *client_new(bool has_certificate)
{
    const struct tls_client_settings settings = {
        .ca_file = paths[CA_FILE],
        .cert_file = has_certificate ? paths[CLIENT_FILE] : "",
        .key_file = has_certificate ? paths[KEY_FILE] : "",
    };
    struct tls_client *client = NULL;
    char why[TLS_CLIENT_WHY_SIZE] = "";
    if (tls_client_new(&settings, why, &client) != 0)
        fail_msg("%s", why);
    return client;
}

/* --- The other side ------------------------------------------------------------------------ */

static struct bufferevent *accept_tls(struct http_peer *peer, evutil_socket_t fd)
{
    return bufferevent_openssl_socket_new(peer->base, fd, SSL_new(peer->context),
                                          BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
}

static struct bufferevent *accept_plain(struct http_peer *peer, evutil_socket_t fd)
{
    return bufferevent_socket_new(peer->base, fd, BEV_OPT_CLOSE_ON_FREE);
}

/* To whom nobody may speak. */
static struct bufferevent *accept_nothing(struct http_peer *peer, evutil_socket_t fd)
{
    shutdown(fd, SHUT_WR);
    return accept_plain(peer, fd);
}

static SSL_CTX *context_new(const struct certificate_plan *plan)
{
    struct certificate certificate;
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    certificate_make(&certificate, plan);
    assert_int_equal(SSL_CTX_use_certificate(context, certificate.x509), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, certificate.key), 1);
    certificate_free(&certificate);
    return context;
}

static SSL_CTX *good_context(void)
{
    static const struct certificate_plan plan = {.name = "Server",
                                                 .alternatives = "DNS:" CALL_NAME,
                                                 .by = &authority,
                                                 .from_days = -1,
                                                 .to_days = SOON};
    return context_new(&plan);
}

static void set_up(struct call_world *world, const char *host, struct tls_client *client,
                   SSL_CTX *context)
{
    call_set_up_as(world, host, "127.0.0.1", NULL, client);
    world->peer.wrap = accept_tls;
    world->peer.context = context;
}

static void tear_down(struct call_world *world, struct tls_client *client, SSL_CTX *context)
{
    call_tear_down(world);
    tls_client_free(client);
    SSL_CTX_free(context);
}

/* --- Tests ----------------------------------------------------------------------------------- */

static void certificates_are_judged(void **state)
{
    static const struct {
        const char *host;
        struct certificate_plan plan;
        const char *error; /* NULL: accepted */
    } cases[] = {
        {CALL_NAME, {"x", "DNS:" CALL_NAME, &authority, -1, SOON, 0}, NULL},
        {CALL_NAME, {"x", "DNS:other.test,DNS:" CALL_NAME, &authority, -1, SOON, 0}, NULL},
        {CALL_NAME, {"x", "DNS:*.registry.test", &authority, -1, SOON, 0}, NULL},
        {"127.0.0.1", {"x", "IP:127.0.0.1", &authority, -1, SOON, 0}, NULL},
        {CALL_NAME, {"x", "DNS:other.test", &authority, -1, SOON, 0}, "it is for another name"},
        {CALL_NAME,
         {"x", "DNS:o*.registry.test", &authority, -1, SOON, 0},
         "it is for another name"},
        {CALL_NAME, {"x", "IP:127.0.0.1", &authority, -1, SOON, 0}, "it is for another name"},
        {CALL_NAME, {CALL_NAME, NULL, &authority, -1, SOON, 0}, "it is for another name"},
        {"127.0.0.1", {"x", "DNS:" CALL_NAME, &authority, -1, SOON, 0}, "it is for another name"},
        {"127.0.0.1", {"x", "DNS:127.0.0.1", &authority, -1, SOON, 0}, "it is for another name"},
        {CALL_NAME, {"x", "DNS:" CALL_NAME, &authority, -9, -1, 0}, "certificate has expired"},
        {CALL_NAME, {"x", "DNS:" CALL_NAME, &authority, 1, 9, 0}, "certificate is not yet valid"},
        {CALL_NAME, {"x", "DNS:" CALL_NAME, NULL, -1, SOON, 0}, "self"},
        {CALL_NAME,
         {"x", "DNS:" CALL_NAME, &stranger, -1, SOON, 0},
         "unable to get local issuer certificate"},
    };
    struct call_world world;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tls_client *client = client_new(false);
        SSL_CTX *context = context_new(&cases[i].plan);
        set_up(&world, cases[i].host, client, context);
        call_get(&world, &call_good);
        const char *error = cases[i].error != NULL ? cases[i].error : "";
        if (world.status != (cases[i].error == NULL ? 200 : 0) ||
            strstr(world.error, error) == NULL ||
            (world.status == 0 && strstr(world.error, cases[i].host) == NULL))
            fail_msg("case %zu: %d, \"%s\"", i, world.status, world.error);
        assert_int_equal(world.peer.n_asked, cases[i].error == NULL ? 1 : 0);
        tear_down(&world, client, context);
    }
}

static void clients_show_certificates(void **state)
{
    struct call_world world;

    (void)state;
    for (int has_certificate = 0; has_certificate < 2; has_certificate++) {
        for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
            struct tls_client *client = client_new(has_certificate);
            SSL_CTX *context = good_context();
            SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
            SSL_CTX_set_max_proto_version(context, version);
            assert_int_equal(SSL_CTX_load_verify_locations(context, paths[CA_FILE], NULL), 1);
            set_up(&world, CALL_NAME, client, context);
            call_get(&world, &call_good);
            assert_int_equal(world.status, has_certificate ? 200 : 0);
            if (!has_certificate && strstr(world.error, "alert") == NULL)
                fail_msg("%s", world.error);
            tear_down(&world, client, context);
        }
    }
}

static void other_servers_are_told(void **state)
{
    static const struct {
        struct bufferevent *(*accept)(struct http_peer *peer, evutil_socket_t fd);
        int max_version;
        const char *error;
    } cases[] = {
        {accept_tls, TLS1_1_VERSION, "TLS with " CALL_NAME " failed: "},
        {accept_plain, 0, "TLS with " CALL_NAME " failed: wrong version number"},
        {accept_nothing, 0, "TLS with " CALL_NAME " failed: "},
    };
    static const struct http_peer_answer early = {.text = "HTTP/1.1 400 Bad Request\r\n\r\n"};
    struct call_world world;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tls_client *client = client_new(false);
        SSL_CTX *context = good_context();
        SSL_CTX_set_security_level(context, 0);
        SSL_CTX_set_max_proto_version(context, cases[i].max_version);
        set_up(&world, CALL_NAME, client, context);
        world.peer.wrap = cases[i].accept;
        world.peer.is_hasty = cases[i].accept == accept_plain;
        call_get(&world, &early);
        assert_int_equal(world.status, 0);
        if (strstr(world.error, cases[i].error) == NULL)
            fail_msg("case %zu: \"%s\"", i, world.error);
        tear_down(&world, client, context);
    }
}

static void names_are_sent(void **state)
{
    struct tls_client *client = client_new(false);
    SSL_CTX *context = good_context();
    struct call_world world;

    (void)state;
    set_up(&world, CALL_NAME, client, context);
    call_get(&world, &call_good);
    SSL *ssl = bufferevent_openssl_get_ssl(world.peer.bevs[0]);
    assert_string_equal(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name), CALL_NAME);
    tear_down(&world, client, context);
}

/* As without TLS; but what ends with the connection is never whole, as anyone can cut that. */
static void answers_are_as_without(void **state)
{
    static char flood[65536 + 1];
    static const struct {
        struct http_peer_answer answer;
        int status;
        const char *body, *lines;
        size_t n_accepted;
    } cases[] = {
        {{.text = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"}, 200, "good", "good|", 1},
        {{.text = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"}, 200, "good", "good|", 0},
        {{.text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na\n\r\n0\r\n\r\n",
          .is_slow = true},
         200,
         "a\n",
         "a|",
         0},
        {{.text = "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 204 No\r\n\r\n"},
         204,
         "",
         "",
         0},
        {{.text = "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
          .is_slow = true},
         204,
         "",
         "",
         0},
        {{.text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ngood", .is_last = true},
         0,
         "",
         "",
         0},
        {{.text = "HTTP/1.1 200 OK\r\n\r\ngood\n", .is_last = true}, 0, "", "good|", 1},
        {{.text = "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", .flood = flood},
         0,
         "",
         "",
         1},
    };
    struct tls_client *client = client_new(false);
    SSL_CTX *context = good_context();
    struct call_world world;

    (void)state;
    memset(flood, 'x', sizeof flood - 1);
    for (int is_stream = 0; is_stream < 2; is_stream++) {
        set_up(&world, CALL_NAME, client, context);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            http_peer_say(&world.peer, &cases[i].answer, 1);
            call_send(&world, is_stream, 0);
            call_run(&world);
            if (world.status != cases[i].status)
                fail_msg("case %zu: %d \"%s\"", i, world.status, world.error);
            assert_string_equal(call_text(&world.body), is_stream ? "" : cases[i].body);
            assert_string_equal(call_text(&world.lines), is_stream ? cases[i].lines : "");
            assert_int_equal(world.peer.n_accepted, cases[i].n_accepted);
            http_peer_say(&world.peer, &call_good, 1);
            assert_in_range(world.peer.n_sent, 0, 64 << 20);
        }
        call_tear_down(&world);
    }
    tls_client_free(client);
    SSL_CTX_free(context);
}

static void dead_connections_cost_nothing(void **state)
{
    struct tls_client *client = client_new(false);
    SSL_CTX *context = good_context();
    struct call_world world;

    (void)state;
    set_up(&world, CALL_NAME, client, context);
    for (int knows = 0; knows < 2; knows++) {
        call_get(&world, &call_good);
        http_peer_hang_up(&world.peer);
        for (int i = 0; knows && i < 3; i++)
            event_base_loop(world.base, EVLOOP_NONBLOCK);
        call_get(&world, &call_good);
        assert_int_equal(world.status, 200);
        assert_int_equal(world.peer.n_accepted, 1);
    }
    /* Free calls at each turn of the handshake. */
    for (int turns = 0; turns < 12; turns++) {
        http_peer_hang_up(&world.peer);
        struct http_client_call *call = call_send(&world, false, 0);
        for (int i = 0; i < turns && world.n_done == 0; i++)
            event_base_loop(world.base, EVLOOP_NONBLOCK);
        if (world.n_done == 0)
            http_client_cancel(call);
    }
    tear_down(&world, client, context);
}

static void bad_files_are_told(void **state)
{
    static const struct {
        const char *ca, *certificate, *key, *why;
    } cases[] = {
        {"/nonexistent", "", "", "cannot read /nonexistent: No such file or directory"},
        {paths[GARBAGE_FILE], "", "", "garbage.pem has no certificate in PEM: "},
        {paths[KEY_FILE], "", "", "key.pem has no certificate in PEM: "},
        {"", "/nonexistent", "", "cannot read /nonexistent: No such file or directory"},
        {"", paths[GARBAGE_FILE], "", "garbage.pem has no certificate in PEM: "},
        {"", paths[CLIENT_FILE], "", "client.pem has no key in PEM without a passphrase: "},
        {"", paths[CLIENT_FILE], "/nonexistent", "cannot read /nonexistent: No such file"},
        {"", paths[CLIENT_FILE], paths[LOCKED_FILE], "locked.pem has no key in PEM without a"},
        {"", paths[CLIENT_FILE], paths[OTHER_KEY_FILE], "other.pem is not that of the certificate"},
        {"", "", paths[KEY_FILE], "but no certificate"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct tls_client_settings settings = {
            .ca_file = cases[i].ca, .cert_file = cases[i].certificate, .key_file = cases[i].key};
        struct tls_client *client = NULL;
        char why[TLS_CLIENT_WHY_SIZE] = "";
        assert_int_equal(tls_client_new(&settings, why, &client), -EINVAL);
        assert_null(client);
        if (strstr(why, cases[i].why) == NULL)
            fail_msg("case %zu: \"%s\"", i, why);
    }
}

/* What the system trusts does not include ours. */
static void the_system_is_asked(void **state)
{
    static const struct tls_client_settings settings = {"", "", ""};
    SSL_CTX *context = good_context();
    struct tls_client *client = NULL;
    char why[TLS_CLIENT_WHY_SIZE];
    struct call_world world;

    (void)state;
    assert_int_equal(tls_client_new(&settings, why, &client), 0);
    set_up(&world, CALL_NAME, client, context);
    call_get(&world, &call_good);
    assert_int_equal(world.status, 0);
    assert_non_null(strstr(world.error, "unable to get local issuer certificate"));
    tear_down(&world, client, context);
}

static void https_needs_a_client(void **state)
{
    struct registry_url url = {.is_tls = true, .host = folder, .path = folder};
    const struct http_client_settings settings = {.url = &url};
    struct http_client *client = NULL;

    (void)state;
    assert_int_equal(http_client_new(&settings, &client), -EINVAL);
    assert_null(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_are_judged), cmocka_unit_test(clients_show_certificates),
        cmocka_unit_test(other_servers_are_told),  cmocka_unit_test(names_are_sent),
        cmocka_unit_test(answers_are_as_without),  cmocka_unit_test(dead_connections_cost_nothing),
        cmocka_unit_test(bad_files_are_told),      cmocka_unit_test(the_system_is_asked),
        cmocka_unit_test(https_needs_a_client),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, write_files, remove_files);
}
