/*
 * Upstreams of several sources: which servers hold, what the command line may
 * say, and where each value comes from.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf_fixture.h"

#define BASE "upstream api { keepalive = 1 server 'h:1' { weight = 2 }\nserver 'h:2' { } }\n"

#define H1 "upstream \"api\": server \"h:1\""
#define H2 "upstream \"api\": server \"h:2\""
#define H3 "upstream \"api\": server \"h:3\""

static void names_sections_and_origins(void **state)
{
    static const struct conf_row rows[] = {
        {.base = BASE "upstream b.c { server 'unix:/s' { }\ncheck { rise = 7 } }",
         .lines = {"upstream \"api\" {  # @/a.conf:1",
                   "upstream \"api\": keepalive = \"1\"  # @/a.conf:1", H2 " {  # @/a.conf:2",
                   H1 ": weight = \"2\"  # @/a.conf:1",
                   "upstream \"b.c\": server \"unix:/s\" {  # @/a.conf:3",
                   "upstream \"b.c\": check: rise = \"7\"  # @/a.conf:4",
                   "upstream \"b.c\": check: fall = \"3\"  # built-in"}},
        {.base = "include(other.conf)\n" BASE,
         .other = "upstream b { server 'h:1' { down = no } }",
         .lines = {"upstream \"b\": server \"h:1\": down = \"no\"  # @/other.conf:1",
                   H1 ": weight = \"2\"  # @/a.conf:2"}},
    };

    (void)state;
    RUN_ROWS(rows);
}

static void lets_overlays_replace_servers(void **state)
{
    static const struct conf_row rows[] = {
        /* An overlay that names no server leaves them. */
        {.base = BASE,
         .overlay = "upstream api { keepalive = 3 check { fall = 9 } }",
         .lines = {"upstream \"api\": keepalive = \"3\"  # @/over.conf:1",
                   "upstream \"api\": check: fall = \"9\"  # @/over.conf:1", H1 " {  # @/a.conf:1",
                   H2 " {  # @/a.conf:2", H1 ": weight = \"2\"  # @/a.conf:1"}},
        /* One that names any replaces all; a server of the same title keeps its values. */
        {.base = BASE,
         .overlay = "upstream api { server 'h:3' { } server 'h:1' { max_fails = 8 } }",
         .lines = {H3 " {  # @/over.conf:1", H1 " {  # @/over.conf:1",
                   H1 ": weight = \"2\"  # @/a.conf:1", H1 ": max_fails = \"8\"  # @/over.conf:1",
                   "!" H2 " {  # @/a.conf:2", "upstream \"api\": keepalive = \"1\"  # @/a.conf:1"}},
        /* Servers of one upstream are none of another, and upstreams stay. */
        {.base = BASE,
         .overlay = "upstream b { server 'h:2' { } }",
         .lines = {H1 " {  # @/a.conf:1", H2 " {  # @/a.conf:2",
                   "upstream \"b\": server \"h:2\" {  # @/over.conf:1"}},
        /* What is replaced must make sense all the same. */
        {.base = "upstream api { server nowhere { } }",
         .overlay = "upstream api { server 'h:1' { } }",
         .error = "@/a.conf:1: upstream \"api\": server \"nowhere\": it is not ADDR:PORT, "
                  "[IPv6]:PORT, unix:/path or NAME:PORT"},
        {.base = "upstream api { server 'h:1' {\nweight = x } }",
         .overlay = "upstream api { server 'h:2' { } }",
         .error = "@/a.conf:2: " H1 ": weight: 'x' is not a whole number from 1 to 65535"},
        {.base = BASE,
         .overlay = "upstream api { server 'h:3' { }\nserver 'h:3' { } }",
         .error = "@/over.conf:2: " H3 " stands at @/over.conf:1 already"},
    };

    (void)state;
    RUN_ROWS(rows);
}

