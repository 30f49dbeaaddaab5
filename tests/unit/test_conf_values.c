/*
 * Values and sections of a configuration: what is built in, read and refused.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/value.h"
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
    assert_string_equal(conf->instance.chroot, "");
    assert_int_equal(conf->instance.cpu_affinity, CONF_AFFINITY_NO);
    assert_int_equal(conf->instance.oom_score_adj, 300);
    assert_false(conf->instance.core_dumps);
    assert_false(conf->instance.landlock);
    assert_int_equal(conf->instance.hang_timeout_ms, 10000);
    assert_int_equal(conf->instance.hang_signal, SIGABRT);
    assert_int_equal(conf->instance.max_requests, 0);
    assert_int_equal(conf->instance.max_memory, 0);
    assert_int_equal(conf->instance.max_age_ms, 0);
    assert_int_equal(conf->log.level, LOG_LEVEL_INFO);
    assert_string_equal(conf->log.target, "stderr");
    assert_int_equal(conf->n_listens, 1);
    assert_int_equal(address_port(&conf->listens[0].address), 3000);
    assert_int_equal(conf->listens[0].mode, 0660);
    assert_int_equal(conf->http.max_header_bytes, 16384);
    assert_int_equal(conf->http.min_rate, 500);
    assert_int_equal(conf->http.hosts.n, 0);
    assert_string_equal(conf->access_log.target, "off");
    assert_int_equal(conf->access_log.buffer_bytes, 65536);
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
        {.base = "http { hosts = { a.test, '[::1]' } min_rate = 1k keepalive_total_ms = 0 }\n"
                 "access_log { target = acc format = '$status \"$request\"' buffer_bytes = 1m }",
         .lines = {"http: hosts = { \"a.test\", \"[::1]\" }  # @/a.conf:1",
                   "http: min_rate = \"1K\"  # @/a.conf:1",
                   "http: keepalive_total_ms = \"0\"  # @/a.conf:1",
                   "access_log: target = \"@/acc\"  # @/a.conf:2",
                   "access_log: format = \"$status \\\"$request\\\"\"  # @/a.conf:2",
                   "access_log: buffer_bytes = \"1M\"  # @/a.conf:2"}},
        {.base = "access_log { target = off }",
         .lines = {"access_log: target = \"off\"  # @/a.conf:1"}},
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
        {.base = "instance { chroot = . cpu_affinity = auto oom_score_adj = 1000\n"
                 "core_dumps = on landlock = on }",
         .lines = {"instance: chroot = \"@/.\"  # @/a.conf:1",
                   "instance: cpu_affinity = \"auto\"  # @/a.conf:1",
                   "instance: oom_score_adj = \"1000\"  # @/a.conf:1",
                   "instance: core_dumps = \"yes\"  # @/a.conf:2",
                   "instance: landlock = \"yes\"  # @/a.conf:2"}},
        {.base = "instance { hang_timeout_ms = 2000 hang_signal = sigsegv\n"
                 "max_requests = 1000000000 max_age_ms = 2147483647 max_memory = 1048576m }",
         .lines = {"instance: hang_timeout_ms = \"2000\"  # @/a.conf:1",
                   "instance: hang_signal = \"SEGV\"  # @/a.conf:1",
                   "instance: max_requests = \"1000000000\"  # @/a.conf:2",
                   "instance: max_age_ms = \"2147483647\"  # @/a.conf:2",
                   "instance: max_memory = \"1024G\"  # @/a.conf:2"}},
        {.base = "instance { hang_timeout_ms = 0 chroot = '' max_memory = 0 }",
         .lines = {"instance: hang_timeout_ms = \"0\"  # @/a.conf:1",
                   "instance: chroot = \"\"  # @/a.conf:1",
                   "instance: max_memory = \"0\"  # @/a.conf:1"}},
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
        {.base = "chaos { token = x }",
         .error = "@/a.conf:1: chaos.token: the value has 1 byte, it must have 16 to 256"},
        {.base = "chaos { token = short }",
         .error = "@/a.conf:1: chaos.token: the value has 5 bytes, it must have 16 to 256"},
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
        {.base = "instance {\nhang_timeout_ms = 1 }",
         .error = "@/a.conf:2: instance.hang_timeout_ms (1) must be 0 or 2000 to 3600000: the "
                  "heartbeat comes once a second"},
        {.base = "instance { hang_timeout_ms = 1999 }",
         .error = "@/a.conf:1: instance.hang_timeout_ms (1999) must be 0 or 2000 to 3600000: *"},
        {.base = "instance {\nhang_signal = FOO }",
         .error = "@/a.conf:2: instance.hang_signal: 'FOO' is not a signal such as ABRT or 6"},
        {.base = "instance { max_memory = 2T }",
         .error = "@/a.conf:1: instance.max_memory: '2T' is not a size from 0 to 1024G, in bytes "
                  "or with K, M or G"},
        {.base = "instance {\nmax_memory = 1M }",
         .error = "@/a.conf:2: instance.max_memory (1048576 bytes) is less than an empty worker "
                  "takes (*"},
        {.base = "instance { max_memory = 1 }",
         .error = "@/a.conf:1: instance.max_memory (1 bytes) is less than an empty worker *"},
        {.base = "",
         .words = {"-o", "instance.max_memory=64k"},
         .error = "-o: instance.max_memory (65536 bytes) is less than an empty worker takes (*"},
        {.base = "instance {\n\nchroot = nowhere }",
         .error = "@/a.conf:3: instance.chroot: @/nowhere: No such file or directory"},
        {.base = "instance { chroot = a.conf }",
         .error = "@/a.conf:1: instance.chroot: @/a.conf: Not a directory"},
        {.base = "instance { cpu_affinity = yes }",
         .error = "@/a.conf:1: instance.cpu_affinity: 'yes' is not one of no, auto"},
        {.base = "instance { oom_score_adj = 1001 }",
         .error = "@/a.conf:1: instance.oom_score_adj: '1001' is not a whole number from 0 to "
                  "1000"},
        {.base = "route '/' { handler = text status = 99 }",
         .error = "@/a.conf:1: route \"/\": status: '99' is not a whole number from 200 to 599"},
    };

    (void)state;
    RUN_ROWS(rows);
}

#define UNTOUCHED (-77L)

/* What an option makes of a text: printed back, or the reason why not. */
struct text_row {
    const char *text;
    long value;          /* unless refused */
    const char *printed; /* NULL: refused */
    const char *why;
};

