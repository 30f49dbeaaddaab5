/*
 * Which header fields are not passed on.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/hop_by_hop.h"

enum { LISTS_MAX = 3 };

static size_t make_lists(const char *const *texts, struct slice lists[LISTS_MAX])
{
    size_t n = 0;

    for (; n < LISTS_MAX && texts[n]; n++)
        lists[n] = (struct slice){.at = texts[n], .len = strlen(texts[n])};
    return n;
}

static void knows_what_stays(void **state)
{
    static const struct {
        const char *name;
        const char *connections[LISTS_MAX];
        bool stays;
    } rows[] = {
        {"Connection", {NULL}, true},
        {"CONNECTION", {NULL}, true},
        {"Keep-Alive", {NULL}, true},
        {"Proxy-Connection", {NULL}, true},
        {"Proxy-Authenticate", {NULL}, true},
        {"Proxy-Authorization", {NULL}, true},
        {"TE", {NULL}, true},
        {"te", {"close"}, true},
        {"Transfer-Encoding", {NULL}, true},
        {"Upgrade", {NULL}, true},
        {"HTTP2-Settings", {NULL}, true},
        {"Trailer", {NULL}, false},
        {"Trailer", {"trailer"}, true},
        {"Trailers", {"trailer"}, false},
        {"Host", {NULL}, false},
        {"Host", {"close"}, false},
        {"Content-Length", {"keep-alive, TE"}, false},
        {"Authorization", {NULL}, false},
        {"WWW-Authenticate", {NULL}, false},
        {"Connections", {NULL}, false},
        {"Upgrade-Insecure-Requests", {"upgrade"}, false},
        {"X-Upgrade", {"upgrade"}, false},
        {"Transfer_Encoding", {NULL}, false},
        {"X-A", {"X-A"}, true},
        {"x-a", {"X-A"}, true},
        {"X-A", {"x-a"}, true},
        {"X-A", {"close, X-A"}, true},
        {"X-A", {"close ,\tX-A\t,"}, true},
        {"X-A", {",,X-A"}, true},
        {"X-A", {"close", "", "x-A"}, true},
        {"X-A", {"X-A", "close"}, true},
        {"X-A", {"X-AB, X-, AX-A"}, false},
        {"X-A", {"X-A B"}, false},
        {"X-A", {""}, false},
        {"X-A", {",,"}, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slice name = {.at = rows[i].name, .len = strlen(rows[i].name)};
        struct slice lists[LISTS_MAX];
        size_t n = make_lists(rows[i].connections, lists);

        if (hop_by_hop(&name, lists, n) != rows[i].stays)
            fail_msg("row %zu: %s", i, rows[i].name);
    }
}

static void finds_what_lists_name(void **state)
{
    static const struct {
        const char *lists[LISTS_MAX];
        const char *lower;
        bool is_there;
    } rows[] = {
        {{"Upgrade"}, "upgrade", true},
        {{"keep-alive, UPGRADE"}, "upgrade", true},
        {{"keep-alive", "upgrade"}, "upgrade", true},
        {{"trailers"}, "trailers", true},
        {{"deflate;q=0.5, trailers"}, "trailers", true},
        {{"trailers;q=1"}, "trailers", false},
        {{"trailer"}, "trailers", false},
        {{""}, "trailers", false},
        {{NULL}, "trailers", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slice lists[LISTS_MAX];
        size_t n = make_lists(rows[i].lists, lists);

        if (hop_by_hop_names(lists, n, rows[i].lower) != rows[i].is_there)
            fail_msg("row %zu: %s", i, rows[i].lower);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_what_stays),
        cmocka_unit_test(finds_what_lists_name),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
