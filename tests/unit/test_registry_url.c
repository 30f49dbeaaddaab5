/* URLs of registries: what their parts come to, what is refused, what people see of secrets. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/registry_url.h"

#define EUREKA      CONF_REGISTRY_EUREKA
#define CONSUL      CONF_REGISTRY_CONSUL
#define ETCD        CONF_REGISTRY_ETCD
#define ZOOKEEPER   CONF_REGISTRY_ZOOKEEPER
#define DISTRIBUTOR CONF_REGISTRY_DISTRIBUTOR

static void check_text(const char *text, const char *expected)
{
    if (expected == NULL)
        assert_null(text);
    else if (text == NULL)
        fail_msg("nothing, and not %s", expected);
    else
        assert_string_equal(text, expected);
}

static void takes_urls_apart(void **state)
{
    static const struct {
        enum conf_registry_type type;
        const char *text;
        const char *all; /* "scheme://host:port/path" */
        const char *host;
        unsigned port;
        const char *path, *user, *password;
    } rows[] = {
        {ETCD, "etcd", "http://etcd:2379", "etcd", 2379, "", NULL, NULL},
        {ETCD, "etcd:1", "http://etcd:1", "etcd", 1, "", NULL, NULL},
        {ETCD, "HTTP://Etcd-1.Example:02379/", "http://etcd-1.example:2379", "etcd-1.example", 2379,
         "", NULL, NULL},
        {ETCD, "https://10.0.0.1", "https://10.0.0.1:2379", "10.0.0.1", 2379, "", NULL, NULL},
        {ETCD, "HttpS://h:443/a/b", "https://h:443/a/b", "h", 443, "/a/b", NULL, NULL},
        {ETCD, "[0:0::1]", "http://[::1]:2379", "::1", 2379, "", NULL, NULL},
        {CONSUL, "http://[2001:DB8::1]:80/x/", "http://[2001:db8::1]:80/x", "2001:db8::1", 80, "/x",
         NULL, NULL},
        {CONSUL, "http://h", "http://h:8500", "h", 8500, "", NULL, NULL},
        {CONSUL, "http://:token@h", "http://h:8500", "h", 8500, "", NULL, "token"},
        {EUREKA, "http://h/eureka", "http://h:8761/eureka", "h", 8761, "/eureka", NULL, NULL},
        {EUREKA, "http://h/eureka/", "http://h:8761/eureka", "h", 8761, "/eureka", NULL, NULL},
        {EUREKA, "http://h/eureka/apps", "http://h:8761/eureka", "h", 8761, "/eureka", NULL, NULL},
        {EUREKA, "h/eureka/v2/apps/", "http://h:8761/eureka/v2", "h", 8761, "/eureka/v2", NULL,
         NULL},
        {EUREKA, "h/apps/", "http://h:8761", "h", 8761, "", NULL, NULL},
        {EUREKA, "h/myapps/", "http://h:8761/myapps", "h", 8761, "/myapps", NULL, NULL},
        {CONSUL, "h/apps/", "http://h:8500/apps", "h", 8500, "/apps", NULL, NULL},
        {EUREKA, "http://u@h/a%20b", "http://h:8761/a%20b", "h", 8761, "/a%20b", "u", NULL},
        {EUREKA, "http://u:p:q@h", "http://h:8761", "h", 8761, "", "u", "p:q"},
        {EUREKA, "http://u:@h", "http://h:8761", "h", 8761, "", "u", NULL},
        {EUREKA, "http://@h", "http://h:8761", "h", 8761, "", NULL, NULL},
        {EUREKA, "u%2f:%40%3A%25%C3%a4@h:1", "http://h:1", "h", 1, "", "u/", "@:%\xc3\xa4"},
        {EUREKA, "http://a-._~!$&'()*+,;=:b@h", "http://h:8761", "h", 8761, "",
         "a-._~!$&'()*+,;=", "b"},
        {ZOOKEEPER, "h:1", "zookeeper://h:1", "h", 1, "", NULL, NULL},
        {ZOOKEEPER, "ZooKeeper://u:p@h/a/b", "zookeeper://h:2181/a/b", "h", 2181, "/a/b", "u", "p"},
        {DISTRIBUTOR, "127.0.0.1", "distributor://127.0.0.1:9000", "127.0.0.1", 9000, "", NULL,
         NULL},
        {DISTRIBUTOR, "distributor://h:65535/", "distributor://h:65535", "h", 65535, "", NULL,
         NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct registry_url url;
        const char *why = NULL;

        if (registry_url_parse(rows[i].text, rows[i].type, &url, &why) != 0)
            fail_msg("%s: %s", rows[i].text, why);
        assert_string_equal(url.text, rows[i].all);
        assert_string_equal(url.host, rows[i].host);
        assert_int_equal(url.port, rows[i].port);
        assert_string_equal(url.path, rows[i].path);
        assert_int_equal(url.is_tls, strncmp(rows[i].all, "https:", 6) == 0);
        check_text(url.user, rows[i].user);
        check_text(url.password, rows[i].password);
        registry_url_clear(&url);
        assert_null(url.text);
    }
}

