/*
 * The sections registry and distributor: what is read from where, what is
 * refused, and that secrets go where they belong and nowhere else.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "conf_fixture.h"
#include "worker/handlers.h"

static struct conf *must_load(const char *content)
{
    char error[CONF_ERROR_SIZE];
    struct conf *conf = NULL;

    fixture_put("a.conf", content);
    if (fixture_load_file("a.conf", &conf, error) != 0)
        fail_msg("%s: %s", content, error);
    return conf;
}

/* Loading fails at a line of a.conf with a message that begins so. */
static void must_fail(const char *content, const char *place_and_what)
{
    char error[CONF_ERROR_SIZE] = "", expected[CONF_ERROR_SIZE];
    struct conf *conf = NULL;

    fixture_put("a.conf", content);
    (void)snprintf(expected, sizeof(expected), "%s/a.conf:%s", fixture_folder(), place_and_what);
    if (fixture_load_file("a.conf", &conf, error) == 0)
        fail_msg("loads: %s", content);
    if (strncmp(error, expected, strlen(expected)) != 0)
        fail_msg("%s, and not %s", error, expected);
    assert_null(strstr(error, "s3cret"));
}

static void fills_the_struct(void **state)
{
    struct conf *conf = must_load(
        "registry { type = etcd url = { 'https://u:p@a:1/x', b } user = me password = word\n"
        "register = no app = my instance_id = 'my:1' advertise_host = '::1' advertise_port = 2\n"
        "heartbeat_ms = 100 ttl_ms = 1000 timeout_ms = 101 deregister_timeout_ms = 0\n"
        "down_delay_ms = 3 refresh_ms = 104 weight = 5 max_fails = 6 fail_timeout_ms = 7\n"
        "metadata = { 'a.b=c=d', 'e=' } watch = { one, 'two words' } prefix = '/x/y'\n"
        "cache_file = '/c' ca_file = '/etc/passwd' cert_file = '/etc/passwd' key_file = '/' }\n"
        "distributor { listen = '[::1]:0' max_nodes = 1 max_frame_bytes = 1K\n"
        "networks = { '10.0.0.0/8' } send_timeout_ms = 2 keepalive_ms = 1003 control = off }\n");
    const struct conf_registry *registry = &conf->registry;

    (void)state;
    assert_int_equal(registry->type, CONF_REGISTRY_ETCD);
    assert_int_equal(registry->n_urls, 2);
    assert_string_equal(registry->urls[0].text, "https://a:1/x");
    assert_string_equal(registry->urls[1].text, "http://b:2379");
    assert_string_equal(conf_registry_user(registry, &registry->urls[0]), "u");
    assert_string_equal(conf_registry_password(registry, &registry->urls[0]), "p");
    assert_string_equal(conf_registry_user(registry, &registry->urls[1]), "me");
    assert_string_equal(conf_registry_password(registry, &registry->urls[1]), "word");
    assert_false(registry->enroll);
    assert_string_equal(registry->app, "my");
    assert_string_equal(registry->instance_id, "my:1");
    assert_string_equal(registry->advertise_host, "::1");
    assert_int_equal(registry->advertise_port, 2);
    assert_int_equal(registry->heartbeat_ms, 100);
    assert_int_equal(registry->ttl_ms, 1000);
    assert_int_equal(registry->timeout_ms, 101);
    assert_int_equal(registry->deregister_timeout_ms, 0);
    assert_int_equal(registry->down_delay_ms, 3);
    assert_int_equal(registry->refresh_ms, 104);
    assert_int_equal(registry->weight, 5);
    assert_int_equal(registry->max_fails, 6);
    assert_int_equal(registry->fail_timeout_ms, 7);
    assert_int_equal(registry->metadata.n, 2);
    assert_int_equal(registry->watch.n, 2);
    assert_string_equal(registry->watch.items[1], "two words");
    assert_string_equal(registry->prefix, "/x/y");
    assert_string_equal(registry->key_file, "/");
    assert_int_equal(conf->distributor.max_frame_bytes, 1024);
    assert_int_equal(conf->distributor.networks.n, 1);
    assert_string_equal(conf->distributor.listen, "[::1]:0");
    conf_free(conf);
}

