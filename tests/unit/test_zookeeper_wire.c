#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "discovery/driver.h"
#include "discovery/registries/zookeeper_wire.h"

/* --- Paths -------------------------------------------------------------------------------- */

static void paths(void **state)
{
    static const struct {
        const char *root, *prefix, *service, *name, *path; /* NULL: none */
    } cases[] = {
        {"", "/services", "api", NULL, "/services/api"},
        {"", "/services", "api", "10.0.0.5:80", "/services/api/10.0.0.5:80"},
        {"/a/b", "/services/", "api", "x", "/a/b/services/api/x"},
        {"/", "/", "api", "[::1]:80", "/api/[::1]:80"},
        {"/a", "", "api", NULL, "/a/api"},
        {"", "/services", "", NULL, NULL},
        {"", "/services", "a/b", NULL, NULL},
        {"", "/services", "..", NULL, NULL},
        {"", "/services", ".", NULL, NULL},
        {"", "/services", "api", "", NULL},
        {"", "/services", "api", "/", NULL},
        {"", "/services", "api", "..", NULL},
    };
    char path[ZOOKEEPER_PATH_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int r =
            zookeeper_path(cases[i].root, cases[i].prefix, cases[i].service, cases[i].name, path);

        assert_int_equal(r, cases[i].path != NULL ? 0 : -EINVAL);
        if (r == 0)
            assert_string_equal(path, cases[i].path);
    }
}

static void path_too_long(void **state)
{
    char prefix[ZOOKEEPER_PATH_SIZE], path[ZOOKEEPER_PATH_SIZE];

    (void)state;
    (void)snprintf(prefix, sizeof prefix, "/%0*d", (int)sizeof prefix - 2, 1);
    assert_int_equal(zookeeper_path("", prefix, "a", NULL, path), -EINVAL);
    prefix[sizeof prefix - 3] = '\0';
    assert_int_equal(zookeeper_path("", prefix, "a", NULL, path), 0);
    assert_int_equal(strlen(path), sizeof path - 1);
}

static void levels(void **state)
{
    (void)state;
    assert_int_equal(zookeeper_levels("/a"), 1);
    assert_int_equal(zookeeper_levels("/a/bc/d"), 3);
    assert_int_equal(zookeeper_level_len("/a/bc/d", 1), 2);
    assert_int_equal(zookeeper_level_len("/a/bc/d", 2), 5);
    assert_int_equal(zookeeper_level_len("/a/bc/d", 3), 7);
}

/* --- Frames ------------------------------------------------------------------------------- */

#define ZEROES_8    "\0\0\0\0\0\0\0\0"
#define STAT        ZEROES_8 ZEROES_8 ZEROES_8 ZEROES_8 ZEROES_8 ZEROES_8 ZEROES_8 ZEROES_8 "\0\0\0\0"
#define ZXID        ZEROES_8
#define OK          "\0\0\0\0"
#define NO_NODE     "\xff\xff\xff\x9b"
#define REPLY       "\0\0\0\7" ZXID OK
#define EVENT       "\xff\xff\xff\xff" ZXID OK
#define PING        "\xff\xff\xff\xfe" ZXID OK
#define AUTH        "\xff\xff\xff\xfc" ZXID OK
#define SET_WATCHES "\xff\xff\xff\xf8" ZXID OK
#define DELETED \
    "\0\0\0\2"  \
    "\0" OK
#define CREATED \
    "\0\0\0\1"  \
    "\0" OK
#define LAST           \
    "\xff\xff\xff\xff" \
    "\1"               \
    "\xff\xff\xff\xff"
#define ERROR          \
    "\xff\xff\xff\xff" \
    "\0" NO_NODE
#define BODY(text) text, sizeof(text) - 1

struct frame_case {
    const char *what;
    const char *body;
    size_t len;
    enum zookeeper_answer answer;
    int result;
};

