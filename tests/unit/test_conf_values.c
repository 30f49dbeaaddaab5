/*
 * Values and sections of a configuration: what is built in, read and refused.
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

#include "conf_fixture.h"

static void has_built_in_values(void **state)
{
    static const struct conf_row rows[] = {
        {.lines = {"listen \"127.0.0.1:3000\" {  # built-in",
                   "instance: workers = \"auto\"  # built-in",
                   "chaos: enabled = \"no\"  # built-in",
                   "route \"/{$}\": handler = \"identity\"  # built-in",
                   "route \"/hello\": body = \"Hello from a zombie.\\x0a\"  # built-in",
                   "route \"/healthcheck\": handler = \"health\"  # built-in",
                   "route \"/workerKiller\": handler = \"worker_killer\"  # built-in",
                   "!listen \"127.0.0.1:3000\": mode = \"0660\"  # built-in"}},
        {.base = "", .lines = {"listen \"127.0.0.1:3000\" {  # built-in"}},
        {.base = "# nothing", .lines = {"listen \"127.0.0.1:3000\" {  # built-in"}},
    };
    struct conf *conf = NULL;
    char error[CONF_ERROR_SIZE];
    char *none[] = {NULL};

    (void)state;
    RUN_ROWS(rows);
    fixture_clear_environment();
    assert_int_equal(fixture_load(none, &conf, error), 0);
    assert_int_equal(conf->instance.workers, 0);
    assert_int_equal(conf->instance.backoff_max_ms, 30000);
    assert_int_equal(conf->log.level, LOG_LEVEL_INFO);
    assert_string_equal(conf->log.target, "stderr");
    assert_int_equal(conf->n_listens, 1);
    assert_int_equal(address_port(&conf->listens[0].address), 3000);
    assert_int_equal(conf->listens[0].mode, 0660);
    assert_int_equal(conf->n_routes, 4);
    assert_string_equal(fixture_setting(&conf->routes[1], "content_type"),
                        "text/plain; charset=utf-8");
    conf_free(conf);
}

static void reads_values(void **state)
{
    static const struct conf_row rows[] = {
        {.base = "instance { workers = 3 daemon = ON on_crash_loop = exit }\n"
                 "log { level = debug format = 'json' target = \"x/y.log\" }\n"
                 "instance { pidfile = /run/z.pid }",
         .lines = {"instance: workers = \"3\"  # @/a.conf:1",
                   "instance: daemon = \"yes\"  # @/a.conf:1",
                   "instance: on_crash_loop = \"exit\"  # @/a.conf:1",
                   "log: level = \"debug\"  # @/a.conf:2", "log: format = \"json\"  # @/a.conf:2",
                   "log: target = \"@/x/y.log\"  # @/a.conf:2",
                   "instance: pidfile = \"/run/z.pid\"  # @/a.conf:3"}},
        {.base = "log {\n# one\n/* two\n   three */ target = stdout // four\n}\n"
                 "chaos { networks = { 10.0.0.0/8, # five\n unix } token = \"\" }\n",
         .lines = {"log: target = \"stdout\"  # @/a.conf:4",
                   "chaos: networks = { \"10.0.0.0/8\", \"unix\" }  # @/a.conf:6",
                   "chaos: token = \"\"  # @/a.conf:7"}},
        {.base = "chaos { networks = { /* none */ }\ntoken = abcdefghijklmnop }",
         .lines = {"chaos: networks = {}  # @/a.conf:1",
                   "chaos: token = \"********\"  # @/a.conf:2"}},
        {.base = "\nlisten 'unix:/run/z.sock' {\n mode = 600 }\nlisten \"[::]:0\" {}",
         .lines = {"listen \"unix:/run/z.sock\" {  # @/a.conf:2",
                   "listen \"unix:/run/z.sock\": mode = \"0600\"  # @/a.conf:3",
                   "listen \"[::]:0\" {  # @/a.conf:4",
                   "!listen \"127.0.0.1:3000\" {  # built-in"}},
        {.base = "instance { workers = ${ZOMBIE_TEST} containers = \"${ZOMBIE_NONE:-7}\" }",
         .env = {"ZOMBIE_TEST=5"},
         .lines = {"instance: workers = \"5\"  # @/a.conf:1",
                   "instance: containers = \"7\"  # @/a.conf:1"}},
        {.base = "listen \"127.0.0.1:0\" {}\nlisten \"127.0.0.1:00\" {}",
         .lines = {"listen \"127.0.0.1:0\" {  # @/a.conf:1",
                   "listen \"127.0.0.1:00\" {  # @/a.conf:2"}},
        {.base = "instance { user = root group = root }",
         .lines = {"instance: user = \"root\"  # @/a.conf:1"}},
        {.base = "route '/a' { handler = text body = \"\\\"\\\\\\t\\${x} \\101\\x42\" }",
         .lines = {"route \"/a\": body = \"\\\"\\\\\\x09\\${x} AB\"  # @/a.conf:1",
                   "route \"/hello\": handler = \"text\"  # built-in"}},
    };

    (void)state;
    RUN_ROWS(rows);
}