static void refuses(void **state)
{
    static const struct {
        enum conf_registry_type type;
        const char *text;
        const char *why; /* its first words */
    } rows[] = {
        {ETCD, "", "there is no host"},
        {ETCD, "http://", "there is no host"},
        {ETCD, "http://:80", "there is no host"},
        {ETCD, "://h", "the path has an empty segment"},
        {ETCD, "http:///a", "there is no host"},
        {ETCD, "http://u:p@", "there is no host"},
        {ETCD, "ftp://h", "its scheme is neither http nor https"},
        {ETCD, "zookeeper://h", "its scheme is neither http nor https"},
        {ETCD, "httpx://h", "its scheme is neither http nor https"},
        {ZOOKEEPER, "http://h", "its scheme is not zookeeper"},
        {DISTRIBUTOR, "tcp://h", "its scheme is not distributor"},
        {ETCD, "http://h:", "the port is not a number from 1 to 65535"},
        {ETCD, "http://h:0", "the port is not a number from 1 to 65535"},
        {ETCD, "http://h:65536", "the port is not a number from 1 to 65535"},
        {ETCD, "http://h:+80", "the port is not a number from 1 to 65535"},
        {ETCD, "mailto:h", "the port is not a number from 1 to 65535"},
        {ETCD, "http://1::1", "it has more than one colon"},
        {ETCD, "http://[::1", "*"},
        {ETCD, "http://[::1%25eth0]", "*"},
        {ETCD, "http://1.2.3", "a number is no host name"},
        {ETCD, "http://a_b c", "there is neither an address nor a host name"},
        {ETCD, "http://h%41", "there is neither an address nor a host name"},
        {ETCD, "http://h\\x", "there is neither an address nor a host name"},
        {ETCD, "http://h.", "there is neither an address nor a host name"},
        {ETCD, "http://unix:80", "unix is no name of a host"},
        {ETCD, "unix:/run/x", "unix is no name of a host"},
        {ETCD, "http://h/a?b", "it has a query or a fragment"},
        {ETCD, "http://h/a#b", "it has a query or a fragment"},
        {ETCD, "http://h?b", "it has a query or a fragment"},
        {ETCD, "http://h/a b", "the path has a byte that must be percent-encoded"},
        {ETCD, "http://h/%zz", "'%' in the path needs two hexadecimal digits"},
        {ETCD, "http://h/../b", "the path has a segment '.' or '..'"},
        {ETCD, "http://h/%2E", "the path has a segment '.' or '..'"},
        {ETCD, "http://h/a//b", "the path has an empty segment"},
        {ETCD, "http://h//", "the path has an empty segment"},
        {ZOOKEEPER, "h/a%20b", "the path of ZooKeeper's nodes is written without '%'"},
        {DISTRIBUTOR, "h/a", "a distributor has no path"},
        {DISTRIBUTOR, "u@h", "a distributor asks for no user name"},
        {ETCD, "http://u:p@q@h", "'@', '/', '?' and '#' in a user name or password must be"},
        {ETCD, "http://u:p/q@h", "'@', '/', '?' and '#' in a user name or password must be"},
        {ETCD, "http://u:p#q@h", "'@', '/', '?' and '#' in a user name or password must be"},
        {ETCD, "http://h/a@b", "'@', '/', '?' and '#' in a user name or password must be"},
        {ETCD, "http://u:p q@h", "a user name or password has a byte that must be"},
        {ETCD, "http://u:\xc3\xa4@h", "a user name or password has a byte that must be"},
        {ETCD, "http://u:%4@h", "'%' in a user name or password needs two hexadecimal digits"},
        {ETCD, "http://u:%00@h", "'%' in a user name or password needs two hexadecimal digits"},
        {ETCD, "http://u:%0a@h", "a user name or password has a control character"},
        {ETCD, "http://u:%c3@h", "a user name or password has a control character"},
        {ETCD, "http://u%3a:p@h", "a user name has no colon"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct registry_url url = {.port = 4711};
        const char *why = "", *wanted = rows[i].why;
        size_t len = strcmp(wanted, "*") == 0 ? 0 : strlen(wanted);
        int rc = registry_url_parse(rows[i].text, rows[i].type, &url, &why);

        if (rc == 0)
            fail_msg("%s is read", rows[i].text);
        assert_int_equal(rc, -EINVAL);
        assert_int_equal(url.port, 4711);
        if (why[0] == '\0' || strncmp(why, wanted, len) != 0)
            fail_msg("%s: %s", rows[i].text, why);
    }
}

static void has_a_longest_url(void **state)
{
    char text[REGISTRY_URL_BYTES_MAX + 2] = "u:";
    struct registry_url url;
    const char *why;

    (void)state;
    memset(text + 2, 'p', sizeof(text) - 3);
    text[sizeof(text) - 1] = '\0';
    text[sizeof(text) - 3] = '@'; /* and one p as host */
    assert_int_equal(registry_url_parse(text, ETCD, &url, &why), -EINVAL);
    assert_string_equal(why, "it has more than 2048 bytes");
    text[sizeof(text) - 3] = 'p';
    text[sizeof(text) - 2] = '\0';
    text[sizeof(text) - 4] = '@';
    assert_int_equal(registry_url_parse(text, ETCD, &url, &why), 0);
    assert_int_equal(strlen(url.password), REGISTRY_URL_BYTES_MAX - 4);
    registry_url_clear(&url);
}

static void masks_what_may_be_secret(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"http://h:1/a", "http://h:1/a"},
        {"http://u:p@h:1/a", "http://********@h:1/a"},
        {"u:p@h", "********@h"},
        {"http://:p@h", "http://********@h"},
        {"http://u:p@q@h", "http://********@h"},
        {"http://u:p/q@h", "http://********@h"},
        {"http://u:p://q@h", "http://********@h"},
        {"u:p://q@h", "********@h"},
        {"://u:p@h", "********@h"},
        {"http:/u:p@h", "********@h"},
        {"@", "********@"},
        {"http://u:S3C", "http://********"},
        {"http://u:S3/C", "http://********"},
        {"http://u:12?C/", "http://********"},
        {"http://:S3C", "http://********"},
        {"http://u:p:80", "http://********"},
        {"http://[::1]:S3C", "http://********"},
        {"http://[u:S3C", "http://********"},
        {"u:S3C", "********"},
        {"h:80/a:b", "h:80/a:b"},
        {"http://[::1]", "http://[::1]"},
        {"http://[::1]:80/a", "http://[::1]:80/a"},
        {"ftp://b", "ftp://b"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char buf[REGISTRY_URL_MASKED_SIZE];

        registry_url_mask(rows[i][0], buf);
        assert_string_equal(buf, rows[i][1]);
    }
}

static void knows_what_a_comma_may_have_torn(void **state)
{
    (void)state;
    assert_true(registry_url_is_torn("http://u:S3C", "RET@h"));
    assert_true(registry_url_is_torn("u:12", "RET@h"));
    assert_true(registry_url_is_torn("C", "RET@h"));
    assert_false(registry_url_is_torn("http://a", "http://u:p@b"));
    assert_false(registry_url_is_torn("u:p@a", "u:p@b"));
    assert_false(registry_url_is_torn("u:p@a", "b"));
    assert_false(registry_url_is_torn("a", "b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_urls_apart),
        cmocka_unit_test(refuses),
        cmocka_unit_test(has_a_longest_url),
        cmocka_unit_test(masks_what_may_be_secret),
        cmocka_unit_test(knows_what_a_comma_may_have_torn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