static void check_text(const struct conf_option *option, const struct text_row *row)
{
    char *item = (char *)row->text, *printed = NULL;
    struct conf_list texts = {&item, 1};
    char why[CONF_WHY_SIZE] = "";
    long value = UNTOUCHED;
    size_t size;
    FILE *out;

    if (row->printed == NULL) {
        if (conf_value_read(option, &texts, NULL, &value, why) != -EINVAL || value != UNTOUCHED)
            fail_msg("'%s' makes %ld", row->text, value);
        assert_string_equal(why, row->why);
        return;
    }
    if (conf_value_read(option, &texts, NULL, &value, why) != 0 || value != row->value)
        fail_msg("'%s' makes %ld: %s", row->text, value, why);
    out = open_memstream(&printed, &size);
    assert_non_null(out);
    conf_value_print(option, &value, out);
    (void)fclose(out);
    assert_string_equal(printed, row->printed);
    free(printed);
}

#define CHECK_TEXTS(option, rows)                                                         \
    for (size_t row_index = 0; row_index < sizeof(rows) / sizeof((rows)[0]); row_index++) \
    check_text(&(option), &(rows)[row_index])

#define NO_SIZE(text)                                                                            \
    {                                                                                            \
        (text), 0, NULL, "'" text "' is not a size from 2K to 1024G, in bytes or with K, M or G" \
    }