static const struct frame_case frames[] = {
    {"delete", BODY(REPLY), ZOOKEEPER_VOID, 1},
    {"any error", BODY("\0\0\0\7" ZXID NO_NODE), ZOOKEEPER_STRINGS, 1},
    {"short header", BODY("\0\0\0\7" ZXID "\0\0\0"), ZOOKEEPER_VOID, -EBADMSG},
    {"nobody asked", BODY(REPLY), ZOOKEEPER_NOTHING, -EBADMSG},
    {"nobody asked, error", BODY("\0\0\0\7" ZXID NO_NODE), ZOOKEEPER_NOTHING, -EBADMSG},
    {"no such number", BODY("\xff\xff\xff\xfd" ZXID OK), ZOOKEEPER_VOID, -EBADMSG},
    {"ping", BODY(PING), ZOOKEEPER_NOTHING, 1},
    {"set watches", BODY(SET_WATCHES), ZOOKEEPER_NOTHING, 1},
    {"login", BODY(AUTH), ZOOKEEPER_NOTHING, 1},
    {"event", BODY(EVENT "\0\0\0\4\0\0\0\3\0\0\0\2/a"), ZOOKEEPER_NOTHING, 1},
    {"event among answers", BODY(EVENT "\0\0\0\4\0\0\0\3\0\0\0\2/a"), ZOOKEEPER_DATA, 1},
    {"event, no path", BODY(EVENT "\0\0\0\4\0\0\0\3"), ZOOKEEPER_NOTHING, -EBADMSG},
    {"event, null", BODY(EVENT "\0\0\0\4\0\0\0\3\xff\xff\xff\xff"), ZOOKEEPER_NOTHING, -EBADMSG},
    {"event, cut", BODY(EVENT "\0\0\0\4\0\0\0\3\0\0\0\3/a"), ZOOKEEPER_NOTHING, -EBADMSG},
    {"exists", BODY(REPLY STAT), ZOOKEEPER_STAT, 1},
    {"exists, cut", BODY(REPLY ZEROES_8), ZOOKEEPER_STAT, -EBADMSG},
    {"create", BODY(REPLY "\0\0\0\2/a"), ZOOKEEPER_STRING, 1},
    {"create, null", BODY(REPLY "\xff\xff\xff\xff"), ZOOKEEPER_STRING, -EBADMSG},
    {"create, cut", BODY(REPLY "\0\0\0\3/a"), ZOOKEEPER_STRING, -EBADMSG},
    {"create, none", BODY(REPLY), ZOOKEEPER_STRING, -EBADMSG},
    {"create, huge", BODY(REPLY "\x7f\xff\xff\xff/a"), ZOOKEEPER_STRING, -EBADMSG},
    {"get", BODY(REPLY "\0\0\0\2{}" STAT), ZOOKEEPER_DATA, 1},
    {"get, empty", BODY(REPLY "\0\0\0\0" STAT), ZOOKEEPER_DATA, 1},
    {"get, null", BODY(REPLY "\xff\xff\xff\xff" STAT), ZOOKEEPER_DATA, 1},
    {"get, below null", BODY(REPLY "\xff\xff\xff\xfe" STAT), ZOOKEEPER_DATA, -EBADMSG},
    {"get, cut", BODY(REPLY "\0\0\0\3{}" STAT), ZOOKEEPER_DATA, -EBADMSG},
    {"get, no stat", BODY(REPLY "\0\0\0\2{}"), ZOOKEEPER_DATA, -EBADMSG},
    {"get, nothing", BODY(REPLY), ZOOKEEPER_DATA, -EBADMSG},
    {"children", BODY(REPLY "\0\0\0\2\0\0\0\1a\0\0\0\1b"), ZOOKEEPER_STRINGS, 1},
    {"children, none", BODY(REPLY "\0\0\0\0"), ZOOKEEPER_STRINGS, 1},
    {"children, null", BODY(REPLY "\xff\xff\xff\xff"), ZOOKEEPER_STRINGS, -EBADMSG},
    {"children, too many", BODY(REPLY "\0\0\0\3\0\0\0\1a\0\0\0"), ZOOKEEPER_STRINGS, -EBADMSG},
    {"children, huge", BODY(REPLY "\x7f\xff\xff\xff\0\0\0\1a"), ZOOKEEPER_STRINGS, -EBADMSG},
    {"children, nothing", BODY(REPLY), ZOOKEEPER_STRINGS, -EBADMSG},
    {"replaced", BODY(REPLY DELETED CREATED "\0\0\0\2/a" LAST), ZOOKEEPER_REPLACED, 1},
    {"not replaced", BODY(REPLY ERROR OK ERROR OK LAST), ZOOKEEPER_REPLACED, 1},
    {"replaced, nothing", BODY(REPLY), ZOOKEEPER_REPLACED, -EBADMSG},
    {"replaced, last too soon", BODY(REPLY DELETED LAST CREATED "\0\0\0\2/a"), ZOOKEEPER_REPLACED,
     -EBADMSG},
    {"replaced, half", BODY(REPLY DELETED ERROR OK LAST), ZOOKEEPER_REPLACED, -EBADMSG},
    {"replaced, three", BODY(REPLY DELETED CREATED "\0\0\0\2/a" DELETED), ZOOKEEPER_REPLACED,
     -EBADMSG},
    {"replaced, no path", BODY(REPLY DELETED CREATED LAST), ZOOKEEPER_REPLACED, -EBADMSG},
    {"replaced, long path", BODY(REPLY DELETED CREATED "\0\0\0\xff/a" LAST), ZOOKEEPER_REPLACED,
     -EBADMSG},
    {"not replaced, cut", BODY(REPLY ERROR OK ERROR OK), ZOOKEEPER_REPLACED, -EBADMSG},
};

