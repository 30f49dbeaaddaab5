/*
 * The dump of a configuration, which loads again, and the sample files.
 */
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

#include "conf_fixture.h"
#include "worker/handlers.h"

/* Cut the comments, whose origins differ, in place. */
static void strip_origins(char *flat)
{
    char *to = flat;

    while (*flat != '\0') {
        if (strncmp(flat, "  # ", 4) == 0)
            flat += strcspn(flat, "\n");
        *to++ = *flat++;
    }
    *to = '\0';
}

static void loads_its_own_dump(void **state)
{
    char error[CONF_ERROR_SIZE];
    struct conf *conf = NULL;
    char *first, *second, *again;

    (void)state;
    fixture_put("a.conf",
                "instance { chroot = /. cpu_affinity = auto oom_score_adj = 7 core_dumps = yes\n"
                "landlock = yes hang_timeout_ms = 2000 hang_signal = 40 max_requests = 5\n"
                "max_memory = 1073741823K max_age_ms = 6000 }\n"
                "instance { workers = 3 daemon = yes pidfile = \"a \\\"b\\\" \\${x} \\\\\" }\n"
                "listen 'unix:/z #1' { mode = 7 } listen '[::]:1' { backlog = 2 }\n"
                "chaos { networks = { unix, 10.0.0.0/8 } } log { level = error target = stdout }\n"
                "route '/\"\\\\x' { handler = text body = '${HOME} $ {x}\n\t' status = 500 }\n"
                "route '/hello' { body = \"\\1\\e\\377\" }\n"
                "http { hosts = { a, 'b-c.d' } min_rate = 1k }\n"
                "access_log { target = x format = '${status} \"$request\"' buffer_bytes = 0 }\n"
                "control { socket = /c mode = 7 user = root group = root }\n"
                "admin { listen = '127.0.0.1:1' hosts = { a, 'b-c.d' } }\n"
                "instance { max_workers = 4 }\n"
                "upstream a.b { next_upstream = off retry_body_bytes = 0 check { path = '/\"'\n"
                "status = 200 } server 'unix:/ \"x' { down = yes } server 'a.b:080' { } }\n"
                "upstream c { server '[::1]:1' { weight = 65535 } next_upstream = { timeout } }\n"
                "route 'GET a.test/{x}/{y...}' { handler = json max_body = inherit allow = unix\n"
                "headers = { 'A: \"b\"', 'B: ${c}' } access_log = no timeout_text = '' }\n");
    if (fixture_load_file("a.conf", &conf, error) < 0)
        fail_msg("%s", error);
    again = fixture_dump(conf);
    first = fixture_flat_dump(conf);
    conf_free(conf);

    fixture_put("again.conf", again);
    if (fixture_load_file("again.conf", &conf, error) < 0)
        fail_msg("%s", error);
    second = fixture_flat_dump(conf);
    conf_free(conf);

    strip_origins(first);
    strip_origins(second);
    free(again);
    assert_non_null(strstr(first, "hang_signal = \"40\""));
    assert_non_null(strstr(first, "control: mode = \"0007\""));
    assert_non_null(strstr(first, "max_memory = \"1073741823K\""));
    assert_non_null(strstr(first, "body = \"\\${HOME} $ {x}\\x0a\\x09\""));
    assert_non_null(strstr(first, "headers = { \"A: \\\"b\\\"\", \"B: \\${c}\" }"));
    assert_non_null(strstr(first, "check: status = \"200\""));
    assert_string_equal(first, second);
    free(first);
    free(second);
}

/* Automake's `make check` says where the source tree is; without it nothing is tested here. */
static void accepts_the_sample_files(void **state)
{
    static const char *const environments[] = {NULL, "production", "development"};
    const char *source = getenv("srcdir");

    (void)state;
    if (source == NULL)
        skip();
    for (size_t i = 0; i < sizeof(environments) / sizeof(environments[0]); i++) {
        char path[4096], error[CONF_ERROR_SIZE];
        char *words[] = {(char *)"-c", path, environments[i] != NULL ? (char *)"-e" : NULL,
                         (char *)environments[i], NULL};
        struct conf *conf = NULL;

        (void)snprintf(path, sizeof(path), "%s/conf/zombie-server.conf", source);
        if (fixture_load(words, &conf, error) < 0)
            fail_msg("%s", error);
        conf_free(conf);
    }
}

/* zombie-server.conf says the defaults: loading it changes no value. */
static void sample_file_says_the_defaults(void **state)
{
    const char *source = getenv("srcdir");
    char path[4096], error[CONF_ERROR_SIZE];
    char *with_file[] = {(char *)"-c", path, NULL}, *without[] = {NULL};
    struct conf *conf = NULL;
    char *first, *second;

    (void)state;
    if (source == NULL)
        skip();
    (void)snprintf(path, sizeof(path), "%s/conf/zombie-server.conf", source);
    assert_int_equal(fixture_load(with_file, &conf, error), 0);
    first = fixture_flat_dump(conf);
    conf_free(conf);
    assert_int_equal(fixture_load(without, &conf, error), 0);
    second = fixture_flat_dump(conf);
    conf_free(conf);
    strip_origins(first);
    strip_origins(second);
    assert_string_equal(first, second);
    free(first);
    free(second);
}

static void reports_a_full_disk(void **state)
{
    char *none[] = {NULL};
    char error[CONF_ERROR_SIZE];
    struct conf *conf = NULL;
    FILE *full = fopen("/dev/full", "w");

    (void)state;
    assert_non_null(full);
    assert_int_equal(fixture_load(none, &conf, error), 0);
    assert_int_equal(conf_dump(conf, full), -EIO);
    (void)fclose(full);
    conf_free(conf);
}

static void lists_every_option(void **state)
{
    char *list = NULL;
    size_t size;
    FILE *out = open_memstream(&list, &size);

    (void)state;
    assert_non_null(out);
    conf_options_list(out, handlers_conf);
    (void)fclose(out);
    assert_true(fixture_has_line(list, "instance.workers"));
    assert_true(fixture_has_line(list, "listen.mode"));
    assert_true(fixture_has_line(list, "route.handler"));
    assert_true(fixture_has_line(list, "route.body"));
    assert_true(fixture_has_line(list, "route.max_body"));
    assert_true(fixture_has_line(list, "http.hosts"));
    assert_true(fixture_has_line(list, "access_log.format"));
    assert_true(fixture_has_line(list, "control.socket"));
    assert_true(fixture_has_line(list, "admin.token"));
    assert_true(fixture_has_line(list, "upstream.balance"));
    assert_true(fixture_has_line(list, "server.weight"));
    assert_true(fixture_has_line(list, "check.status"));
    free(list);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(loads_its_own_dump, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(accepts_the_sample_files, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(sample_file_says_the_defaults, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(reports_a_full_disk, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(lists_every_option, fixture_setup, fixture_teardown),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