static void nobody_logs_in_by_default(void **state)
{
    struct conf *conf = must_load("registry { type = zookeeper url = 'u@a' }");
    const struct conf_registry *registry = &conf->registry;

    (void)state;
    assert_string_equal(conf_registry_user(registry, &registry->urls[0]), "u");
    assert_null(conf_registry_password(registry, &registry->urls[0]));
    assert_string_equal(conf_registry_type_name(CONF_REGISTRY_ZOOKEEPER), "zookeeper");
    conf_free(conf);
    conf = must_load("registry { type = consul url = a password = t }");
    assert_null(conf_registry_user(&conf->registry, &conf->registry.urls[0]));
    assert_string_equal(conf_registry_password(&conf->registry, &conf->registry.urls[0]), "t");
    conf_free(conf);
    conf = must_load("registry { type = none url = 'what://ever' watch = { a } }");
    assert_int_equal(conf->registry.n_urls, 0);
    conf_free(conf);
}

static void variables_win(void **state)
{
    static const struct conf_row rows[] = {
        {.env = {"REGISTRY_TYPE=NETFLIX_EUREKA", "REGISTRY_URL= h:1/eureka/apps/ ,, https://[::1]",
                 "REGISTRY_USER=me", "REGISTRY_PASSWORD=word"},
         .lines = {"registry: type = \"eureka\"  # REGISTRY_TYPE",
                   "registry: url = { \"h:1/eureka/apps/\", \"https://[::1]\" }  # REGISTRY_URL",
                   "registry: user = \"me\"  # REGISTRY_USER",
                   "registry: password = \"********\"  # REGISTRY_PASSWORD"}},
        {.env = {"REGISTRY_TYPE=Distributor", "REGISTRY_URL=h"},
         .lines = {"registry: type = \"distributor\"  # REGISTRY_TYPE"}},
        {.base = "registry { type = etcd url = 'ftp://x' watch = { a } }",
         .env = {"REGISTRY_TYPE=none"},
         .lines = {"registry: type = \"none\"  # REGISTRY_TYPE"}},
        {.base = "registry { type = etcd url = h }",
         .env = {"REGISTRY_TYPE=", "REGISTRY_URL="},
         .lines = {"registry: type = \"etcd\"  # @/a.conf:1"}},
        {.env = {"REGISTRY_URL=h"},
         .words = {"-o", "registry.type=consul", "-o", "registry.url=a,b"},
         .lines = {"registry: url = { \"a\", \"b\" }  # -o"}},
        {.env = {"REGISTRY_TYPE=eureka2"},
         .error = "REGISTRY_TYPE: 'eureka2' is not one of NETFLIX_EUREKA, EUREKA, CONSUL, ETCD, *"},
        {.env = {"REGISTRY_TYPE=ETCD"},
         .error = "REGISTRY_TYPE: registry.type: etcd needs the URL of a server: set registry.url "
                  "or REGISTRY_URL"},
        {.env = {"REGISTRY_URL=h"},
         .error = "REGISTRY_URL: registry.url: of which kind is the registry? *"},
        {.env = {"REGISTRY_TYPE=ETCD", "REGISTRY_URL=,"},
         .error = "REGISTRY_URL: there is no URL in it"},
        {.env = {"REGISTRY_TYPE=ETCD", "REGISTRY_URL=a,ftp://b"},
         .error = "REGISTRY_URL: registry.url: 'ftp://b': its scheme is neither http nor https"},
        {.env = {"REGISTRY_TYPE=ETCD", "REGISTRY_URL=h", "REGISTRY_PASSWORD=p"},
         .error = "REGISTRY_PASSWORD: registry.user: etcd wants a user name with the password for "
                  "http://h:2379: set registry.user or REGISTRY_USER"},
        {.env = {"REGISTRY_TYPE=ETCD", "REGISTRY_URL=h", "REGISTRY_USER=u"},
         .error = "REGISTRY_USER: registry.user: there is no password for 'u': *"},
    };

    (void)state;
    RUN_ROWS(rows);
}

#define REGISTRY(more) "registry { type = etcd url = h\n" more " }"
#define STAR(more)     "registry { type = distributor url = h\n" more " }"

