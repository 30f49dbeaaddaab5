/*
 * The sections by which people watch and steer, control and admin, and how
 * many workers there may be: what is read, and what is refused where.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/host_name.h"
#include "conf_fixture.h"

#define TOKEN "0123456789abcdef"
#define TEN   "0123456789"
#define FIFTY TEN TEN TEN TEN TEN

static void has_built_in_values(void **state)
{
    static const struct conf_row rows[] = {
        {.lines = {"instance: max_workers = \"256\"  # built-in",
                   "control: socket = \"auto\"  # built-in", "control: mode = \"0600\"  # built-in",
                   "control: user = \"\"  # built-in", "admin: listen = \"off\"  # built-in",
                   "admin: token = \"\"  # built-in", "admin: hosts = {}  # built-in"}},
    };
    struct conf_listen listen = {.backlog = 4711};
    struct conf *conf = NULL;
    char error[CONF_ERROR_SIZE];
    char *none[] = {NULL};

    (void)state;
    RUN_ROWS(rows);
    assert_int_equal(fixture_load(none, &conf, error), 0);
    assert_int_equal(conf->instance.max_workers, 256);
    assert_string_equal(conf->control.socket, "auto");
    assert_int_equal(conf->control.mode, 0600);
    assert_string_equal(conf->control.user, "");
    assert_string_equal(conf->control.group, "");
    assert_string_equal(conf->admin.token, "");
    assert_int_equal(conf->admin.hosts.n, 0);
    assert_false(conf_admin_listen(conf, &listen));
    assert_int_equal(listen.backlog, 4711);
    conf_free(conf);
}

static void reads_values(void **state)
{
    static const struct conf_row rows[] = {
        {.base = "control { socket = c.sock mode = 660 user = root group = root }",
         .lines = {"control: socket = \"@/c.sock\"  # @/a.conf:1",
                   "control: mode = \"0660\"  # @/a.conf:1",
                   "control: user = \"root\"  # @/a.conf:1",
                   "control: group = \"root\"  # @/a.conf:1"}},
        {.base = "control { socket = off }", .lines = {"control: socket = \"off\"  # @/a.conf:1"}},
        {.base = "control { socket = auto mode = 777 }",
         .lines = {"control: socket = \"auto\"  # @/a.conf:1"}},
        {.base = "admin { listen = '127.0.0.1:9090' }",
         .lines = {"admin: listen = \"127.0.0.1:9090\"  # @/a.conf:1"}},
        {.base = "admin { listen = '[::1]:0' }\nlisten '[::1]:0' {}",
         .lines = {"admin: listen = \"[::1]:0\"  # @/a.conf:1"}},
        {.base = "admin { listen = 'unix:/z' }\nlisten 'unix:/y' {}",
         .lines = {"admin: listen = \"unix:/z\"  # @/a.conf:1"}},
        {.base = "admin { listen = '0.0.0.0:1'\n token = " TOKEN "\n hosts = { a.test, '[::1]' } }",
         .lines = {"admin: listen = \"0.0.0.0:1\"  # @/a.conf:1",
                   "admin: token = \"********\"  # @/a.conf:2",
                   "admin: hosts = { \"a.test\", \"[::1]\" }  # @/a.conf:3"}},
        {.env = {"ZOMBIE_CONTROL=/x.sock", "ZOMBIE_ADMIN=127.0.0.1:1", "ZOMBIE_ADMIN_TOKEN=" TOKEN},
         .lines = {"control: socket = \"/x.sock\"  # ZOMBIE_CONTROL",
                   "admin: listen = \"127.0.0.1:1\"  # ZOMBIE_ADMIN",
                   "admin: token = \"********\"  # ZOMBIE_ADMIN_TOKEN"}},
        {.base = "instance { max_workers = 1 workers = 1 }",
         .lines = {"instance: max_workers = \"1\"  # @/a.conf:1"}},
        {.base = "instance { max_workers = 1024 workers = 1024 }",
         .lines = {"instance: workers = \"1024\"  # @/a.conf:1"}},
        {.base = "instance { max_workers = 1 workers = auto }",
         .lines = {"instance: workers = \"auto\"  # @/a.conf:1"}},
    };

    (void)state;
    RUN_ROWS(rows);
}

static void refuses_bad_values(void **state)
{
    static const struct conf_row rows[] = {
        {.base = "control {\n mode = 1000 }", .error = "@/a.conf:2: control.mode: *"},
        {.base = "control { mode = 8 }", .error = "@/a.conf:1: control.mode: *"},
        {.base = "control { socket = '' }", .error = "@/a.conf:1: control.socket: *"},
        {.base = "control { colour = red }", .error = "@/a.conf:1: *"},
        {.base = "admin { token = 0123456789abcde }", .error = "@/a.conf:1: admin.token: *"},
        {.base = "admin { token = " FIFTY FIFTY FIFTY FIFTY FIFTY "1234567 }",
         .error = "@/a.conf:1: admin.token: *"},
        {.base = "admin { listen = '' }", .error = "@/a.conf:1: admin.listen: *"},
        {.base = "admin { hosts = { a, '' } }", .error = "@/a.conf:1: admin.hosts: *"},
        {.base = "instance { max_workers = 0 }", .error = "@/a.conf:1: instance.max_workers: *"},
        {.base = "instance { max_workers = 1025 }", .error = "@/a.conf:1: instance.max_workers: *"},
        {.base = "instance { max_workers = auto }", .error = "@/a.conf:1: instance.max_workers: *"},
    };

    (void)state;
    RUN_ROWS(rows);
}

static void admin_must_fit_together(void **state)
{
#define BEYOND(address)                                                                         \
    {                                                                                           \
        .base = "\nadmin { listen = '" address "' }",                                           \
        .error =                                                                                \
            "@/a.conf:2: admin.listen: " address " is beyond loopback, which needs admin.token" \
    }
    static const struct conf_row rows[] = {
        BEYOND("0.0.0.0:80"),
        BEYOND("[::]:80"),
        BEYOND("10.0.0.1:0"),
        {.base = "admin { token = " TOKEN " }\n",
         .words = {"-o", "admin.listen=0.0.0.0:80", "-o", "admin.token="},
         .error = "-o: admin.listen: 0.0.0.0:80 is beyond loopback, *"},
        {.env = {"ZOMBIE_ADMIN=0.0.0.0:80"},
         .error = "ZOMBIE_ADMIN: admin.listen: 0.0.0.0:80 is beyond loopback, *"},
        {.base = "admin {\n listen = on }", .error = "@/a.conf:2: admin.listen: *"},
        {.base = "admin { listen = '127.0.0.1:65536' }",
         .error = "@/a.conf:1: admin.listen: 127.0.0.1:65536: *"},
        {.base = "admin { listen = 'unix:z' }", .error = "@/a.conf:1: admin.listen: unix:z: *"},
        {.base = "admin { listen = '127.0.0.1:80' }\nlisten '127.0.0.1:080' {}",
         .error = "@/a.conf:1: admin.listen: listen \"127.0.0.1:080\" is the same address"},
        {.base = "listen 'unix:/a' {}\nlisten 'unix:/z' {}\nadmin {\nlisten = 'unix:/z' }",
         .error = "@/a.conf:4: admin.listen: listen \"unix:/z\" is the same address"},
        {.base = "admin { listen = '127.0.0.1:3000' }",
         .error = "@/a.conf:1: admin.listen: listen \"127.0.0.1:3000\" is the same address"},
        {.base = "admin { listen = off\n hosts = { a, 'b:80' } }",
         .error = "@/a.conf:2: admin.hosts: 'b:80' is not a host name without a port"},
        {.base = "admin { hosts = { '/' } }",
         .error = "@/a.conf:1: admin.hosts: '/' is not a host name without a port"},
    };

    (void)state;
    RUN_ROWS(rows);
}

static void control_must_fit_together(void **state)
{
    char base[400] = "control { socket = /", error[400];
    size_t len = strlen(base);
    static const struct conf_row rows[] = {
        {.base = "\ncontrol {\n user = no-such-user }",
         .error = "@/a.conf:3: control.user: there is no user 'no-such-user'"},
        {.base = "control {\n group = no-such-group }",
         .error = "@/a.conf:2: control.group: there is no group 'no-such-group'"},
        {.words = {"-o", "control.user=no-such-user"},
         .error = "-o: control.user: there is no user 'no-such-user'"},
        {.base = "control { socket = off user = no-such-user }",
         .error = "@/a.conf:1: control.user: there is no user 'no-such-user'"},
    };
    struct conf_row path = {.base = base};

    (void)state;
    RUN_ROWS(rows);
    memset(base + len, 'x', 106); /* with '/' and NUL the 108 bytes of sun_path, unix(7) */
    (void)strcpy(base + len + 106, " }");
    fixture_run(&path);
    (void)strcpy(base + len + 106, "y }");
    (void)snprintf(error, sizeof(error), "@/a.conf:1: control.socket: /%.106sy: *", base + len);
    path.error = error;
    fixture_run(&path);
}

