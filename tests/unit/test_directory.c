/* What is known of other services, in shared memory: who may write, what is read of garbage. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "discovery/directory.h"

static struct directory_service service;

static int set_up(void **state)
{
    struct directory *directory;
    assert_int_equal(directory_new(&directory), 0);
    directory_give(directory, getpid());
    *state = directory;
    return 0;
}

static int tear_down(void **state)
{
    directory_free(*state);
    return 0;
}

static void make(struct member *member, unsigned port)
{
    char id[32];
    int len = snprintf(id, sizeof id, "id-%05u", port);
    member_init(member);
    assert_true(member_set_id(member, id, (size_t)len));
    assert_true(member_set_host(member, "10.0.0.1", 8));
    member->port = port;
}

static void services_come_and_go(void **state)
{
    static const char *const first[] = {"a", "b", "c"}, *const second[] = {"d", "b"};
    struct directory *directory = *state;
    struct member member;
    size_t n = 0;
    make(&member, 7);
    directory_set_services(directory, first, 3);
    directory_set_members(directory, "b", &member, 1, DIRECTORY_CURRENT);
    directory_set_members(directory, "x", &member, 1, DIRECTORY_CURRENT);
    assert_false(directory_find(directory, "x", &service));
    assert_true(directory_find(directory, "a", &service));
    assert_int_equal(service.origin, DIRECTORY_UNKNOWN);
    directory_set_services(directory, second, 2);
    assert_false(directory_find(directory, "a", &service));
    assert_true(directory_find(directory, "d", &service));
    assert_int_equal(service.n, 0);
    assert_true(directory_find(directory, "b", &service));
    assert_int_equal(service.n, 1);
    assert_int_equal(service.members[0].port, 7);
    assert_int_equal(service.origin, DIRECTORY_CURRENT);
    for (size_t i = 0; i < SERVICES_MAX; i++)
        n += directory_at(directory, i, &service);
    assert_int_equal(n, 2);
}

/* A place that is used again does not show what was there before. */
static void a_new_service_is_empty(void **state)
{
    static const char *const first[] = {"a"}, *const second[] = {"b"};
    struct directory *directory = *state;
    struct member member;
    make(&member, 7);
    directory_set_services(directory, first, 1);
    directory_set_members(directory, "a", &member, 1, DIRECTORY_CURRENT);
    directory_set_services(directory, NULL, 0);
    directory_set_services(directory, second, 1);
    assert_true(directory_find(directory, "b", &service));
    assert_int_equal(service.n, 0);
    assert_int_equal(service.origin, DIRECTORY_UNKNOWN);
    assert_int_equal(service.changed_ms, 0);
}

static void versions_rise_with_changes(void **state)
{
    static const char *const names[] = {"a"};
    struct directory *directory = *state;
    struct member members[2];
    uint64_t version;
    make(&members[0], 1);
    make(&members[1], 2);
    directory_set_services(directory, names, 1);
    directory_set_members(directory, "a", members, 2, DIRECTORY_CURRENT);
    assert_true(directory_find(directory, "a", &service));
    version = service.version;
    directory_set_origin(directory, "a", DIRECTORY_STALE);
    assert_true(directory_find(directory, "a", &service));
    assert_int_equal(service.version, version);
    assert_int_equal(service.origin, DIRECTORY_STALE);
    assert_int_equal(service.n, 2);
    directory_set_members(directory, "a", NULL, 0, DIRECTORY_CURRENT);
    assert_true(directory_find(directory, "a", &service));
    assert_true(service.version > version);
    assert_int_equal(service.n, 0);
}

static void the_registration_and_counters_are_kept(void **state)
{
    struct directory *directory = *state;
    struct directory_registration said = {.state = DIRECTORY_REGISTERED, .port = 3000}, heard;
    strcpy(said.error, "why");
    directory_set_registration(directory, &said);
    directory_read_registration(directory, &heard);
    assert_int_equal(heard.state, DIRECTORY_REGISTERED);
    assert_int_equal(heard.port, 3000);
    assert_string_equal(heard.error, "why");
    directory_add(directory, DIRECTORY_HEARTBEATS);
    directory_add(directory, DIRECTORY_HEARTBEATS);
    assert_int_equal(directory_read_count(directory, DIRECTORY_HEARTBEATS), 2);
    assert_int_equal(directory_read_count(directory, DIRECTORY_LOOKUPS), 0);
}