static void refuses(void **state)
{
    static const struct {
        const char *content;
        const char *what;
    } rows[] = {
        {"registry { type = etcd }", "1: registry.type: etcd needs the URL of a server"},
        {"registry {\n url = h }", "2: registry.url: of which kind is the registry?"},
        {"registry {\n watch = { a } }", "2: registry.watch: of which kind is the registry?"},
        {"registry { type = eureka2 }", "1: registry.type: 'eureka2' is not one of none, eureka,"},
        {"registry { type = etcd url = { h, 'http://H:2379/' } }",
         "1: registry.url: http://h:2379 stands there twice"},
        {"registry { type = etcd url = 'ftp://u:s3cret@h' }",
         "1: registry.url: 'ftp://********@h': its scheme is neither http nor https"},
        {"registry { type = etcd url = 'u:s3cret/@h' }",
         "1: registry.url: '********@h': '@', '/', '?' and '#' in a user name"},
        {"registry { type = etcd url = { a, '' } }", "1: registry.url: a URL is empty or"},
        {"registry { type = etcd url = ':s3cret@h' }",
         "1: registry.user: etcd wants a user name with the password for http://h:2379:"},
        {"registry { type = eureka url = h\n password = s3cret }",
         "2: registry.user: eureka wants a user name with the password for http://h:8761:"},
        {"registry { type = zookeeper url = h user = u }",
         "1: registry.user: there is no password for 'u'"},
        {"registry { type = distributor url = h user = u password = p }",
         "1: registry.user: a distributor asks for no user name and no password"},
        {REGISTRY("user = 'a:b' password = p"), "2: registry.user: it has a control character or"},
        {REGISTRY("user = u password = \"s3cret\\n\""),
         "2: registry.password: the password has a control character"},
        {REGISTRY("heartbeat_ms = 90000"), "2: registry.ttl_ms (90000) must be more than"},
        {REGISTRY("heartbeat_ms = 1\n"), "2: registry.heartbeat_ms: '1' is not a whole number"},
        {REGISTRY("\nttl_ms = 30000"), "3: registry.ttl_ms (30000) must be more than heartbeat_ms"},
        {REGISTRY("app = 'a/b'"), "2: registry.app: 'a/b' is no name"},
        {REGISTRY("app = ''"), "2: registry.app: the value is empty"},
        {REGISTRY("instance_id = '..'"), "2: registry.instance_id: '..' is no name"},
        {REGISTRY("watch = { a, 'b/c' }"), "2: registry.watch: 'b/c' is no name"},
        {REGISTRY("watch = { '.' }"), "2: registry.watch: '.' is no name"},
        {REGISTRY("watch = { a, \"b\\x07\" }"), "2: registry.watch: 'b\a' is no name"},
        {REGISTRY("watch = { a, '' }"), "2: registry.watch: '' has 0 bytes, it must have 1 to 127"},
        {REGISTRY("watch = { a, b, a }"), "2: registry.watch: 'a' stands there twice"},
        {REGISTRY("advertise_host = '[::1]'"), "2: registry.advertise_host: '[::1]' is no address"},
        {REGISTRY("advertise_host = 'h:1'"), "2: registry.advertise_host: 'h:1' is no address"},
        {REGISTRY("advertise_host = '1.2'"), "2: registry.advertise_host: '1.2' is no address"},
        {REGISTRY("metadata = { 'a=b', c }"), "2: registry.metadata: 'c' has 1 byte"},
        {REGISTRY("metadata = { '=b' }"), "2: registry.metadata: '=b' is not KEY=VALUE"},
        {REGISTRY("metadata = { 'a b=c' }"), "2: registry.metadata: 'a b=c' is not KEY=VALUE"},
        {REGISTRY("metadata = { 'a=b', 'a=c' }"), "2: registry.metadata: 'a' stands there twice"},
        {"registry { type = consul url = h metadata = { 'a.b=c' } }",
         "1: registry.metadata: 'a.b=c' is not KEY=VALUE"},
        {REGISTRY("prefix = 'services'"), "2: registry.prefix: 'services' is not as /services"},
        {REGISTRY("prefix = '/a/'"), "2: registry.prefix: '/a/' is not as /services"},
        {REGISTRY("prefix = '/a//b'"), "2: registry.prefix: '/a//b' is not as /services"},
        {REGISTRY("prefix = '/a/../b'"), "2: registry.prefix: '/a/../b' is not as /services"},
        {REGISTRY("ca_file = '/none'"), "2: registry.ca_file: /none: No such file or directory"},
        {REGISTRY("key_file = '/'"), "2: registry.key_file: a key needs its certificate"},
        {REGISTRY("ca_file = '/'"), "2: registry.ca_file: it is for https, and no URL of"},
        {REGISTRY("cert_file = '/'\nkey_file = '/'"), "2: registry.cert_file: it is for https,"},
        {REGISTRY("cache_file = '/none/c'"),
         "2: registry.cache_file: its folder /none: No such file or directory; make it,"},
        {REGISTRY("cache_file = '/dev/null/c'"),
         "2: registry.cache_file: its folder /dev/null: Not a directory; make it,"},
        {REGISTRY("cache_file = '/etc/c'") "instance { chroot = '/dev' }",
         "2: registry.cache_file: its folder /dev/etc: No such file or directory"},
        {STAR("advertise_host = '10.0.0.1'"),
         "2: registry.advertise_host: a distributor cannot be told a host"},
        {STAR("instance_id = a"), "2: registry.instance_id: a distributor cannot be told an id"},
        {"upstream a {\n from_registry = yes }",
         "2: upstream \"a\": from_registry needs a registry: set registry.type and registry.url"},
        {"registry { type = none url = h } upstream a {\n from_registry = yes }",
         "2: upstream \"a\": from_registry needs a registry"},
        {REGISTRY("") "upstream .. {\n from_registry = yes }",
         "3: upstream \"..\": its title is no name of a service"},
        {"distributor {\n listen = '127.0.0.1' }", "2: distributor.listen: 127.0.0.1: "},
        {"distributor { max_frame_bytes = 1023 }", "1: distributor.max_frame_bytes: "},
        {"distributor { networks = { x } }", "1: distributor.networks: 'x': "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        must_fail(rows[i].content, rows[i].what);
}

static void servers_of_an_ensemble_have_one_path(void **state)
{
#ifdef HAVE_ZOOKEEPER
    conf_free(must_load("registry { type = zookeeper url = { 'a/x/y', 'zookeeper://b/x/y/' } }"));
    conf_free(must_load("registry { type = zookeeper url = { a, 'b/' } }"));
    must_fail("registry { type = zookeeper url = { a, 'b/x' } }",
              "1: registry.url: zookeeper://a:2181 and zookeeper://b:2181/x: all servers of an "
              "ensemble have the same path: write it after each");
    must_fail("registry { type = zookeeper url = { 'a/x', 'b/x', 'c/y' } }",
              "1: registry.url: zookeeper://a:2181/x and zookeeper://c:2181/y: all servers");
#endif
    (void)state;
    conf_free(must_load("registry { type = eureka url = { 'a/x', 'b/y' } }"));
}

static void what_is_switched_off_needs_nothing(void **state)
{
    (void)state;
    conf_free(must_load("registry { type = none url = h advertise_host = a instance_id = a\n"
                        "ca_file = '/' cert_file = '/' cache_file = '/none/c' }"));
}

static void lists_have_ends(void **state)
{
    char content[2048] = "registry { type = etcd url = {";
    struct conf *conf;

    (void)state;
    for (int i = 0; i < CONF_REGISTRY_URLS_MAX; i++)
        (void)snprintf(content + strlen(content), 16, "%sh%d", i > 0 ? ", " : " ", i);
    (void)snprintf(content + strlen(content), 32, ", h16 } }");
    must_fail(content, "1: registry.url: there are more than 16 URLs");

    (void)strcpy(content, "registry { type = etcd url = h watch = { ");
    for (int i = 0; i < CONF_REGISTRY_WATCH_MAX - 1; i++)
        (void)snprintf(content + strlen(content), 16, "%sw%d", i > 0 ? ", " : "", i);
    (void)strcat(content, "} } upstream w1 { from_registry = 1 } upstream a { from_registry = 1 }");
    conf = must_load(content);
    assert_int_equal(conf->n_upstreams, 2);
    assert_true(conf->upstreams[0].from_registry);
    assert_int_equal(conf->upstreams[0].n_servers, 0);
    conf_free(conf);
    (void)strcat(content, " upstream b { from_registry = 1 }");
    must_fail(content, "1: registry.watch: 65 services are looked up, those of upstreams included");
}

static void upstreams_may_have_servers_as_well(void **state)
{
    struct conf *conf = must_load(REGISTRY("") "upstream a { from_registry = yes\n"
                                               "server 'h:1' { backup = yes } }");

    (void)state;
    assert_int_equal(conf->upstreams[0].n_servers, 1);
    conf_free(conf);
    must_fail(REGISTRY("") "upstream a { from_registry = no }",
              "2: upstream \"a\": it has no server");
}

#define FILED "registry { type = etcd url = h user = u\n password_file = secret password = old }"

static void reads_the_password_file(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *password; /* NULL: refused */
    } rows[] = {
        {"s3cret", 6, "s3cret"},
        {"s3cret\n", 7, "s3cret"},
        {"s3cret\r\n", 8, "s3cret"},
        {" s3 :\n", 6, " s3 :"},
        {"s3cret\n\n", 8, NULL},
        {"s3\0cret", 7, NULL},
        {"", 0, NULL},
        {"\n", 1, NULL},
        {"s3cret\xc3", 7, NULL},
        {"s3cret\nmore\n", 12, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct conf *conf;

        fixture_put_bytes("secret", rows[i].bytes, rows[i].len);
        if (rows[i].password == NULL) {
            must_fail(FILED, "2: registry.password_file: ");
            continue;
        }
        conf = must_load(FILED);
        assert_string_equal(conf->registry.password, rows[i].password);
        conf_free(conf);
    }
}

static void password_file_is_a_small_file(void **state)
{
    char large[4097], expected[256];
    struct conf *conf;

    (void)state;
    (void)snprintf(expected, sizeof(expected), "2: registry.password_file: %s/secret: No such file",
                   fixture_folder());
    must_fail(FILED, expected);
    must_fail("registry { type = etcd url = h user = u password_file = '/dev/null' }",
              "1: registry.password_file: /dev/null: not a regular file");
    memset(large, 'x', sizeof(large));
    fixture_put_bytes("secret", large, sizeof(large));
    (void)snprintf(expected, sizeof(expected),
                   "2: registry.password_file: %s/secret: larger than 4096 bytes: not a password",
                   fixture_folder());
    must_fail(FILED, expected);
    fixture_put_bytes("secret", large, sizeof(large) - 1);
    conf = must_load(FILED);
    assert_int_equal(strlen(conf->registry.password), 4096);
    conf_free(conf);
}

static void tells_who_may_read_it(void **state)
{
    char path[128];

    (void)state;
    fixture_put("secret", "s3cret");
    (void)snprintf(path, sizeof(path), "%s/secret", fixture_folder());
    for (int others = 0; others < 2; others++) {
        struct conf *conf;

        assert_int_equal(chmod(path, others ? 0604 : 0640), 0);
        conf = must_load(FILED);
        assert_int_equal(conf->registry.is_exposed, others);
        conf_free(conf);
    }
}

static void later_password_wins_over_the_file(void **state)
{
    static const struct conf_row row = {
        .base = "registry { type = etcd url = h user = u password_file = none-there }",
        .env = {"REGISTRY_PASSWORD=word"},
        .lines = {"registry: password = \"********\"  # REGISTRY_PASSWORD"}};
    static const struct conf_row later = {.env = {"REGISTRY_TYPE=etcd", "REGISTRY_URL=h",
                                                  "REGISTRY_USER=u", "REGISTRY_PASSWORD=word"},
                                          .words = {"-o", "registry.password_file=/none-there"},
                                          .error = "-o: registry.password_file: /none-there: *"};

    (void)state;
    fixture_run(&row);
    fixture_run(&later);
}

/* What an upgrade hands on has the secrets, and needs the file no more. */
static void only_a_saved_one_has_the_secrets(void **state)
{
    static const char content[] =
        "registry { type = etcd url = { 'http://u:s3cret@h', 'v:s3cret2@i' } user = w\n"
        "password_file = secret }";
    char path[128], error[CONF_ERROR_SIZE] = "";
    struct conf_args args = {.file = path, .file_only = true};
    struct conf *conf, *again = NULL;
    FILE *file;
    char *dump;

    (void)state;
    fixture_put("secret", "s3cret3");
    conf = must_load(content);
    dump = fixture_dump(conf);
    assert_null(strstr(dump, "s3cret"));
    assert_non_null(strstr(dump, "url = { \"http://********@h\", \"********@i\" }"));
    fixture_put("dumped.conf", dump);
    free(dump);
    assert_int_equal(fixture_load_file("dumped.conf", &again, error), 0);
    conf_free(again);

    (void)snprintf(path, sizeof(path), "%s/secret", fixture_folder());
    assert_int_equal(remove(path), 0);
    (void)snprintf(path, sizeof(path), "%s/saved.conf", fixture_folder());
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(conf_save(conf, file), 0);
    assert_int_equal(fclose(file), 0);
    conf_free(conf);
    if (conf_load(&args, handlers_conf, &conf, error) != 0)
        fail_msg("%s", error);
    assert_string_equal(conf->registry.password, "s3cret3");
    assert_string_equal(conf->registry.urls[0].password, "s3cret");
    assert_string_equal(conf->registry.urls[1].password, "s3cret2");
    conf_free(conf);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(fills_the_struct),
        TEST(nobody_logs_in_by_default),
        TEST(variables_win),
        TEST(refuses),
        TEST(servers_of_an_ensemble_have_one_path),
        TEST(what_is_switched_off_needs_nothing),
        TEST(lists_have_ends),
        TEST(upstreams_may_have_servers_as_well),
        TEST(reads_the_password_file),
        TEST(password_file_is_a_small_file),
        TEST(tells_who_may_read_it),
        TEST(later_password_wins_over_the_file),
        TEST(only_a_saved_one_has_the_secrets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
