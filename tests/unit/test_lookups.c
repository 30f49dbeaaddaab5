/*
 * What is believed of services: errors and emptiness do not take the last known list away, and a
 * file has it for the next start. Time is injected.
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
#include <unistd.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "discovery/cache.h"
#include "discovery/directory.h"
#include "discovery/lookups.h"

#define NOW 100000

static const struct backoff_rule backoff = {.first_ms = 1000, .max_ms = 30000};

/* What the callbacks have said, as "service:n" in a row. */
static struct {
    struct conf conf;
    struct conf_upstream upstream;
    char *watched[2];
    struct directory *directory;
    struct lookups *lookups;
    char folder[64];
    char cache_file[128];
    char said[256];
} world;

static void on_changed(const char *service, const struct member *members, size_t n, void *arg)
{
    size_t len = strlen(world.said);
    (void)members;
    assert_null(arg);
    snprintf(world.said + len, sizeof world.said - len, " %s:%zu", service, n);
}

static void begin(void)
{
    const struct lookups_settings settings = {.conf = &world.conf,
                                              .directory = world.directory,
                                              .backoff = &backoff,
                                              .changed = on_changed};
    assert_int_equal(lookups_new(&settings, &world.lookups), 0);
    lookups_publish(world.lookups, NOW);
}

static int set_up(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    strcpy(world.folder, "/tmp/lookups-XXXXXX");
    assert_non_null(mkdtemp(world.folder));
    snprintf(world.cache_file, sizeof world.cache_file, "%s/cache", world.folder);
    world.watched[0] = (char *)"b";
    world.watched[1] = (char *)"a";
    world.upstream = (struct conf_upstream){.title = (char *)"a", .from_registry = true};
    world.conf.upstreams = &world.upstream;
    world.conf.n_upstreams = 1;
    world.conf.registry.watch = (struct conf_list){world.watched, 2};
    world.conf.registry.cache_file = (char *)"";
    assert_int_equal(directory_new(&world.directory), 0);
    directory_give(world.directory, getpid());
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lookups_free(world.lookups);
    directory_free(world.directory);
    unlink(world.cache_file);
    rmdir(world.folder);
    return 0;
}

static void find(const char *service, const char *ids, int64_t now_ms)
{
    struct member members[8];
    size_t n = strlen(ids);
    for (size_t i = 0; i < n; i++) {
        member_init(&members[i]);
        members[i].port = 80;
        assert_true(member_set_id(&members[i], &ids[i], 1));
        assert_true(member_set_host(&members[i], "10.0.0.1", 8));
    }
    lookups_found(world.lookups, service, members, n, now_ms);
}

/* The members of a service in the directory, and where they are from: "ab current". */
static void expect(const char *service, const char *wanted)
{
    static struct directory_service known;
    char text[64] = "";
    assert_true(directory_find(world.directory, service, &known));
    for (size_t i = 0; i < known.n; i++)
        strcat(text, known.members[i].id);
    strcat(strcat(text, " "), directory_origin_name(known.origin));
    assert_string_equal(text, wanted);
}

static void expect_said(const char *wanted)
{
    assert_string_equal(world.said, wanted);
    world.said[0] = '\0';
}

static void each_service_is_followed_once(void **state)
{
    (void)state;
    begin();
    assert_int_equal(lookups_count(world.lookups), 2);
    assert_true(lookups_due_ms(world.lookups) <= NOW);
    assert_string_equal(lookups_next(world.lookups, NOW), "a");
    assert_string_equal(lookups_next(world.lookups, NOW), "b");
    assert_null(lookups_next(world.lookups, NOW));
    assert_int_equal(lookups_due_ms(world.lookups), INT64_MAX);
    assert_false(lookups_are_settled(world.lookups));
    find("a", "x", NOW);
    assert_false(lookups_are_settled(world.lookups));
    lookups_lost(world.lookups, "b", "no", 1, NOW);
    assert_true(lookups_are_settled(world.lookups));
    expect("a", "x current");
    expect("b", " unknown");
    expect_said(" a:1");
}

