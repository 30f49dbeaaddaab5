/*
 * Configuration files as such: their syntax, escapes, includes, and files that
 * are none.
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

static void refuses_bad_syntax(void **state)
{
    static const struct conf_row rows[] = {
        {.base = "\n\ninstance { wrokers = 1 }",
         .error = "@/a.conf:3: unknown key 'wrokers' in section instance; did you mean 'workers'?"},
        {.base = "http { zzzzzzzz = 1 }",
         .error = "@/a.conf:1: unknown key 'zzzzzzzz' in section http"},
        {.base = "# comment\ninstanec { }",
         .error = "@/a.conf:2: unknown section 'instanec'; did you mean 'instance'?"},
        {.base = "apache { }", .error = "@/a.conf:1: unknown section 'apache'"},
        {.base = "workers = 3", .error = "@/a.conf:1: unknown section 'workers'"},
        {.base = "instance {\nworkers = 1\ndaemon = no workers = 2 }",
         .error = "@/a.conf:3: instance.workers stands at @/a.conf:2 already"},
        {.base = "instance { workers = 1 }\ninstance { workers = 2 }",
         .error = "@/a.conf:2: instance.workers stands at @/a.conf:1 already"},
        {.base = "listen ':' {\nbacklog = 1\nbacklog = 2 }",
         .error = "@/a.conf:3: listen \":\": backlog stands at @/a.conf:2 already"},
        {.base = "chaos {\nnetworks = {}\nnetworks = { unix } }",
         .error = "@/a.conf:3: chaos.networks stands at @/a.conf:2 already"},
        {.base = "chaos {\nnetworks = { unix, unix }\nnetworks = {} }",
         .error = "@/a.conf:3: chaos.networks stands at @/a.conf:2 already"},
        {.base = "chaos { networks += { unix } }",
         .error = "@/a.conf:1: '+=' is not known: a list is given whole, with '='"},
        {.base = "instance { workers = +4 }", .error = "@/a.conf:1: '+' stands alone"},
        {.base = "instance { workers = 4* }", .error = "@/a.conf:1: '*' stands alone"},
        {.base = "instance { workers 4 }",
         .error = "@/a.conf:1: after workers there must be '=' and a value"},
        {.base = "instance { workers = }", .error = "@/a.conf:1: '}' is not expected here"},
        {.base = "instance\nworkers = 4",
         .error = "@/a.conf:2: section instance must go on with '{'"},
        {.base = "listen { }",
         .error = "@/a.conf:1: section listen needs a title: a string before the '{'"},
        {.base = "instance { } }", .error = "@/a.conf:1: this '}' closes nothing"},
        {.base = "instance", .error = "@/a.conf:1: the file ends where a value or '{' is missing"},
        {.base = "\ninstance {\nworkers = 4\n",
         .error = "@/a.conf:2: the '{' here is never closed"},
        {.base = "\n/* instance {\n}",
         .error = "@/a.conf:2: the comment that starts here is never closed"},
        {.base = "'' = 3", .error = "@/a.conf:1: syntax error"},
        {.base = "include('x', 'y')",
         .error = "@/a.conf:1: one file is included by include(\"FILE\")"},
        {.base = "include('')", .error = "@/a.conf:1: one file is included by include(\"FILE\")"},
        {.base = "include('x'", .error = "@/a.conf:1: one file is included by include(\"FILE\")"},
        {.base = "include 'x'", .error = "@/a.conf:1: include must go on with (\"FILE\")"},
        {.base = "route '/' { body = \"${X\n}\" }",
         .error = "@/a.conf:1: '${' needs a '}' on the same line; a plain one is written '\\${'"},
    };

    (void)state;
    RUN_ROWS(rows);
}

/* What libConfuse's lexer would stumble over; see conf/scan.h. */
static void refuses_bad_escapes(void **state)
{
    static const char *const escapes[] = {"\\0", "\\x0", "\\x00", "\\400", "\\18", "\\8", "\\1234"};

    (void)state;
    for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
        char base[128];
        struct conf_row row = {
            .base = base,
            .error = "@/a.conf:2: a numeric escape is \\1 to \\377 or \\x1 to \\xff",
        };

        (void)snprintf(base, sizeof(base), "route '/' {\nbody = \"%s\" }", escapes[i]);
        fixture_run(&row);
    }
}

/* libConfuse reaches a key of another section by a path, and the hidden key by its name. */
static void refuses_paths_as_keys(void **state)
{
    static const struct conf_row rows[] = {
        {.base = "instance|workers = 3", .error = "@/a.conf:1: unknown section 'workers'"},
        {.base = "'instance|workers' = 3", .error = "@/a.conf:1: unknown section 'workers'"},
        {.base = "'chaos|networks' = { unix }", .error = "@/a.conf:1: unknown section 'networks'"},
        {.base = "listen ':' {}\n\"listen=':'|backlog\" = 3",
         .error = "@/a.conf:2: unknown section 'backlog'"},
        {.base = "'section|opens' = now", .error = "@/a.conf:1: unknown section 'section'"},
        {.base = "listen ':' {\n'section|opens' = now }",
         .error = "@/a.conf:2: unknown key 'section' in section listen"},
        {.base = "listen ':' {\n'|section|opens' = now }",
         .error = "@/a.conf:2: unknown key '|section|opens' in section listen"},
    };

    (void)state;
    RUN_ROWS(rows);
}

