/*
 * The layers of a configuration: built-in values, file, overlay, environment,
 * command line, and how titled sections are merged.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf_fixture.h"

static void loads_overlays(void **state)
{
    static const struct conf_row rows[] = {
        {.base = "instance { workers = 2 containers = 3 }",
         .overlay = "\ninstance { workers = 4 }",
         .lines = {"instance: workers = \"4\"  # @/over.conf:2",
                   "instance: containers = \"3\"  # @/a.conf:1"}},
        {.base = "chaos { networks = { unix } }",
         .overlay = "chaos { networks = {} }",
         .lines = {"chaos: networks = {}  # @/over.conf:1"}},
        {.base = "", .words = {"-e", "none"}, .error = "@/none.conf: No such file or directory"},
        {.base = "", .env = {"ZOMBIE_ENV=none"}, .error = "@/none.conf: No such file or directory"},
        {.base = "",
         .overlay = "log { level = debug }",
         .env = {"ZOMBIE_ENV=none"},
         .lines = {"log: level = \"debug\"  # @/over.conf:1"}},
        {.base = "", .env = {"ZOMBIE_ENV="}, .lines = {"log: level = \"info\"  # built-in"}},
        {.base = "",
         .words = {"-e", "../x"},
         .error = "-e ../x: a name has only letters, digits, '_' and '-'"},
        {.env = {"ZOMBIE_ENV=production"},
         .error = "ZOMBIE_ENV=production: needs -c FILE, production.conf is looked for beside it"},
        {.words = {"-e", "x"}, .error = "-e x: needs -c FILE, x.conf is looked for beside it"},
    };

    (void)state;
    RUN_ROWS(rows);
}

static void reads_the_environment(void **state)
{
    static const struct conf_row rows[] = {
        {.base = "instance { workers = 2 } listen '[::1]:9' { backlog = 5 }",
         .env = {"ZOMBIE_WORKERS=7", "ZOMBIE_CONTAINERS=2", "ZOMBIE_CHAOS=1",
                 "ZOMBIE_LISTEN=[::1]:1, [::1]:2"},
         .lines = {"instance: workers = \"7\"  # ZOMBIE_WORKERS",
                   "instance: containers = \"2\"  # ZOMBIE_CONTAINERS",
                   "chaos: enabled = \"yes\"  # ZOMBIE_CHAOS",
                   "listen \"[::1]:1\" {  # ZOMBIE_LISTEN",
                   "listen \"[::1]:2\" {  # ZOMBIE_LISTEN"}},
        /* What a higher layer replaces must make sense all the same. */
        {.base = "instance { workers = two }",
         .env = {"ZOMBIE_WORKERS=3"},
         .error = "@/a.conf:1: instance.workers: *"},
        {.env = {"ZOMBIE_WORKERS=two"},
         .words = {"-w", "3"},
         .error = "ZOMBIE_WORKERS: instance.workers: *"},
        {.base = "listen 'junk' {}",
         .env = {"ZOMBIE_LISTEN=[::1]:1"},
         .error = "@/a.conf:1: listen \"junk\": *"},
        {.base = "listen '[::1]:9' { backlog = no }",
         .env = {"ZOMBIE_LISTEN=[::1]:1"},
         .error = "@/a.conf:1: listen \"[::1]:9\": backlog: *"},
        {.base = "instance { workers = 2 }",
         .env = {"ZOMBIE_WORKERS="},
         .lines = {"instance: workers = \"2\"  # @/a.conf:1"}},
        {.env = {"ZOMBIE_WORKERS=x"},
         .error = "ZOMBIE_WORKERS: instance.workers: 'x' is not 'auto' or a whole number from 1 to "
                  "1024"},
        {.env = {"ZOMBIE_CHAOS=x"}, .error = "ZOMBIE_CHAOS: chaos.enabled: 'x' is not yes or no"},
        {.env = {"ZOMBIE_LISTEN= ,"}, .error = "ZOMBIE_LISTEN: there is no address in ' ,'"},
        {.env = {"ZOMBIE_LISTEN=[::1]:1 [::1]:1"},
         .error =
             "ZOMBIE_LISTEN: listen \"[::1]:1\": \"[::1]:1\" at ZOMBIE_LISTEN is the same address"},
        {.env = {"PORT=8080"},
         .lines = {"listen \"127.0.0.1:8080\" {  # PORT",
                   "!listen \"127.0.0.1:3000\" {  # built-in"}},
        {.env = {"PORT=8080", "ZOMBIE_LISTEN=unix:/z,[::1]:1,[::1]:2"},
         .lines = {"listen \"unix:/z\" {  # ZOMBIE_LISTEN", "listen \"[::1]:8080\" {  # PORT",
                   "listen \"[::1]:2\" {  # ZOMBIE_LISTEN"}},
        {.env = {"PORT=2", "ZOMBIE_LISTEN=[::1]:1,[::1]:2"},
         .error = "ZOMBIE_LISTEN: listen \"[::1]:2\": \"[::1]:2\" at PORT is the same address"},
        {.base = "listen '127.0.0.1:3000' { backlog = 9 }",
         .env = {"PORT=0"},
         .lines = {"listen \"127.0.0.1:0\": backlog = \"9\"  # @/a.conf:1"}},
        {.env = {"PORT=65536"}, .error = "PORT: '65536' is not a port from 0 to 65535"},
        {.env = {"PORT=1", "ZOMBIE_LISTEN=unix:/z"},
         .error = "PORT: there is no TCP listener whose port it could be"},
    };

    (void)state;
    RUN_ROWS(rows);
}

