/* Questions about services: what is chosen, in which order, and what becomes of garbage. */
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

#include "control/inquiry.h"
#include "discovery/directory.h"

static struct directory *directory;

static int set_up(void **state)
{
    static const char *const names[] = {"api", "empty"};
    struct member members[3];

    (void)state;
    assert_int_equal(directory_new(&directory), 0);
    directory_give(directory, getpid());
    directory_set_services(directory, names, 2);
    for (unsigned i = 0; i < 3; i++) {
        char id[] = {(char)('a' + i), '\0'};

        member_init(&members[i]);
        assert_true(member_set_id(&members[i], id, 1));
        assert_true(member_set_host(&members[i], "h", 1));
        members[i].port = 80 + i;
        members[i].is_down = i == 2;
    }
    directory_set_members(directory, "api", members, 3, DIRECTORY_CURRENT);
    directory_set_members(directory, "empty", members, 0, DIRECTORY_CURRENT);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    directory_free(directory);
    return 0;
}

/* The id of the member that is chosen; the caller knows that there is one. */
static char choose(const char *how, const char *key)
{
    const struct inquiry inquiry = {"api", how, key};
    char why[INQUIRY_WHY_SIZE];
    json_t *json = NULL;
    char id;

    assert_int_equal(inquiry_answer(directory, &inquiry, &json, why), INQUIRY_ANSWERED);
    assert_string_equal(json_string_value(json_object_get(json, "origin")), "current");
    id = json_string_value(json_object_get(json_object_get(json, "member"), "id"))[0];
    json_decref(json);
    return id;
}

static void turns_go_on(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(choose("round_robin", ""), i % 2 == 0 ? 'a' : 'b');
}

static void lots_and_keys_leave_out_who_is_down(void **state)
{
    char first = choose("sticky", "somebody");
    int seen[3] = {0};

    (void)state;
    for (int i = 0; i < 200; i++) {
        char key[16];

        seen[choose("random", "") - 'a']++;
        (void)snprintf(key, sizeof(key), "%d", i);
        assert_int_not_equal(choose("sticky", key), 'c');
        assert_int_equal(choose("sticky", "somebody"), first);
    }
    assert_true(seen[0] > 0 && seen[1] > 0);
    assert_int_equal(seen[2], 0);
}

static void refuses(void **state)
{
    static const struct {
        struct inquiry inquiry;
        enum inquiry_end end;
        const char *why;
    } rows[] = {
        {{"", "random", ""}, INQUIRY_BAD, "there is no service to choose from"},
        {{"", "", "k"}, INQUIRY_BAD, "there is no service to choose from"},
        {{"api", "Random", ""},
         INQUIRY_BAD,
         "what can be chosen by is round_robin, random or sticky"},
        {{"api", "sticky", ""}, INQUIRY_BAD, "sticky needs a key"},
        {{"api", "random", "k"}, INQUIRY_BAD, "only sticky takes a key"},
        {{"api", "", "k"}, INQUIRY_BAD, "only sticky takes a key"},
        {{"ap", "", ""},
         INQUIRY_UNKNOWN,
         "ap is not looked up: it is not in registry.watch, and no upstream with from_registry"},
        {{"empty", "sticky", "k"}, INQUIRY_NOBODY, "no instance of empty is up"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char why[INQUIRY_WHY_SIZE] = "";
        json_t *json = NULL;

        assert_int_equal(inquiry_answer(directory, &rows[i].inquiry, &json, why), rows[i].end);
        assert_string_equal(why, rows[i].why);
        assert_null(json);
    }
}

static void without_a_registry_nothing_is_known(void **state)
{
    const struct inquiry all = {"", "", ""}, one = {"api", "", ""};
    char why[INQUIRY_WHY_SIZE];
    json_t *json = NULL;

    (void)state;
    assert_int_equal(inquiry_answer(NULL, &all, &json, why), INQUIRY_ANSWERED);
    assert_int_equal(json_array_size(json_object_get(json, "services")), 0);
    json_decref(json);
    assert_int_equal(inquiry_answer(NULL, &one, &json, why), INQUIRY_UNKNOWN);
    assert_string_equal(why, "there is no registry: registry.type is none");
}

static void what_nobody_knows_is_told_apart(void **state)
{
    static const char *const names[] = {"api", "empty", "new"};
    static const struct {
        struct inquiry inquiry;
        bool is_known;
    } rows[] = {
        {{"new", "", ""}, false}, {{"empty", "", ""}, true},          {{"api", "", ""}, true},
        {{"", "", ""}, true},     {{"api", "round_robin", ""}, true},
    };

    (void)state;
    directory_set_services(directory, names, 3);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char why[INQUIRY_WHY_SIZE];
        json_t *json = NULL;

        assert_int_equal(inquiry_answer(directory, &rows[i].inquiry, &json, why), INQUIRY_ANSWERED);
        assert_int_equal(inquiry_is_known(json), rows[i].is_known);
        json_decref(json);
    }
}

/* What a process that was taken over might write is nonsense, and still JSON. */
static void bytes_that_are_no_text_become_text(void **state)
{
    const struct inquiry inquiry = {"api", "", ""};
    char why[INQUIRY_WHY_SIZE];
    struct member member;
    json_t *json = NULL;
    char *dumped;

    (void)state;
    memset(&member, 0xff, sizeof(member));
    directory_set_members(directory, "api", &member, 1, (enum directory_origin)77);
    assert_int_equal(inquiry_answer(directory, &inquiry, &json, why), INQUIRY_ANSWERED);
    dumped = json_dumps(json, 0);
    assert_non_null(dumped);
    assert_non_null(strstr(dumped, "\"origin\": \"unknown\""));
    free(dumped);
    json_decref(json);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(turns_go_on),
        TEST(lots_and_keys_leave_out_who_is_down),
        TEST(refuses),
        TEST(without_a_registry_nothing_is_known),
        TEST(what_nobody_knows_is_told_apart),
        TEST(bytes_that_are_no_text_become_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