static void turns_rise_for_all_processes(void **state)
{
    static const char *const names[] = {"a"};
    struct directory *directory = *state;
    directory_set_services(directory, names, 1);
    assert_int_equal(directory_turn(directory, "a"), 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(directory_turn(directory, "a") == 1 ? 0 : 1);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(directory_turn(directory, "a"), 2);
    assert_int_equal(directory_turn(directory, "x"), 0);
}

/* The herald of the next generation writes; what the one before still says is passed over. */
static void only_its_owner_writes(void **state)
{
    static const char *const names[] = {"a"};
    struct directory *directory = *state;
    struct directory_registration said = {.port = 1}, heard;
    struct member member;
    int status;
    make(&member, 7);
    pid_t pid = fork();
    if (pid == 0) {
        directory_give(directory, getpid());
        directory_set_services(directory, names, 1);
        directory_set_members(directory, "a", &member, 1, DIRECTORY_CURRENT);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    directory_set_members(directory, "a", NULL, 0, DIRECTORY_CURRENT);
    directory_set_origin(directory, "a", DIRECTORY_STALE);
    directory_set_registration(directory, &said);
    directory_set_services(directory, NULL, 0);
    assert_true(directory_find(directory, "a", &service));
    assert_int_equal(service.n, 1);
    assert_int_equal(service.origin, DIRECTORY_CURRENT);
    directory_read_registration(directory, &heard);
    assert_int_equal(heard.port, 0);
}

static void another_program_takes_it_over(void **state)
{
    static const char *const names[] = {"a"};
    struct directory *directory = *state, *other;
    int fd = dup(directory_fd(directory)), foreign = memfd_create("x", 0);
    directory_set_services(directory, names, 1);
    assert_int_equal(directory_adopt(fd, &other), 0);
    assert_true(directory_find(other, "a", &service));
    directory_free(other);
    assert_int_not_equal(directory_adopt(foreign, &other), 0);
    assert_int_equal(close(foreign), 0);
}

/* Whatever a herald that was taken over has written, who looks reads texts that end. */
static void garbage_is_bounded(void **state)
{
    struct directory *directory = *state;
    struct directory_registration heard;
    struct stat status;
    assert_int_equal(fstat(directory_fd(directory), &status), 0);
    unsigned char *at = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED,
                             directory_fd(directory), 0);
    assert_true(at != MAP_FAILED);
    memset(at, 0xff, (size_t)status.st_size);
    for (size_t i = 0; i < SERVICES_MAX; i++) {
        assert_true(directory_at(directory, i, &service));
        assert_true(strlen(service.name) < sizeof service.name);
        assert_true(service.n <= MEMBERS_MAX);
        assert_true(service.origin < DIRECTORY_ORIGINS);
        for (size_t k = 0; k < service.n; k++) {
            assert_true(strlen(service.members[k].id) < MEMBER_ID_SIZE);
            assert_true(strlen(service.members[k].host) < MEMBER_HOST_SIZE);
            assert_in_range(service.members[k].weight, 1, UINT16_MAX);
            assert_in_range(service.members[k].port, 0, UINT16_MAX);
        }
    }
    directory_read_registration(directory, &heard);
    assert_true(strlen(heard.error) < sizeof heard.error);
    assert_string_equal(directory_state_name(heard.state), "unknown");
    assert_string_equal(driver_status_name(heard.status), "unknown");
    assert_string_equal(directory_origin_name((enum directory_origin)99), "unknown");
    munmap(at, (size_t)status.st_size);
}

/* Readers never see a list that is of two lists. */
static void lists_are_read_whole(void **state)
{
    static const char *const names[] = {"a"};
    static struct member members[2][MEMBERS_MAX];
    struct directory *directory = *state;
    int status;
    for (unsigned i = 0; i < MEMBERS_MAX; i++) {
        make(&members[0][i], 1);
        make(&members[1][i], 2);
    }
    directory_set_services(directory, names, 1);
    directory_set_members(directory, "a", members[0], MEMBERS_MAX, DIRECTORY_CURRENT);
    pid_t pid = fork();
    if (pid == 0) {
        directory_give(directory, getpid());
        for (unsigned i = 0; i < 2000; i++)
            directory_set_members(directory, "a", members[i % 2], i % 2 == 0 ? MEMBERS_MAX : 100,
                                  DIRECTORY_CURRENT);
        _exit(0);
    }
    while (waitpid(pid, &status, WNOHANG) == 0) {
        assert_true(directory_find(directory, "a", &service));
        for (size_t i = 1; i < service.n; i++)
            assert_int_equal(service.members[i].port, service.members[0].port);
        assert_int_equal(service.n, service.members[0].port == 1 ? MEMBERS_MAX : 100);
    }
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(services_come_and_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_service_is_empty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(versions_rise_with_changes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_registration_and_counters_are_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(turns_rise_for_all_processes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_its_owner_writes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_program_takes_it_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(garbage_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lists_are_read_whole, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