static void reads_sizes(void **state)
{
    static const struct conf_option option = {.type = CONF_SIZE, .min = 2048, .max = 1L << 40};
    static const struct text_row rows[] = {
        {"2048", 2048, "\"2K\"", NULL},
        {"2049", 2049, "\"2049\"", NULL},
        {"2k", 2048, "\"2K\"", NULL},
        {"1025K", 1025L << 10, "\"1025K\"", NULL},
        {"1024K", 1L << 20, "\"1M\"", NULL},
        {"512m", 512L << 20, "\"512M\"", NULL},
        {"3G", 3L << 30, "\"3G\"", NULL},
        {"1024g", 1L << 40, "\"1024G\"", NULL},
        {"1099511627776", 1L << 40, "\"1024G\"", NULL},
        {"0000000000000000000000000000000000000000000000000004K", 4096, "\"4K\"", NULL},
        NO_SIZE("0"),
        NO_SIZE("2047"),
        NO_SIZE("1K"),
        NO_SIZE("1099511627777"),
        NO_SIZE("1025G"),
        NO_SIZE("1073741825K"),
        NO_SIZE("9223372036854775807G"),
        NO_SIZE("18014398509481985K"), /* 2^64 + 1024 bytes */
        NO_SIZE("99999999999999999999999999999999999999999999999"),
        NO_SIZE(""),
        NO_SIZE("K"),
        NO_SIZE("-5"),
        NO_SIZE("+5M"),
        NO_SIZE(" 5M"),
        NO_SIZE("5 M"),
        NO_SIZE("5M "),
        NO_SIZE("5MB"),
        NO_SIZE("5KK"),
        NO_SIZE("1T"),
        NO_SIZE("1e9"),
        NO_SIZE("1.5G"),
        NO_SIZE("0x1000"),
        NO_SIZE("4\x0b"), /* K without the bit that makes it a letter */
        NO_SIZE("no"),
    };
    static const struct conf_option any = {.type = CONF_SIZE, .min = 0, .max = LONG_MAX};
    static const struct text_row limits[] = {
        {"0", 0, "\"0\"", NULL},
        {"000", 0, "\"0\"", NULL},
        {"0G", 0, "\"0\"", NULL},
        {"1", 1, "\"1\"", NULL},
        {"9223372036854775807", LONG_MAX, "\"9223372036854775807\"", NULL},
        {"8589934591G", LONG_MAX - ((1L << 30) - 1), "\"8589934591G\"", NULL},
        {"8589934592G", 0, NULL,
         "'8589934592G' is not a size from 0 to 9223372036854775807, in bytes or with K, M or G"},
    };

    (void)state;
    CHECK_TEXTS(option, rows);
    CHECK_TEXTS(any, limits);
}

#define NO_SIGNAL(text)                                                 \
    {                                                                   \
        (text), 0, NULL, "'" text "' is not a signal such as ABRT or 6" \
    }

#define HARMLESS(text)                                                            \
    {                                                                             \
        (text), 0, NULL, "the signal '" text "' does not end a worker that hangs" \
    }