static void workers_must_be_allowed(void **state)
{
    static const struct conf_row rows[] = {
        {.base = "instance { workers = 257 }",
         .error = "@/a.conf:1: instance.workers (257) is more than max_workers (256)"},
        {.base = "instance { max_workers = 2\n workers = 3 }",
         .error = "@/a.conf:2: instance.workers (3) is more than max_workers (2)"},
        {.base = "instance { workers = 3 }",
         .words = {"-o", "instance.max_workers=2"},
         .error = "@/a.conf:1: instance.workers (3) is more than max_workers (2)"},
        {.base = "instance { max_workers = 2 }",
         .words = {"-w", "3"},
         .error = "-w: instance.workers (3) is more than max_workers (2)"},
    };

    (void)state;
    RUN_ROWS(rows);
}

static void the_admin_listener_is_as_configured(void **state)
{
    static const char *const titles[] = {"127.0.0.1:0", "[::1]:9090", "unix:/run/a.sock"};

    (void)state;
    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
        char option[64], text[ADDRESS_TEXT_SIZE], error[CONF_ERROR_SIZE];
        char *words[] = {(char *)"-o", option, NULL};
        struct conf_listen listen;
        struct conf *conf = NULL;

        (void)snprintf(option, sizeof(option), "admin.listen=%s", titles[i]);
        if (fixture_load(words, &conf, error) != 0)
            fail_msg("%s", error);
        assert_true(conf_admin_listen(conf, &listen));
        address_format(&listen.address, text);
        assert_string_equal(text, titles[i]);
        assert_string_equal(listen.title, titles[i]);
        assert_true(listen.backlog > 0);
        assert_int_equal(listen.mode, 0660);
        assert_int_equal(listen.accept, CONF_ACCEPT_EXCLUSIVE);
        conf_free(conf);
    }
}