static void reads_the_command_line(void **state)
{
    static const struct conf_row rows[] = {
        {.base = "instance { workers = 2 }",
         .env = {"ZOMBIE_WORKERS=7"},
         .words = {"-w", "9", "--chaos", "--daemon", "-n4", "-p/z"},
         .lines = {"instance: workers = \"9\"  # -w", "chaos: enabled = \"yes\"  # --chaos",
                   "instance: daemon = \"yes\"  # --daemon", "instance: containers = \"4\"  # -n",
                   "instance: pidfile = \"/z\"  # -p"}},
        {.words = {"-w2", "--workers=3"}, .lines = {"instance: workers = \"3\"  # --workers"}},
        {.words = {"-w", "x"},
         .error = "-w: instance.workers: 'x' is not 'auto' or a whole number from 1 to 1024"},
        {.env = {"ZOMBIE_LISTEN=[::1]:1", "PORT=9"},
         .words = {"-l", "[::1]:3", "-l", "[::1]:4"},
         .lines = {"listen \"[::1]:3\" {  # -l", "listen \"[::1]:4\" {  # -l",
                   "!listen \"[::1]:1\" {  # ZOMBIE_LISTEN", "!listen \"[::1]:9\" {  # PORT"}},
        {.words = {"-l", "[::1]:0", "-l", "[::1]:0"}, .lines = {"listen \"[::1]:0\" {  # -l"}},
        {.words = {"-l", "foo"}, .error = "-l: listen \"foo\": *"},
        {.words = {"-o", "log.level=debug", "-o", "chaos.networks=unix, ::1"},
         .lines = {"log: level = \"debug\"  # -o",
                   "chaos: networks = { \"unix\", \"::1\" }  # -o"}},
        {.base = "chaos { networks = { unix } }",
         .words = {"-o", "chaos.networks="},
         .lines = {"chaos: networks = {}  # -o"}},
        {.words = {"-o", "listen.127.0.0.1:3000.backlog=7"},
         .lines = {"listen \"127.0.0.1:3000\": backlog = \"7\"  # -o",
                   "listen \"127.0.0.1:3000\" {  # built-in"}},
        {.words = {"-o", "listen.[::1]:3.backlog=7", "-l", "[::1]:3"},
         .lines = {"listen \"[::1]:3\": backlog = \"7\"  # -o"}},
        {.words = {"-o", "listen.127.0.0.1:9.backlog=7"},
         .error = "-o: there is no listener \"127.0.0.1:9\""},
        {.words = {"-o", "listen.127.0.0.1:3000.mode=600"},
         .error = "-o: listen \"127.0.0.1:3000\": mode is for unix sockets only"},
        {.words = {"-o", "route./a.b.handler=text", "-o", "route./a.b.body=x=y"},
         .lines = {"route \"/a.b\" {  # -o", "route \"/a.b\": handler = \"text\"  # -o",
                   "route \"/a.b\": body = \"x=y\"  # -o"}},
        {.words = {"-o", "route./x.body=y"}, .error = "-o: route \"/x\": handler is missing"},
        {.words = {"-o", "logs.level=debug"}, .error = "-o: unknown section 'logs'"},
        {.words = {"-o", "log.leevl=debug"}, .error = "-o: unknown key 'leevl' in section log"},
        {.words = {"-o", "log.x.level=debug"},
         .error = "-o: section log has no titles: log.level=VALUE"},
        {.words = {"-o", "listen.backlog=1"},
         .error = "-o: section listen needs a title: listen.TITLE.backlog=VALUE"},
        {.words = {"--option", "level=1"},
         .error = "--option: 'level=1' is not SECTION.KEY=VALUE or SECTION.TITLE.KEY=VALUE"},
        {.words = {"-o", "log.level"},
         .error = "-o: 'log.level' is not SECTION.KEY=VALUE or SECTION.TITLE.KEY=VALUE"},
    };

    (void)state;
    RUN_ROWS(rows);
}