static void reads_signals(void **state)
{
    static const struct conf_option option = {.type = CONF_SIGNAL};
    static const struct text_row rows[] = {
        {"ABRT", SIGABRT, "\"ABRT\"", NULL},
        {"SIGABRT", SIGABRT, "\"ABRT\"", NULL},
        {"sigAbrt", SIGABRT, "\"ABRT\"", NULL},
        {"abrt", SIGABRT, "\"ABRT\"", NULL},
        {"6", SIGABRT, "\"ABRT\"", NULL},
        {"006", SIGABRT, "\"ABRT\"", NULL},
        {"14", SIGALRM, "\"ALRM\"", NULL},
        {"Bus", SIGBUS, "\"BUS\"", NULL},
        {"SEGV", SIGSEGV, "\"SEGV\"", NULL},
        {"KILL", SIGKILL, "\"KILL\"", NULL},
        {"SYS", SIGSYS, "\"SYS\"", NULL},
        {"40", 40, "\"40\"", NULL},
        {"64", 64, "\"64\"", NULL},
        NO_SIGNAL("FOO"),
        NO_SIGNAL(""),
        NO_SIGNAL("SIG"),
        NO_SIGNAL("SIGSIGABRT"),
        NO_SIGNAL("SIG6"),
        NO_SIGNAL("ABRT "),
        NO_SIGNAL(" ABRT"),
        NO_SIGNAL("ABR"),
        NO_SIGNAL("ABRTX"),
        NO_SIGNAL("0"),
        NO_SIGNAL("-1"),
        NO_SIGNAL("+6"),
        NO_SIGNAL("32"), /* the C library keeps it */
        NO_SIGNAL("33"),
        NO_SIGNAL("65"),
        NO_SIGNAL("99"),
        NO_SIGNAL("4294967302"), /* 6 in 32 bits */
        NO_SIGNAL("99999999999999999999"),
        NO_SIGNAL("RTMIN"),
        HARMLESS("STOP"),
        HARMLESS("sigcont"),
        HARMLESS("TSTP"),
        HARMLESS("TTIN"),
        HARMLESS("TTOU"),
        HARMLESS("CHLD"),
        HARMLESS("URG"),
        HARMLESS("WINCH"),
        HARMLESS("19"),
        HARMLESS("HUP"),
        HARMLESS("int"),
        HARMLESS("USR1"),
        HARMLESS("USR2"),
        HARMLESS("PIPE"),
        HARMLESS("XFSZ"),
        HARMLESS("TERM"),
        HARMLESS("QUIT"),
    };

    (void)state;
    CHECK_TEXTS(option, rows);
}

static void names_every_signal(void **state)
{
    static const struct conf_option option = {.type = CONF_SIGNAL};
    char text[16], *item = text, why[CONF_WHY_SIZE];
    struct conf_list texts = {&item, 1};
    int n_read = 0;

    (void)state;
    for (int number = 1; number <= SIGRTMAX; number++) {
        struct text_row row = {.text = text, .value = number};
        char printed[24];
        const char *name = sigabbrev_np(number);
        long value;

        (void)snprintf(text, sizeof(text), "%d", number);
        if (conf_value_read(&option, &texts, NULL, &value, why) < 0)
            continue;
        (void)snprintf(printed, sizeof(printed), "\"%s\"", name != NULL ? name : text);
        row.printed = printed;
        check_text(&option, &row);
        if (name != NULL)
            (void)snprintf(text, sizeof(text), "%s", name);
        check_text(&option, &row);
        n_read++;
    }
    /* All but two that the C library keeps and sixteen that do not end a worker which hangs. */
    assert_int_equal(n_read, SIGRTMAX - (SIGRTMIN - 32) - 16);
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
         .error = "@/a.conf:1: route \"x\": there is no path, which begins with '/'"},
        {.base = "route '/x' {\n }", .error = "@/a.conf:1: route \"/x\": handler is missing"},
        {.base = "route '/x' {\n handler = txet }",
         .error = "@/a.conf:2: route \"/x\": handler: there is no handler 'txet'"},
        {.base = "route '/x' {\n handler = identity\n body = x }",
         .error = "@/a.conf:3: route \"/x\": body is not an option of handler identity"},
        {.base = "route '/{$}' {\n status = 200 }",
         .error = "@/a.conf:2: route \"/{$}\": status is not an option of handler identity"},
    };
    char pattern[1024 + 64] = "route '/", error[300];
    struct conf_row longest = {.base = pattern};

    (void)state;
    RUN_ROWS(rows);
    memset(pattern + 8, 'x', 1023);
    (void)strcpy(pattern + 8 + 1023, "' { handler = health }");
    fixture_run(&longest);
    (void)strcpy(pattern + 8 + 1023, "x' { handler = health }");
    longest.error = error;
    (void)snprintf(error, sizeof(error), "@/a.conf:1: route \"%.200s\": more than 1024 bytes",
                   pattern + 7);
    fixture_run(&longest);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(has_built_in_values, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(reads_values, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(refuses_bad_values, fixture_setup, fixture_teardown),
        cmocka_unit_test(reads_sizes),
        cmocka_unit_test(reads_signals),
        cmocka_unit_test(names_every_signal),
        cmocka_unit_test_setup_teardown(refuses_bad_sections, fixture_setup, fixture_teardown),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