/* What an upgrade hands on has the secrets; what people read has not. */
static void only_a_saved_one_has_the_token(void **state)
{
    char path[128], error[CONF_ERROR_SIZE];
    struct conf *conf = NULL;
    FILE *file;
    char *dump;

    (void)state;
    fixture_put("a.conf", "admin { token = " TOKEN " listen = '[::]:1' } control { mode = 17 }");
    assert_int_equal(fixture_load_file("a.conf", &conf, error), 0);
    dump = fixture_dump(conf);
    assert_null(strstr(dump, TOKEN));
    free(dump);
    (void)snprintf(path, sizeof(path), "%s/saved.conf", fixture_folder());
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(conf_save(conf, file), 0);
    assert_int_equal(fclose(file), 0);
    conf_free(conf);

    conf = NULL;
    if (fixture_load_file("saved.conf", &conf, error) != 0)
        fail_msg("%s", error);
    assert_string_equal(conf->admin.token, TOKEN);
    assert_string_equal(conf->admin.listen, "[::]:1");
    assert_int_equal(conf->control.mode, 017);
    conf_free(conf);
}

static void knows_host_names(void **state)
{
    static const struct {
        const char *text;
        bool is_name;
    } cases[] = {
        {"localhost", true},
        {"a", true},
        {"A-z.0_9~", true},
        {"127.0.0.1", true},
        {"[::1]", true},
        {"[1]", true},
        {"[::ffff:10.0.0.1]", true},
        {"xn--gr-hka", true},
        {"-", true},
        {"", false},
        {"a:80", false},
        {".a", false},
        {"a.", false},
        {".", false},
        {"a b", false},
        {"a/b", false},
        {"user@a", false},
        {"[]", false},
        {"[", false},
        {"]", false},
        {"[::1", false},
        {"::1]", false},
        {"::1", false},
        {"[::1]:80", false},
        {"[::g]", false},
        {"[fe80::1%eth0]", false},
        {"[[::1]]", false},
        {"gr\xc3\xbc"
         "n",
         false},
        {"%41", false},
        {"*", false},
        {"a\n", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (conf_is_host_name(cases[i].text) != cases[i].is_name)
            fail_msg("\"%s\"", cases[i].text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(has_built_in_values, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(reads_values, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(refuses_bad_values, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(admin_must_fit_together, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(control_must_fit_together, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(workers_must_be_allowed, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(the_admin_listener_is_as_configured, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(only_a_saved_one_has_the_token, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test(knows_host_names),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