static void refuses_bad_values(void **state)
{
    static const struct conf_row rows[] = {
        {.base = "\n\n\ninstance { workers = x }",
         .error =
             "@/a.conf:4: instance.workers: 'x' is not 'auto' or a whole number from 1 to 1024"},
        {.base = "instance { workers = 0 }",
         .error =
             "@/a.conf:1: instance.workers: '0' is not 'auto' or a whole number from 1 to 1024"},
        {.base = "instance { containers = ${ZOMBIE_TEST} }",
         .error = "@/a.conf:1: instance.containers: '' is not a whole number from 1 to 4096"},
        {.base = "instance { containers = -1 }",
         .error = "@/a.conf:1: instance.containers: '-1' is not a whole number from 1 to 4096"},
        {.base = "instance { daemon = maybe }",
         .error = "@/a.conf:1: instance.daemon: 'maybe' is not yes or no"},
        {.base = "log { level = loud }",
         .error = "@/a.conf:1: log.level: 'loud' is not one of error, warning, info, debug"},
        {.base = "log { target = \"\" }", .error = "@/a.conf:1: log.target: the value is empty"},
        {.base = "listen \"unix:/z\" { mode = 0888 }",
         .error =
             "@/a.conf:1: listen \"unix:/z\": mode: '0888' is not an octal number from 0 to 0777"},
        {.base = "listen \"unix:/z\" { mode = 1777 }",
         .error =
             "@/a.conf:1: listen \"unix:/z\": mode: '1777' is not an octal number from 0 to 0777"},
        {.base = "chaos { token = short }",
         .error = "@/a.conf:1: chaos.token: the value has 5 bytes, not from 16 to 256"},
        {.base = "chaos { networks = { unix,\n10.0.0.0/8, '' } }",
         .error = "@/a.conf:1: chaos.networks: '': *"},
        {.base = "instance { user = \"no such user\" }",
         .error = "@/a.conf:1: instance.user: there is no user 'no such user'"},
        {.base = "instance {\ngroup = \"no such group\" }",
         .error = "@/a.conf:2: instance.group: there is no group 'no such group'"},
        {.base = "instance {\nbackoff_min_ms = 40000 }",
         .error =
             "@/a.conf:2: instance.backoff_max_ms (30000) is less than backoff_min_ms (40000)"},
        {.base = "instance {\nbackoff_min_ms = 40000\nbackoff_max_ms = 39999 }",
         .error =
             "@/a.conf:3: instance.backoff_max_ms (39999) is less than backoff_min_ms (40000)"},
        {.base = "route '/' { handler = text status = 99 }",
         .error = "@/a.conf:1: route \"/\": status: '99' is not a whole number from 200 to 599"},
    };

    (void)state;
    RUN_ROWS(rows);
}

static void refuses_bad_sections(void **state)
{
    static const struct conf_row rows[] = {
        {.base = "\nlisten '127.0.0.1:80' { mode = 0600 }",
         .error = "@/a.conf:2: listen \"127.0.0.1:80\": mode is for unix sockets only"},
        {.base = "listen '127.0.0.1:80' {}\nlisten '127.0.0.1:080' {}",
         .error =
             "@/a.conf:2: listen \"127.0.0.1:080\": \"127.0.0.1:80\" at @/a.conf:1 is the same "
             "address"},
        {.base = "listen 'unix:/z' {}\n\nlisten 'unix:/z' {}",
         .error = "@/a.conf:3: listen \"unix:/z\" stands at @/a.conf:1 already"},
        {.base = "route '/x' { handler = text }\nroute '/x' { handler = text }",
         .error = "@/a.conf:2: route \"/x\" stands at @/a.conf:1 already"},
        {.base = "route 'x' {\n handler = text }",
         .error = "@/a.conf:1: route \"x\": a pattern starts with '/'"},
        {.base = "route '/x' {\n }", .error = "@/a.conf:1: route \"/x\": handler is missing"},
        {.base = "route '/x' {\n handler = txet }",
         .error = "@/a.conf:2: route \"/x\": handler: there is no handler 'txet'"},
        {.base = "route '/x' {\n handler = identity\n body = x }",
         .error = "@/a.conf:3: route \"/x\": body is not an option of handler identity"},
        {.base = "route '/{$}' {\n status = 200 }",
         .error = "@/a.conf:2: route \"/{$}\": status is not an option of handler identity"},
    };
    char pattern[1024 + 64] = "route '/";
    struct conf_row longest = {.base = pattern};

    (void)state;
    RUN_ROWS(rows);
    memset(pattern + 8, 'x', 1023);
    (void)strcpy(pattern + 8 + 1023, "' { handler = health }");
    fixture_run(&longest);
    (void)strcpy(pattern + 8 + 1023, "x' { handler = health }");
    longest.error =
        "@/a.conf:1: route \"/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\": a pattern has "
        "at most 1024 bytes";
    fixture_run(&longest);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(has_built_in_values, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(reads_values, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(refuses_bad_values, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(refuses_bad_sections, fixture_setup, fixture_teardown),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