static void refuses_unreadable_files(void **state)
{
    static const struct conf_row missing = {.words = {"-c", "@/none.conf"},
                                            .error = "@/none.conf: No such file or directory"};
    static const struct conf_row is_folder = {.words = {"-c", "@"}, .error = "@: Is a directory"};
    static const struct conf_row device = {.words = {"-c", "/dev/zero"},
                                           .error = "/dev/zero: not a regular file"};
    static const struct conf_row nul = {.words = {"-c", "@/nul"},
                                        .error = "@/nul: has NUL bytes: not a text file"};
    static const struct conf_row large = {
        .words = {"-c", "@/large"},
        .error = "@/large: larger than 1048576 bytes: not a configuration"};
    char *spaces = malloc(1024 * 1024 + 1);

    (void)state;
    assert_non_null(spaces);
    memset(spaces, ' ', 1024 * 1024 + 1);
    fixture_put_bytes("nul", "log {\0}", 7);
    fixture_put_bytes("large", spaces, 1024 * 1024 + 1);
    fixture_run(&missing);
    fixture_run(&is_folder);
    fixture_run(&device);
    fixture_run(&nul);
    fixture_run(&large);
    fixture_put_bytes("large", spaces, 1024 * 1024);
    fixture_run(&(struct conf_row){.words = {"-c", "@/large"}});
    free(spaces);
}

static void includes_files(void **state)
{
    static const struct conf_row rows[] = {
        {.base = "include(\"other.conf\")\ninstance { containers = 2 }",
         .other = "\ninstance { workers = 4 pidfile = z.pid }\nlisten ':' {}\n",
         .error = "@/other.conf:3: listen \":\": *"},
        {.base = "include(\"other.conf\")\n\ninstance { containers = 2 }",
         .other = "\ninstance { workers = 4 pidfile = z.pid }\nlisten '[::1]:1' {}\n",
         .lines = {"instance: workers = \"4\"  # @/other.conf:2",
                   "instance: pidfile = \"@/z.pid\"  # @/other.conf:2",
                   "listen \"[::1]:1\" {  # @/other.conf:3",
                   "instance: containers = \"2\"  # @/a.conf:3"}},
        {.base = "instance { workers = 1 }\ninclude('other.conf')",
         .other = "\ninstance { workers = 4 }",
         .error = "@/other.conf:2: instance.workers stands at @/a.conf:1 already"},
        {.base = "include('other.conf')",
         .other = "log {",
         .error = "@/other.conf:1: the '{' here is never closed"},
        {.base = "include('other.conf')",
         .other = "log { }\n}",
         .error = "@/other.conf:2: this '}' closes nothing"},
        {.base = "include('none.conf')", .error = "@/none.conf: No such file or directory"},
        {.base = "\ninclude('a.conf')",
         .error = "@/a.conf:2: files include each other more than 8 deep"},
        {.base = "log { }\ninclude('other.conf')\nlog { leevl = info }",
         .other = "log { }\n\n\n",
         .error = "@/a.conf:3: unknown key 'leevl' in section log; did you mean 'level'?"},
    };

    (void)state;
    RUN_ROWS(rows);
}

/* The lexer is one for the process: what one file left open must not be in the next. */
static void forgets_a_broken_file(void **state)
{
    static const char *const broken[] = {"instance { workers = \"3 }",
                                         "instance { workers = '3 }",
                                         "/* instance {",
                                         "instance { workers = \"\\999\" }",
                                         "instance { workers",
                                         "instance { workers = { 3",
                                         "include(\"other.conf\")",
                                         "wrong",
                                         "include('x' 'y')",
                                         "listen ':' { listen ':' {"};
    static const struct conf_row good = {.base = "\ninstance { workers = \"3\" }",
                                         .lines = {"instance: workers = \"3\"  # @/a.conf:2"}};

    (void)state;
    fixture_put("other.conf", "log { level = \"");
    for (size_t i = 0; i < 3 * sizeof(broken) / sizeof(broken[0]); i++) {
        char error[CONF_ERROR_SIZE];
        struct conf *conf = NULL;

        fixture_put("broken.conf", broken[i % (sizeof(broken) / sizeof(broken[0]))]);
        assert_int_equal(fixture_load_file("broken.conf", &conf, error), -EINVAL);
        assert_null(conf);
        fixture_run(&good);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(refuses_bad_syntax, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(refuses_bad_escapes, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(refuses_paths_as_keys, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(refuses_unreadable_files, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(includes_files, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(forgets_a_broken_file, fixture_setup, fixture_teardown),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
