/*
 * The status and the events as people see them, whatever the server sends.
 */
#include "config.h"

#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "zombiectl/view_event.h"
#include "zombiectl/view_status.h"

#define WHOLE                                                                               \
    "{\"version\":\"0.1.0\",\"instance\":\"6f1f\",\"pid\":9,\"hostname\":\"h\","            \
    "\"state\":\"degraded\",\"uptime_ms\":273600000,\"generation\":2,\"upgrades\":1,"       \
    "\"workers\":2,\"chaos\":true,\"listeners\":[\"http://a:1\",\"unix:/x\"],"              \
    "\"admin\":\"http://a:2\",\"master\":{\"cpu_percent\":0.12,\"pss_bytes\":2097152},"     \
    "\"totals\":{\"requests\":12345,\"requests_per_second\":1.5,\"connections\":3,"         \
    "\"accepted\":7,\"received_bytes\":1024,\"sent_bytes\":10,\"respawns\":1,\"deaths\":7," \
    "\"retired\":5},"                                                                       \
    "\"processes\":["                                                                       \
    "{\"role\":\"worker\",\"slot\":1,\"worker\":5,\"pid\":10,\"state\":\"serving\","        \
    "\"uptime_ms\":5000,\"respawns\":2,\"requests\":1200,\"requests_per_second\":1,"        \
    "\"connections\":3,\"cpu_percent\":1.25,\"pss_bytes\":1048576,"                         \
    "\"request\":{\"method\":\"GET\",\"path\":\"/\\u001b[2J\",\"elapsed_ms\":3},"           \
    "\"last_death\":{\"cause\":\"killed by SIGKILL\",\"ago_ms\":7000}},"                    \
    "{\"role\":\"worker\",\"slot\":1,\"worker\":6,\"pid\":11,\"state\":\"serving\","        \
    "\"candidate\":true},"                                                                  \
    "{\"role\":\"worker\",\"slot\":1,\"worker\":4,\"pid\":12,\"state\":\"draining\","       \
    "\"leaving\":true},"                                                                    \
    "{\"role\":\"worker\",\"slot\":2,\"worker\":null,\"pid\":null,\"state\":\"backoff\"},"  \
    "{\"role\":\"admin\",\"slot\":null,\"worker\":3,\"pid\":13,\"state\":\"serving\"}]}"

static const char whole_view[] =
    "zombie-server 0.1.0 on h, pid 9: degraded, up 3d4h\n"
    "instance 6f1f; 1 of 2 workers serve\n"
    "generation 2, upgrades 1; 2 deaths, 1 respawn, 5 retired; master CPU 0.1 %, PSS 2.0M; "
    "chaos is on\n"
    "requests 12.3k, 1.5 a second; connections 3, 7 accepted; received 1.0K, sent 10\n"
    "listens on http://a:1, unix:/x; admin at http://a:2\n"
    "\n"
    "SLOT  WORKER  PID  STATE          UPTIME  RESPAWNS  REQS  REQ/S  CONN  CPU%   PSS  "
    "LAST DEATH                 REQUEST\n"
    "   1       5   10  serving            5s         2  1.2k    1.0     3   1.2  1.0M  "
    "killed by SIGKILL, 7s ago  3ms GET /\\x1b[2J\n"
    "   1       6   11  serving, next       -         -     -      -     -     -     -  -\n"
    "   1       4   12  draining, old       -         -     -      -     -     -     -  -\n"
    "   2       -    -  backoff             -         -     -      -     -     -     -  -\n"
    "   -   admin   13  serving             -         -     -      -     -     -     -  -\n";