static void merges_titled_sections(void **state)
{
    static const struct conf_row rows[] = {
        {.base = "listen '[::1]:1' { backlog = 5 }\nlisten '[::1]:2' { backlog = 6 }",
         .overlay = "listen '[::1]:2' { }\nlisten '[::1]:3' { }",
         .lines = {"listen \"[::1]:2\": backlog = \"6\"  # @/a.conf:2",
                   "listen \"[::1]:2\" {  # @/over.conf:1", "listen \"[::1]:3\" {  # @/over.conf:2",
                   "!listen \"[::1]:1\" {  # @/a.conf:1"}},
        {.base = "route '/hello' { body = x }",
         .overlay = "route '/hello' { status = 201 }",
         .lines = {"route \"/hello\": handler = \"text\"  # built-in",
                   "route \"/hello\": body = \"x\"  # @/a.conf:1",
                   "route \"/hello\": status = \"201\"  # @/over.conf:1"}},
        {.base = "route '/x' { body = x handler = text }",
         .overlay = "route '/x' { handler = health }",
         .lines = {"route \"/x\": handler = \"health\"  # @/over.conf:1"}},
        {.base = "route '/x' { body = x handler = text }",
         .overlay = "route '/x' { handler = health }",
         .words = {"-o", "route./x.handler=text"},
         .lines = {"route \"/x\": handler = \"text\"  # -o",
                   "route \"/x\": body = \"Hello from a zombie.\\x0a\"  # built-in"}},
        {.base = "route '/x' { body = x handler = text }",
         .overlay = "route '/x' { handler = text status = 201 }",
         .lines = {"route \"/x\": body = \"x\"  # @/a.conf:1",
                   "route \"/x\": handler = \"text\"  # @/over.conf:1"}},
        {.base = "route '/hello' { handler = not_found }",
         .lines = {"route \"/hello\": handler = \"not_found\"  # @/a.conf:1",
                   "!route \"/hello\": status = \"200\"  # built-in"}},
    };

    (void)state;
    RUN_ROWS(rows);
}

/* From a file relative to its folder, from the command line to the current one. */
static void makes_paths_absolute(void **state)
{
    char here[4096], line[4200];
    struct conf_row row = {.base = "log { target = 'l/og' }", .words = {"-p", "z.pid"}};

    (void)state;
    assert_non_null(getcwd(here, sizeof(here)));
    (void)snprintf(line, sizeof(line), "instance: pidfile = \"%s/z.pid\"  # -p", here);
    row.lines[0] = line;
    row.lines[1] = "log: target = \"@/l/og\"  # @/a.conf:1";
    fixture_run(&row);

    assert_int_equal(chdir(fixture_folder()), 0);
    fixture_run(&(struct conf_row){.words = {"-c", "a.conf"},
                                   .lines = {"log: target = \"@/l/og\"  # a.conf:1"}});
    fixture_run(&(struct conf_row){.words = {"-c", "./a.conf", "-p", "x"},
                                   .lines = {"log: target = \"@/./l/og\"  # ./a.conf:1",
                                             "instance: pidfile = \"@/x\"  # -p"}});
    assert_int_equal(chdir(here), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(loads_overlays, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(reads_the_environment, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(reads_the_command_line, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(merges_titled_sections, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(makes_paths_absolute, fixture_setup, fixture_teardown),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