static void obeys_the_command_line(void **state)
{
    static const struct conf_row rows[] = {
        {.base = BASE,
         .words = {"-o", "upstream.api.keepalive=8", "-o", "upstream.api.check.path=/h"},
         .lines = {"upstream \"api\": keepalive = \"8\"  # -o",
                   "upstream \"api\": check: path = \"/h\"  # -o"}},
        {.base = BASE,
         .words = {"-o", "upstream.api.next_upstream=error, http_502", "-o",
                   "upstream.api.check.status=204"},
         .lines = {"upstream \"api\": next_upstream = { \"error\", \"http_502\" }  # -o",
                   "upstream \"api\": check: status = \"204\"  # -o"}},
        {.base = BASE,
         .words = {"-o", "upstream.api.server.h:1.weight=8"},
         .lines = {H1 ": weight = \"8\"  # -o", H1 " {  # @/a.conf:1", H2 " {  # @/a.conf:2"}},
        {.base = "upstream a.b { server 'unix:/x.check' { } server '[::1]:1' { } }",
         .words = {"-o", "upstream.a.b.server.unix:/x.check.weight=8", "-o",
                   "upstream.a.b.server.[::1]:1.backup=yes", "-o", "upstream.a.b.check.rise=4"},
         .lines = {"upstream \"a.b\": server \"unix:/x.check\": weight = \"8\"  # -o",
                   "upstream \"a.b\": server \"[::1]:1\": backup = \"yes\"  # -o",
                   "upstream \"a.b\": check: rise = \"4\"  # -o"}},
        /* The names of servers come first, wherever they stand. */
        {.base = BASE,
         .words = {"-o", "upstream.api.server.h:3.weight=8", "-o", "upstream.api.server=h:1,h:3"},
         .lines = {H1 " {  # -o", H1 ": weight = \"2\"  # @/a.conf:1", H3 " {  # -o",
                   H3 ": weight = \"8\"  # -o", "!" H2 " {  # @/a.conf:2"}},
        {.words = {"-o", "upstream.new.server=h:1", "-o", "upstream.new.server=h:2", "-o",
                   "upstream.new.keepalive=0"},
         .lines = {"upstream \"new\" {  # -o", "upstream \"new\": server \"h:1\" {  # -o",
                   "upstream \"new\": server \"h:2\" {  # -o",
                   "upstream \"new\": keepalive = \"0\"  # -o"}},
    };

    (void)state;
    RUN_ROWS(rows);
}

#define REFUSED(option, what)                                       \
    {                                                               \
        .base = BASE, .words = {"-o", option}, .error = "-o: " what \
    }

static void refuses_from_the_command_line(void **state)
{
    static const struct conf_row rows[] = {
        REFUSED("upstream.apj.keepalive=8", "there is no upstream \"apj\""),
        REFUSED("upstream.apj.check.rise=8", "there is no upstream \"apj\""),
        REFUSED("upstream.apj.server.h:1.weight=8",
                "there is no server \"h:1\" in upstream \"apj\""),
        REFUSED("upstream.api.server.h:9.weight=8",
                "there is no server \"h:9\" in upstream \"api\""),
        REFUSED("upstream.api.server=", "there is no server in ''"),
        REFUSED("upstream.api.server=x", "upstream \"api\": server \"x\": it is not ADDR:PORT, "
                                         "[IPv6]:PORT, unix:/path or NAME:PORT"),
        REFUSED("upstream.api.server=h:1,h:1",
                "upstream \"api\": server \"h:1\": \"h:1\" at -o is the same server"),
        REFUSED("upstream.api.wrong=8", "unknown key 'wrong' in section upstream"),
        REFUSED("upstream.api.check.wrong=8", "unknown key 'wrong' in section check"),
        REFUSED("upstream.api.server.h:1.wrong=8", "unknown key 'wrong' in section server"),
        REFUSED("upstream.keepalive=8",
                "section upstream needs a title: upstream.TITLE.keepalive=VALUE"),
        REFUSED("server.x.weight=1",
                "section server stands in a section upstream: upstream.TITLE.server..."),
        REFUSED("check.rise=1",
                "section check stands in a section upstream: upstream.TITLE.check..."),
        REFUSED("upstream.api.keepalive=x",
                "upstream \"api\": keepalive: 'x' is not a whole number from 0 to 65535"),
        REFUSED("upstream.a b.server=h:1",
                "upstream \"a b\": a title has 1 to 64 letters, digits, '_', '.' and '-'"),
    };

    (void)state;
    RUN_ROWS(rows);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
    static const struct CMUnitTest tests[] = {
        TEST(names_sections_and_origins),
        TEST(lets_overlays_replace_servers),
        TEST(obeys_the_command_line),
        TEST(refuses_from_the_command_line),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
