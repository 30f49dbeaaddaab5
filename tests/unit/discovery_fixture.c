#include "config.h"

#include "discovery_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/address.h"
#include "base/clock.h"
#include "conf/conf.h"
#include "discovery/directory.h"
#include "discovery/discovery.h"
#include "discovery/driver.h"

#define DEADLINE_MS 20000

struct fixture_world world;

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    size_t len = strlen(world.said);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(world.said + len, sizeof world.said - len, format, arguments);
    va_end(arguments);
}

/* --- The driver -------------------------------------------------------------------------- */

static void on_answer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    assert_true(world.is_open);
    world.driver.done(world.outcome, world.outcome == DRIVER_DONE ? "" : "as told",
                      world.driver.arg);
}

static int fake_open(const struct driver_settings *settings, void **ret_session)
{
    assert_false(world.is_open);
    world.is_open = true;
    world.driver = *settings;
    *ret_session = &world;
    say(" open%d", (int)(settings->url - world.urls));
    return 0;
}

static void fake_begin(void *session, enum driver_task task, const struct driver_record *record)
{
    static const char *const tasks[DRIVER_TASKS] = {"register", "beat", "report", "deregister"};
    assert_ptr_equal(session, &world);
    assert_true(world.is_open);
    say(" %s-%s", tasks[task], driver_status_name(record->status));
    if (world.answers)
        event_active(world.answer, EV_TIMEOUT, 0);
}

static void fake_follow(void *session, const char *service)
{
    assert_ptr_equal(session, &world);
    say(" follow-%s", service);
}

static void fake_close(void *session)
{
    assert_ptr_equal(session, &world);
    assert_true(world.is_open);
    world.is_open = false;
    event_del(world.answer);
    say(" close");
}

static const struct driver fake = {
    .name = "fake",
    .backoff = {.first_ms = 20, .max_ms = 20},
    .open = fake_open,
    .begin = fake_begin,
    .follow = fake_follow,
    .close = fake_close,
};

const struct driver *__wrap_driver_of(enum conf_registry_type type);
const struct driver *__wrap_driver_of(enum conf_registry_type type)
{
    assert_int_equal(type, CONF_REGISTRY_ETCD);
    return &fake;
}

/* --- The world around --------------------------------------------------------------------- */

static unsigned on_serving(void *arg)
{
    (void)arg;
    return world.serving;
}

static bool on_stopping(void *arg)
{
    (void)arg;
    return world.stopping;
}

static void on_changed(const char *service, const struct member *members, size_t n, void *arg)
{
    (void)members;
    (void)arg;
    say(" %s:%zu", service, n);
}

static void on_settled(void *arg)
{
    (void)arg;
}

void on_left(void *arg)
{
    assert_ptr_equal(arg, &world);
    assert_false(world.has_left);
    world.has_left = true;
    say(" left");
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

int fixture_set_up(void **state)
{
    static char text[2][8] = {"one", "two"};
    const struct timeval tick = {0, 5000};
    const char *why;
    (void)state;
    memset(&world, 0, sizeof world);
    world.base = event_base_new();
    world.answer = event_new(world.base, -1, 0, on_answer, NULL);
    world.tick = event_new(world.base, -1, EV_PERSIST, on_tick, NULL);
    event_add(world.tick, &tick);
    for (int i = 0; i < 2; i++)
        world.urls[i] = (struct registry_url){.host = text[i], .port = 1, .text = text[i]};
    world.watched[0] = (char *)"api";
    world.conf.registry = (struct conf_registry){.type = CONF_REGISTRY_ETCD,
                                                 .urls = world.urls,
                                                 .n_urls = 2,
                                                 .enroll = true,
                                                 .app = (char *)"app",
                                                 .instance_id = (char *)"",
                                                 .advertise_host = (char *)"",
                                                 .prefix = (char *)"/services",
                                                 .cache_file = (char *)"",
                                                 .heartbeat_ms = 600000,
                                                 .deregister_timeout_ms = 50,
                                                 .watch = {world.watched, 1}};
    assert_int_equal(address_parse("127.0.0.1:3000", &world.listener, &why), 0);
    assert_int_equal(directory_new(&world.directory), 0);
    directory_give(world.directory, getpid());
    world.answers = true;
    world.serving = 1;
    return 0;
}

void make(const struct address *listener)
{
    const struct discovery_settings settings = {.base = world.base,
                                                .conf = &world.conf,
                                                .directory = world.directory,
                                                .listener = listener,
                                                .serving = on_serving,
                                                .stopping = on_stopping,
                                                .refusal = world.refusal,
                                                .changed = on_changed,
                                                .settled = on_settled};
    assert_int_equal(discovery_new(&settings, &world.discovery), 0);
    discovery_begin(world.discovery);
}

int fixture_tear_down(void **state)
{
    (void)state;
    discovery_free(world.discovery);
    assert_false(world.is_open);
    directory_free(world.directory);
    event_free(world.answer);
    event_free(world.tick);
    event_base_free(world.base);
    return 0;
}

void await(const char *wanted)
{
    int64_t end_ms = clock_now_ms() + DEADLINE_MS;
    while (strcmp(world.said, wanted) != 0 && clock_now_ms() < end_ms)
        event_base_loop(world.base, EVLOOP_ONCE);
    assert_string_equal(world.said, wanted);
    world.said[0] = '\0';
}

void await_part(const char *wanted)
{
    int64_t end_ms = clock_now_ms() + DEADLINE_MS;
    while (strstr(world.said, wanted) == NULL && clock_now_ms() < end_ms)
        event_base_loop(world.base, EVLOOP_ONCE);
    if (strstr(world.said, wanted) == NULL)
        fail_msg("no '%s' in '%s'", wanted, world.said);
}

struct directory_registration look(void)
{
    struct directory_registration registration;
    directory_read_registration(world.directory, &registration);
    return registration;
}

void await_registered(void)
{
    int64_t end_ms = clock_now_ms() + DEADLINE_MS;
    while (look().state != DIRECTORY_REGISTERED && clock_now_ms() < end_ms)
        event_base_loop(world.base, EVLOOP_ONCE);
    assert_int_equal(look().state, DIRECTORY_REGISTERED);
}
