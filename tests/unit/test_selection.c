/* Which member a client shall use, and what a member may be. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "discovery/member.h"
#include "discovery/selection.h"

#define N    5
#define KEYS 20000

/* "a*3" has weight 3, "a-" is down. */
static size_t make(const char *const *texts, struct member *members)
{
    size_t n = 0;
    for (; texts[n] != NULL; n++) {
        member_init(&members[n]);
        assert_true(member_set_id(&members[n], texts[n], 1));
        members[n].is_down = texts[n][1] == '-';
        if (texts[n][1] == '*')
            members[n].weight = (uint32_t)(texts[n][2] - '0');
    }
    return n;
}

static void turns_go_round_by_weight(void **state)
{
    static const struct {
        const char *members[N];
        const char *wanted;
    } cases[] = {
        {{"a", "b", "c"}, "abcabca"},    {{"a*2", "b"}, "aabaaba"}, {{"a", "b-", "c"}, "acacaca"},
        {{"a-", "b*3", "c"}, "bbbcbbb"}, {{"a"}, "aaaaaaa"},        {{NULL}, "......."},
        {{"a-", "b-"}, "......."},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct member members[N];
        size_t n = make(cases[i].members, members);
        char chosen[8] = "";
        for (uint64_t turn = 0; turn < 7; turn++) {
            size_t index = selection_round_robin(members, n, turn);
            chosen[turn] = index < n ? members[index].id[0] : '.';
        }
        assert_string_equal(chosen, cases[i].wanted);
    }
}

static void dice_choose_by_weight(void **state)
{
    static const char *const texts[] = {"a*2", "b-", "c", "d", NULL};
    struct member members[N];
    size_t n = make(texts, members);
    (void)state;
    assert_int_equal(selection_random(members, n, 0), 0);
    assert_int_equal(selection_random(members, n, 0.4999), 0);
    assert_int_equal(selection_random(members, n, 0.5), 2);
    assert_int_equal(selection_random(members, n, 0.75), 3);
    assert_int_equal(selection_random(members, n, 0.9999999), 3);
    assert_int_equal(selection_random(members, 0, 0.5), 0);
}

static size_t stick(const struct member *members, size_t n, int key)
{
    char text[32];
    int len = snprintf(text, sizeof text, "client-%d", key);
    return selection_sticky(members, n, text, (size_t)len);
}

static void keys_stick_and_spread_by_weight(void **state)
{
    static const char *const texts[] = {"a", "b", "c*3", "d-", NULL};
    struct member members[N];
    size_t n = make(texts, members), counts[N] = {0};
    (void)state;
    for (int key = 0; key < KEYS; key++) {
        size_t index = stick(members, n, key);
        assert_int_equal(stick(members, n, key), index);
        counts[index]++;
    }
    /* 4,000, 4,000 and 12,000 are to be expected; the standard deviation is under 70. */
    assert_in_range(counts[0], 3600, 4400);
    assert_in_range(counts[1], 3600, 4400);
    assert_in_range(counts[2], 11600, 12400);
    assert_int_equal(counts[3], 0);
    assert_int_equal(selection_sticky(members, 0, "k", 1), 0);
}

/* Only the keys of who goes are moved. */
static void others_keep_theirs_when_one_goes(void **state)
{
    static const char *const texts[] = {"a", "b", "c", "d", NULL};
    struct member members[N];
    size_t n = make(texts, members), moved = 0;
    (void)state;
    for (int key = 0; key < KEYS; key++) {
        members[1].is_down = 0;
        size_t before = stick(members, n, key);
        members[1].is_down = 1;
        size_t after = stick(members, n, key);
        if (before != 1)
            assert_int_equal(after, before);
        moved += before != after;
    }
    assert_in_range(moved, KEYS / 4 - 400, KEYS / 4 + 400);
}

static void selections_have_names(void **state)
{
    enum selection selection = SELECTIONS;
    (void)state;
    for (int i = 0; i < SELECTIONS; i++) {
        assert_int_equal(selection_find(selection_name((enum selection)i), &selection), 0);
        assert_int_equal(selection, i);
    }
    assert_int_not_equal(selection_find("fair", &selection), 0);
}

static void texts_of_members_are_judged(void **state)
{
    static const struct {
        const char *text;
        bool is_id, is_host;
    } cases[] = {
        {"a", true, true},           {"", false, false},
        {"10.0.0.1", true, true},    {"fe80::1", true, true},
        {"a.b-c_d", true, true},     {"a b", true, false},
        {"a\nb", false, false},      {"a\x7f", false, false},
        {"gr\xc3\xbc", true, false}, {"gr\xc3", false, false},
        {"a/b", true, false},        {"[::1]", true, false},
        {"a:app:3000", true, true},  {"\xed\xa0\x80", false, false},
    };
    struct member member;
    char longest[MEMBER_HOST_SIZE + 1];
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t len = strlen(cases[i].text);
        assert_int_equal(member_set_id(&member, cases[i].text, len), cases[i].is_id);
        assert_int_equal(member_set_host(&member, cases[i].text, len), cases[i].is_host);
    }
    assert_false(member_set_host(&member, "a\0b", 3));
    memset(longest, 'a', sizeof longest);
    assert_true(member_set_host(&member, longest, MEMBER_HOST_SIZE - 1));
    assert_false(member_set_host(&member, longest, MEMBER_HOST_SIZE));
    assert_true(member_set_id(&member, longest, MEMBER_ID_SIZE - 1));
    assert_false(member_set_id(&member, longest, MEMBER_ID_SIZE));
}

static void lists_are_sorted_and_compared(void **state)
{
    static const char *const texts[] = {"c", "a", "b", "a", NULL};
    struct member members[N], same[N];
    size_t n = make(texts, members);
    (void)state;
    members[1].port = 1;
    members[3].port = 1;
    n = members_sort(members, n);
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(members[i].id[0], "abc"[i]);
    memcpy(same, members, sizeof same);
    assert_true(members_equal(members, n, same, n));
    assert_false(members_equal(members, n, same, n - 1));
    same[2].is_down = 1;
    assert_false(members_equal(members, n, same, n));
    assert_true(members_equal(NULL, 0, members, 0));
    assert_int_equal(members_sort(members, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns_go_round_by_weight),
        cmocka_unit_test(dice_choose_by_weight),
        cmocka_unit_test(keys_stick_and_spread_by_weight),
        cmocka_unit_test(others_keep_theirs_when_one_goes),
        cmocka_unit_test(selections_have_names),
        cmocka_unit_test(texts_of_members_are_judged),
        cmocka_unit_test(lists_are_sorted_and_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
