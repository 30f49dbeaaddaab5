#include "config.h"

#include "balancer_fixture.h"

#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void parse_address(const char *text, struct address *ret_address)
{
    const char *why;

    assert_int_equal(address_parse(text, ret_address, &why), 0);
}

static void parse_server(const char *word, struct conf_server *ret_server)
{
    size_t len = strcspn(word, "*!-~");

    *ret_server = (struct conf_server){.weight = 1, .max_fails = 1, .fail_timeout_ms = 10000};
    ret_server->title = strndup(word, len);
    assert_non_null(ret_server->title);
    ret_server->is_name = isalpha((unsigned char)word[0]) && strncmp(word, "unix:", 5) != 0;
    if (!ret_server->is_name)
        parse_address(ret_server->title, &ret_server->address);
    for (word += len; *word != '\0'; word++) {
        if (*word == '*')
            ret_server->weight = word[1] - '0';
        ret_server->backup |= *word == '!';
        ret_server->down |= *word == '-';
        if (*word == '~')
            ret_server->slow_start_ms = 10000;
    }
}

void fixture_add(struct conf *conf, const char *title, int balance, const char *servers)
{
    struct conf_upstream *upstream;
    char *words = strdup(servers), *rest = words, *word;

    assert_non_null(words);
    conf->upstreams = realloc(conf->upstreams, (conf->n_upstreams + 1) * sizeof(*upstream));
    assert_non_null(conf->upstreams);
    upstream = &conf->upstreams[conf->n_upstreams++];
    *upstream = (struct conf_upstream){.balance = balance, .title = strdup(title)};
    upstream->servers = calloc(FIXTURE_SERVERS, sizeof(struct conf_server));
    assert_non_null(upstream->servers);
    while ((word = strsep(&rest, " ")) != NULL)
        if (*word != '\0' && upstream->n_servers < FIXTURE_SERVERS)
            parse_server(word, &upstream->servers[upstream->n_servers++]);
    free(words);
}

void fixture_clear(struct conf *conf)
{
    for (size_t i = 0; i < conf->n_upstreams; i++) {
        struct conf_upstream *upstream = &conf->upstreams[i];

        for (size_t k = 0; k < upstream->n_servers; k++)
            free(upstream->servers[k].title);
        free(upstream->servers);
        free(upstream->title);
    }
    free(conf->upstreams);
    *conf = (struct conf){.n_upstreams = 0};
}

struct balancer_upstream *fixture_apply(struct balancer *balancer, int balance, const char *servers,
                                        int64_t now_ms)
{
    struct conf conf = {.n_upstreams = 0};
    struct balancer_upstream *upstream;

    fixture_add(&conf, "u", balance, servers);
    assert_int_equal(balancer_apply(balancer, &conf, now_ms), 0);
    fixture_clear(&conf);
    upstream = balancer_find(balancer, "u");
    assert_non_null(upstream);
    return upstream;
}

int fixture_resolve(struct balancer_upstream *upstream, const char *name, const char *addresses,
                    int64_t now_ms)
{
    struct address *made = calloc(FIXTURE_SERVERS, sizeof(*made));
    char *words = strdup(addresses), *rest = words, *word;
    size_t n = 0;
    int err;

    assert_non_null(made);
    assert_non_null(words);
    while ((word = strsep(&rest, " ")) != NULL)
        if (*word != '\0' && n < FIXTURE_SERVERS)
            parse_address(word, &made[n++]);
    err = balancer_resolve(upstream, name, made, n, now_ms);
    free(words);
    free(made);
    return err;
}

struct balancer_pick fixture_choose(struct balancer_upstream *upstream, unsigned place,
                                    int64_t now_ms)
{
    struct peer_set tried = {{0}};
    struct balancer_pick pick;

    assert_int_equal(balancer_choose(upstream, place, &tried, NULL, now_ms, &pick), 0);
    assert_true(peer_set_has(&tried, pick.peer));
    return pick;
}

bool fixture_nobody(struct balancer_upstream *upstream, int64_t now_ms)
{
    struct peer_set tried = {{0}};
    struct balancer_pick pick;

    return balancer_choose(upstream, 0, &tried, NULL, now_ms, &pick) == -ENOENT;
}

void fixture_finish(struct balancer_upstream *upstream, unsigned place,
                    const struct balancer_pick *pick, enum balancer_outcome outcome, int64_t now_ms)
{
    balancer_done(upstream, place, pick, outcome, now_ms, -1);
}

void fixture_assert_sequence(struct balancer_upstream *upstream, int64_t now_ms, const char *wanted)
{
    char got[64] = "";

    for (size_t i = 0; wanted[i] != '\0'; i++) {
        struct balancer_pick pick = fixture_choose(upstream, 0, now_ms);

        got[i] = pick.name[strlen(pick.name) - 1];
        fixture_finish(upstream, 0, &pick, BALANCER_OK, now_ms);
    }
    assert_string_equal(got, wanted);
}

struct balancer_view fixture_look(struct balancer_upstream *upstream, const char *name,
                                  int64_t now_ms)
{
    static struct balancer_view views[BALANCER_PEERS];
    size_t n = balancer_list(upstream, now_ms, views, BALANCER_PEERS);

    for (size_t i = 0; i < n; i++)
        if (strcmp(views[i].name, name) == 0)
            return views[i];
    return (struct balancer_view){.server = ""};
}