/* The same on 80 columns: nothing is lost but three figures. */
static const char narrow_view[] =
    "zombie-server 0.1.0 on h, pid 9: degraded, up 3d4h\n"
    "instance 6f1f; 1 of 2 workers serve\n"
    "generation 2, upgrades 1; 2 deaths, 1 respawn, 5 retired;\n"
    "  master CPU 0.1 %, PSS 2.0M; chaos is on\n"
    "requests 12.3k, 1.5 a second; connections 3, 7 accepted; received 1.0K, sent 10\n"
    "listens on http://a:1, unix:/x; admin at http://a:2\n"
    "\n"
    "SLOT WORKER PID STATE         UPTIME RESPAWNS REQ/S CONN CPU%  PSS LAST DEATH\n"
    "   1      5  10 serving           5s        2   1.0    3  1.2 1.0M SIGKILL 7s\n"
    "     REQUEST 3ms GET /\\x1b[2J\n"
    "   1      6  11 serving, next      -        -     -    -    -    - -\n"
    "   1      4  12 draining, old      -        -     -    -    -    - -\n"
    "   2      -   - backoff            -        -     -    -    -    - -\n"
    "   -  admin  13 serving            -        -     -    -    -    - -\n";

static void draw(const char *text, size_t width, bool colour, struct bytes *ret_out)
{
    json_t *status = json_loads(text, 0, NULL);

    assert_non_null(status);
    view_status_draw(ret_out, status, width, colour);
    assert_false(ret_out->failed);
    json_decref(status);
}

static void shows_the_whole_status(void **state)
{
    struct bytes out = {0};

    (void)state;
    draw(WHOLE, 0, false, &out);
    assert_string_equal(out.at, whole_view);
    bytes_free(&out);
}

static void shows_it_on_80_columns(void **state)
{
    struct bytes out = {0};

    (void)state;
    draw(WHOLE, 80, false, &out);
    assert_string_equal(out.at, narrow_view);
    bytes_free(&out);
}