static void changes_are_told_once(void **state)
{
    (void)state;
    begin();
    find("a", "yx", NOW);
    find("a", "xy", NOW);
    find("a", "xyz", NOW);
    expect("a", "xyz current");
    expect_said(" a:2 a:3");
    find("c", "x", NOW);
    expect_said("");
    /* Nobody from the beginning is an answer as well. */
    find("b", "", NOW);
    expect("b", " current");
    expect_said(" b:0");
    assert_int_equal(directory_read_count(world.directory, DIRECTORY_LOOKUPS), 4);
}

static void errors_leave_what_was_known(void **state)
{
    (void)state;
    begin();
    assert_non_null(lookups_next(world.lookups, NOW));
    assert_non_null(lookups_next(world.lookups, NOW));
    find("a", "x", NOW);
    lookups_lost(world.lookups, "a", "no answer", 1, NOW);
    expect("a", "x stale");
    assert_int_equal(lookups_due_ms(world.lookups), NOW + 1000);
    assert_null(lookups_next(world.lookups, NOW + 999));
    assert_string_equal(lookups_next(world.lookups, NOW + 1000), "a");
    lookups_lost(world.lookups, "a", "no answer", 0.5, NOW + 1000);
    assert_int_equal(lookups_due_ms(world.lookups), NOW + 1000 + 1100);
    find("a", "x", NOW + 2000);
    expect("a", "x current");
    expect_said(" a:1");
    lookups_end_session(world.lookups, NOW + 3000);
    assert_string_equal(lookups_next(world.lookups, NOW + 3000), "a");
    assert_string_equal(lookups_next(world.lookups, NOW + 3000), "b");
}

static void a_session_that_ends_leaves_what_was_known(void **state)
{
    (void)state;
    begin();
    assert_non_null(lookups_next(world.lookups, NOW));
    find("a", "x", NOW);
    lookups_end_session(world.lookups, NOW);
    expect("a", "x stale");
    assert_string_equal(lookups_next(world.lookups, NOW), "a");
    find("a", "x", NOW);
    expect("a", "x current");
    expect_said(" a:1");
}

static void emptiness_is_believed_when_it_lasts(void **state)
{
    (void)state;
    begin();
    assert_non_null(lookups_next(world.lookups, NOW));
    assert_non_null(lookups_next(world.lookups, NOW));
    find("a", "x", NOW);
    find("a", "", NOW + 100);
    expect("a", "x stale");
    assert_int_equal(lookups_due_ms(world.lookups), NOW + 100 + LOOKUPS_EMPTY_MS);
    lookups_step(world.lookups, NOW + 99 + LOOKUPS_EMPTY_MS);
    find("a", "", NOW + 99 + LOOKUPS_EMPTY_MS);
    expect("a", "x stale");
    expect_said(" a:1");
    lookups_step(world.lookups, NOW + 100 + LOOKUPS_EMPTY_MS);
    expect("a", " current");
    expect_said(" a:0");
    assert_int_equal(lookups_due_ms(world.lookups), INT64_MAX);
}

static void emptiness_that_does_not_last_is_none(void **state)
{
    (void)state;
    begin();
    assert_non_null(lookups_next(world.lookups, NOW));
    find("a", "x", NOW);
    find("a", "", NOW);
    find("a", "x", NOW + 1);
    lookups_step(world.lookups, NOW + 2 * LOOKUPS_EMPTY_MS);
    expect("a", "x current");
    find("a", "", NOW);
    lookups_lost(world.lookups, "a", "gone", 0, NOW + 1);
    lookups_step(world.lookups, NOW + 2 * LOOKUPS_EMPTY_MS);
    expect("a", "x stale");
    find("a", "", NOW);
    lookups_end_session(world.lookups, NOW + 1);
    lookups_step(world.lookups, NOW + 2 * LOOKUPS_EMPTY_MS);
    expect("a", "x stale");
    expect_said(" a:1");
}

/* A herald that follows another one of the same instance begins with what that one knew. */
static void the_directory_is_begun_with(void **state)
{
    (void)state;
    begin();
    find("a", "xy", NOW);
    lookups_free(world.lookups);
    expect_said(" a:2");
    begin();
    expect("a", "xy stale");
    expect_said(" a:2");
    find("a", "", NOW);
    expect("a", "xy stale");
}