static size_t put_frame(unsigned char *buf, const struct frame_case *at)
{
    const unsigned char length[] = {0, 0, (unsigned char)(at->len >> 8), (unsigned char)at->len};

    memcpy(buf, length, sizeof length);
    memcpy(buf + sizeof length, at->body, at->len);
    return sizeof length + at->len;
}

/* However much of it has come, the answer is the same in the end, and never more is asked for. */
static void frames_are_judged(void **state)
{
    unsigned char buf[512];

    (void)state;
    for (const struct frame_case *at = frames; at < frames + sizeof frames / sizeof frames[0];
         at++) {
        size_t need = 0, len = put_frame(buf, at), have = 0;
        int r;

        while ((r = zookeeper_judge(buf, have, at->answer, true, &need)) == 0) {
            assert_true(need > have);
            have = need;
            if (have > len)
                fail_msg("%s: %zu of %zu bytes are asked for", at->what, need, len);
        }
        if (r != at->result)
            fail_msg("%s: %d in place of %d", at->what, r, at->result);
        assert_int_equal(zookeeper_judge(buf, len, at->answer, true, &need), at->result);
    }
}

static void lengths_are_judged(void **state)
{
    static const struct {
        unsigned char bytes[4];
        int result;
    } cases[] = {
        {{0, 0, 0, 0}, -EBADMSG},
        {{0, 0, 0, 15}, -EBADMSG},
        {{0, 0, 0, 16}, 0},
        {{0, 0x40, 0, 0}, 0},
        {{0, 0x40, 0, 1}, -EMSGSIZE},
        {{0x7f, 0xff, 0xff, 0xff}, -EMSGSIZE},
        {{0x80, 0, 0, 0}, -EBADMSG},
        {{0xff, 0xff, 0xff, 0xff}, -EBADMSG},
        {{'H', 'T', 'T', 'P'}, -EMSGSIZE},
    };
    size_t need;

    (void)state;
    assert_int_equal(DRIVER_ANSWER_MAX, 0x400000);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(zookeeper_judge(cases[i].bytes, 4, ZOOKEEPER_VOID, true, &need),
                         cases[i].result);
}

static void no_login_no_answer_to_it(void **state)
{
    const struct frame_case auth = {"login", BODY(AUTH), ZOOKEEPER_NOTHING, 1};
    unsigned char buf[64];
    size_t need, len = put_frame(buf, &auth);

    (void)state;
    assert_int_equal(zookeeper_judge(buf, len, ZOOKEEPER_NOTHING, false, &need), -EBADMSG);
}

static void welcomes(void **state)
{
    static const struct {
        const char bytes[21];
        int first, again;
    } cases[] = {
        {"\0\0\0\x25\0\0\0\0\0\0\x0f\xa0\1\2\3\4\5\6\7\x08", 1, 1},
        {"\0\0\0\x24\0\0\0\0\0\0\x0f\xa0\1\2\3\4\5\6\7\x08", 1, 1},
        {"\0\0\0\x25\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", -EBADMSG, 1}, /* has expired */
        {"\0\0\0\x25\0\0\0\0\0\0\0\0\1\2\3\4\5\6\7\x08", -EBADMSG, -EBADMSG},
        {"\0\0\0\x25\0\0\0\0\xff\xff\xff\xff\1\2\3\4\5\6\7\x08", -EBADMSG, -EBADMSG},
        {"\0\0\0\x26\0\0\0\0\0\0\x0f\xa0\1\2\3\4\5\6\7\x08", -EBADMSG, -EBADMSG},
        {"HTTP/1.1 400 Bad Req", -EBADMSG, -EBADMSG},
    };
    size_t need = 0;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const unsigned char *bytes = (const unsigned char *)cases[i].bytes;

        assert_int_equal(zookeeper_judge_welcome(bytes, 19, false, &need), 0);
        assert_int_equal(need, 20);
        assert_int_equal(zookeeper_judge_welcome(bytes, 20, false, &need), cases[i].first);
        assert_int_equal(zookeeper_judge_welcome(bytes, 20, true, &need), cases[i].again);
    }
}

static void bye(void **state)
{
    unsigned char buf[ZOOKEEPER_BYE_SIZE];

    (void)state;
    zookeeper_say_bye(buf);
    assert_memory_equal(buf, "\0\0\0\x08\x7f\xff\xff\xff\xff\xff\xff\xf5", sizeof buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),
        cmocka_unit_test(path_too_long),
        cmocka_unit_test(levels),
        cmocka_unit_test(frames_are_judged),
        cmocka_unit_test(lengths_are_judged),
        cmocka_unit_test(no_login_no_answer_to_it),
        cmocka_unit_test(welcomes),
        cmocka_unit_test(bye),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