static void shortens_causes_where_room_is_short(void **state)
{
    static const struct {
        const char *cause;
        const char *kind;
        int ago_ms;
        const char *shown;
    } rows[] = {
        {"killed by SIGSEGV", "signal", 2999, "SIGSEGV 2s\n"},
        {"killed by SIGSEGV, core dumped", "signal", 0, "SIGSEGV 0s\n"},
        {"killed by SIGKILL, out of memory", "oom", 3600000, "OOM 1h\n"},
        {"exited with status 1", "exit", 185000, "exit 1 3m\n"},
        {"it hangs", "hang", 5000, "hang 5s\n"},
        {"something new", "new", 172800000, "something new 2d\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bytes out = {0};
        char text[160];

        (void)snprintf(text, sizeof(text),
                       "{\"processes\":[{\"last_death\":{\"cause\":\"%s\",\"kind\":\"%s\","
                       "\"ago_ms\":%d}}]}",
                       rows[i].cause, rows[i].kind, rows[i].ago_ms);
        draw(text, 72, false, &out);
        assert_non_null(strstr(out.at, rows[i].shown));
        bytes_free(&out);
    }
}

static void shows_the_registration(void **state)
{
#define REGISTRY(members) \
    "{\"registry\":{\"type\":\"etcd\",\"url\":\"http://h:2379\",\"id\":\"h:app:1\"," members "}}"
    static const char *const rows[][2] = {
        {REGISTRY("\"state\":\"registered\",\"status\":\"UP\""),
         "registry etcd http://h:2379: UP as h:app:1\n"},
        {REGISTRY("\"state\":\"registered\",\"status\":\"DOWN\",\"error\":null"),
         "registry etcd http://h:2379: DOWN as h:app:1\n"},
        {REGISTRY("\"state\":\"retrying\",\"status\":\"UP\",\"error\":\"no\\u001b\","
                  "\"retry_in_ms\":2500"),
         "registry etcd http://h:2379: retrying as h:app:1; no\\x1b, again in 2s\n"},
        {REGISTRY("\"state\":\"off\",\"status\":null"),
         "registry etcd http://h:2379: looks up only\n"},
        {REGISTRY("\"state\":\"off\",\"status\":null,\"error\":\"no\""),
         "registry etcd http://h:2379: looks up only; no\n"},
        {"{\"registry\":{}}", "registry ? -: ? as ?\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bytes out = {0};

        draw(rows[i][0], 0, false, &out);
        if (strstr(out.at, rows[i][1]) == NULL)
            fail_msg("%s, and not %s", out.at, rows[i][1]);
        bytes_free(&out);
    }
}

/* What an operator must not overlook, and what the lines say without it. */
static void the_head_says_what_is_wrong(void **state)
{
#define SINCE "\"started\":\"2026-11-21T10:00:00.500Z\",\"uptime_ms\":300000,"
#define WHEN  "\"time\":\"2026-11-21T10:02:59.400Z\""
    static const struct {
        const char *status;
        size_t width;
        const char *shown;
        const char *not_shown;
    } rows[] = {
        {"{" SINCE "\"last_reload\":{\"ok\":false,\"text\":\"no\\nport\"," WHEN "}}", 0,
         "\nthe last reload failed 2m ago: no\\nport\ngeneration", "paused"},
        {"{" SINCE "\"last_reload\":{\"ok\":false,\"text\":\"cannot listen on 127.0.0.1:80: "
         "Address already in use\"," WHEN "}}",
         60,
         "\nthe last reload failed 2m ago:\n"
         "  cannot listen on 127.0.0.1:80: Address already in use\n",
         "paused"},
        {"{\"last_reload\":{\"ok\":false,\"time\":7}}", 0, "\nthe last reload failed: ?\n", "ago"},
        {"{" SINCE "\"last_reload\":{\"ok\":true,\"text\":\"t\"," WHEN "}}", 0, "\n", "reload"},
        {"{\"last_reload\":null}", 0, "\n", "reload"},
        {"{\"state\":\"paused\",\"workers\":0}", 80,
         "; 0 of 0 workers serve\npaused; `zombiectl reload` or `zombiectl scale N` ends it\n",
         "failed"},
        {"{\"totals\":{\"deaths\":1,\"respawns\":2}}", 0, "; 1 death, 2 respawns;", "retired"},
        {"{\"totals\":{\"deaths\":1200,\"respawns\":0,\"retired\":1200}}", 0,
         "; 0 deaths, 0 respawns, 1.2k retired;", "chaos"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bytes out = {0};

        draw(rows[i].status, rows[i].width, false, &out);
        assert_non_null(strstr(out.at, rows[i].shown));
        assert_null(strstr(out.at, rows[i].not_shown));
        bytes_free(&out);
    }
}

static void colours_change_nothing_but_colours(void **state)
{
    struct bytes out = {0};
    char plain[sizeof(whole_view)];
    size_t n = 0;

    (void)state;
    draw(WHOLE, 0, true, &out);
    assert_non_null(strstr(out.at, "\033[31mdegraded\033[0m"));
    assert_non_null(strstr(out.at, "\033[32mserving\033[0m"));
    for (const char *at = out.at; *at != '\0'; at++) {
        if (*at == '\033')
            at = strchr(at, 'm');
        else if (n < sizeof(plain))
            plain[n++] = *at;
    }
    assert_int_equal(n, sizeof(whole_view) - 1);
    assert_memory_equal(plain, whole_view, n);
    bytes_free(&out);
}

static void paints_deaths_by_their_kind(void **state)
{
    static const struct {
        const char *kind;
        const char *painted;
    } rows[] = {
        {"retired", "\033[2mX, 1s ago\033[0m"}, {"left", "\033[2mX, 1s ago\033[0m"},
        {"chaos", "\033[33mX, 1s ago\033[0m"},  {"signal", "\033[31mX, 1s ago\033[0m"},
        {"oom", "\033[31mX, 1s ago\033[0m"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bytes out = {0};
        char text[160];

        (void)snprintf(text, sizeof(text),
                       "{\"processes\":[{\"last_death\":{\"cause\":\"X\",\"kind\":\"%s\","
                       "\"ago_ms\":1000}}]}",
                       rows[i].kind);
        draw(text, 0, true, &out);
        assert_non_null(strstr(out.at, rows[i].painted));
        bytes_free(&out);
    }
}

static void no_line_is_wider_than_the_terminal(void **state)
{
    (void)state;
    for (size_t width = 1; width < 140; width++) {
        struct bytes out = {0};

        draw(WHOLE, width, false, &out);
        for (char *line = strtok(out.at, "\n"); line != NULL; line = strtok(NULL, "\n"))
            assert_true(strlen(line) <= width);
        bytes_free(&out);
    }
}

/* Members that are missing, null or of another type. */
static void takes_anything(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "{\"processes\":7}",
        "{\"processes\":[7,null,[],\"x\",{}]}",
        "{\"processes\":[{\"role\":1,\"slot\":\"x\",\"state\":null,\"request\":[],"
        "\"last_death\":\"x\",\"requests\":-5,\"pss_bytes\":-5,\"uptime_ms\":-5,"
        "\"cpu_percent\":-1e300}]}",
        "{\"listeners\":[1,null],\"totals\":[],\"master\":3,\"version\":{},\"workers\":\"2\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct bytes out = {0};

        draw(texts[i], 0, false, &out);
        assert_ptr_equal(strstr(out.at, "zombie-server "), out.at);
        assert_non_null(strstr(out.at, "\nSLOT"));
        bytes_free(&out);
    }
}

static void shows_events(void **state)
{
    static const struct {
        const char *event;
        bool colour;
        const char *line;
    } rows[] = {
        {"{\"seq\":1,\"time\":\"2026-11-21T10:00:00.123Z\",\"event\":\"death\",\"worker\":3,"
         "\"slot\":1,\"role\":\"worker\",\"pid\":77,\"text\":\"killed\\nby\\u001b[2J\"}",
         false,
         "2026-11-21T10:00:00.123Z  death           worker 3, slot 1, pid 77          "
         "killed\\nby\\x1b[2J\n"},
        {"{\"time\":\"2026-11-21T10:00:00.123Z\",\"event\":\"ready\",\"worker\":3,\"slot\":null,"
         "\"role\":\"admin\",\"pid\":77,\"text\":\"t\"}",
         true,
         "\033[2m2026-11-21T10:00:00.123Z\033[0m  \033[32mready\033[0m           "
         "admin 3, pid 77                   t\n"},
        {"{\"time\":\"2026-11-21T10:00:00.123Z\",\"event\":\"reload\",\"worker\":null,"
         "\"slot\":null,\"pid\":null,\"text\":\"by SIGHUP\"}",
         false,
         "2026-11-21T10:00:00.123Z  reload                                            "
         "by SIGHUP\n"},
        {"{\"event\":\"a-kind-that-is-longer-than-its-column\",\"text\":\"t\"}", false,
         "?                         a-kind-that-is-longer-than-its-column             t\n"},
        {"{}", false, "?                         ?               \n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bytes out = {0};
        json_t *event = json_loads(rows[i].event, 0, NULL);

        assert_non_null(event);
        view_event_draw(&out, event, rows[i].colour);
        assert_string_equal(out.at, rows[i].line);
        json_decref(event);
        bytes_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_the_whole_status),
        cmocka_unit_test(shows_it_on_80_columns),
        cmocka_unit_test(shows_the_registration),
        cmocka_unit_test(shortens_causes_where_room_is_short),
        cmocka_unit_test(the_head_says_what_is_wrong),
        cmocka_unit_test(colours_change_nothing_but_colours),
        cmocka_unit_test(paints_deaths_by_their_kind),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
        cmocka_unit_test(takes_anything),
        cmocka_unit_test(shows_events),
    };

    (void)setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