static void the_cache_is_begun_with(void **state)
{
    (void)state;
    world.conf.registry.cache_file = world.cache_file;
    begin();
    find("a", "xy", NOW);
    assert_int_equal(lookups_due_ms(world.lookups) > NOW, 0);
    lookups_step(world.lookups, NOW + 999);
    assert_int_equal(access(world.cache_file, F_OK), -1);
    lookups_step(world.lookups, NOW + 1000);
    assert_int_equal(access(world.cache_file, F_OK), 0);
    lookups_free(world.lookups);
    directory_free(world.directory);
    assert_int_equal(directory_new(&world.directory), 0);
    directory_give(world.directory, getpid());
    expect_said(" a:2");
    begin();
    expect("a", "xy cached");
    expect_said(" a:2");
    assert_false(lookups_are_settled(world.lookups));
    find("b", "", NOW);
    assert_true(lookups_are_settled(world.lookups));
    find("a", "xy", NOW);
    expect("a", "xy current");
}

static void write_file(const char *text)
{
    FILE *file = fopen(world.cache_file, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    fclose(file);
}

/* One bad member or service spoils nothing else, a bad file is passed over. */
static void bad_caches_are_passed_over(void **state)
{
    static const struct {
        const char *text;
        const char *wanted;
    } cases[] = {
        {"", " unknown"},
        {"{", " unknown"},
        {"[]", " unknown"},
        {"{\"format\":2,\"services\":{\"a\":[]}}", " unknown"},
        {"{\"format\":1,\"services\":{\"a\":7}}", " unknown"},
        {"{\"format\":1,\"services\":{\"b\":[],\"a\":[7,{\"id\":\"p\",\"host\":\"h\",\"port\":1,"
         "\"weight\":1,\"max_fails\":1,\"fail_timeout_ms\":1,\"down\":false},"
         "{\"id\":\"q\",\"host\":\"h h\",\"port\":1,\"weight\":1,\"max_fails\":1,"
         "\"fail_timeout_ms\":1,\"down\":false},"
         "{\"id\":\"r\",\"host\":\"h\",\"port\":65536,\"weight\":1,\"max_fails\":1,"
         "\"fail_timeout_ms\":1,\"down\":false},"
         "{\"id\":\"s\",\"host\":\"h\",\"port\":1,\"weight\":0,\"max_fails\":1,"
         "\"fail_timeout_ms\":1,\"down\":false}]}}",
         "p cached"},
    };
    (void)state;
    world.conf.registry.cache_file = world.cache_file;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        directory_free(world.directory);
        assert_int_equal(directory_new(&world.directory), 0);
        directory_give(world.directory, getpid());
        write_file(cases[i].text);
        lookups_free(world.lookups);
        begin();
        expect("a", cases[i].wanted);
    }
}

/* A folder that cannot be written costs a line in the log, and the file stays as it was. */
static void a_cache_is_written_whole_or_not_at_all(void **state)
{
    static struct member members[MEMBERS_MAX];
    struct cache *cache = cache_new();
    struct member member;
    char path[256];
    (void)state;
    member_init(&member);
    member.port = 1;
    assert_true(member_set_id(&member, "x", 1) && member_set_host(&member, "h", 1));
    assert_int_equal(cache_set(cache, "a", &member, 1), 0);
    snprintf(path, sizeof path, "%s/not-there/cache", world.folder);
    assert_int_equal(cache_write(cache, path), -ENOENT);
    snprintf(path, sizeof path, "%s.new", world.cache_file);
    assert_int_equal(cache_write(cache, world.cache_file), 0);
    assert_int_equal(access(path, F_OK), -1);
    cache_free(cache);
    cache = cache_new();
    assert_int_equal(cache_read(cache, world.cache_file), 0);
    assert_int_equal(cache_get(cache, "a", members), 1);
    assert_int_equal(cache_get(cache, "b", members), 0);
    assert_true(members_equal(members, 1, &member, 1));
    cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_service_is_followed_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(changes_are_told_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(errors_leave_what_was_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_session_that_ends_leaves_what_was_known, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(emptiness_is_believed_when_it_lasts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(emptiness_that_does_not_last_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_directory_is_begun_with, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_cache_is_begun_with, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_caches_are_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cache_is_written_whole_or_not_at_all, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
