#include "config.h"

#include "state_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/purpose.h"
#include "cluster/role.h"

/* Each member has a value of its own, as far as its type has so many. */
static char title_tcp[] = "127.0.0.1:8080";
static char title_spread[] = "[::1]:0";
static char title_unix[] = "unix:/run/gr\xc3\xbc\xff\"\\.sock";
static char pidfile[] = "/run/zombie\n\x80.pid";
static struct state_listener listeners[] = {
    {.title = title_tcp, .fd = 6, .purpose = PURPOSE_ADMIN},
    {.title = title_unix,
     .fd = 7,
     .device = 0xfffffffffffffffe,
     .inode = INT64_MAX,
     .purpose = PURPOSE_CONTROL},
    {.title = title_spread, .fd = 9},
    {.title = title_spread, .fd = 11, .socket = 1},
};
static struct state_worker workers[] = {
    {.place = 3,
     .number = 1,
     .generation = 2,
     .state = SLOT_STARTING,
     .worker = 50,
     .pid = 4194304,
     .channel_fd = 8,
     .started_ms = 21,
     .deadline_ms = 22,
     .doom_ms = INT64_MAX,
     .leaving = true,
     .chaos = true},
    {.place = 0,
     .number = ROLE_NUMBERS,
     .generation = UINT32_MAX,
     .state = SLOT_SERVING,
     .worker = INT64_MAX,
     .pid = 2,
     .channel_fd = -1,
     .started_ms = INT64_MAX,
     .ready_ms = 24,
     .deadline_ms = INT64_MAX,
     .doom_ms = 25,
     .candidate = true,
     .chaos = true},
    {.place = 2,
     .number = 3,
     .generation = 1,
     .state = SLOT_DRAINING,
     .worker = 52,
     .pid = 102,
     .channel_fd = 1048576,
     .started_ms = 26,
     .ready_ms = 27,
     .deadline_ms = 28,
     .doom_ms = 29,
     .asked = true,
     .chaos = true},
    {.place = 1,
     .number = 4,
     .generation = 3,
     .state = SLOT_KILLED,
     .worker = 53,
     .pid = 103,
     .channel_fd = 10,
     .started_ms = 30,
     .ready_ms = 31,
     .deadline_ms = 32,
     .doom_ms = 33,
     .deliberate = true,
     .chaos = true},
};
static struct death deaths[] = {
    {.when_ms = 41,
     .worker = 42,
     .slot = 43,
     .generation = 44,
     .pid = 45,
     .uptime_ms = 46,
     .wait_status = 139,
     .max_rss_kb = 47,
     .user_ms = 48,
     .system_ms = 49,
     .requests = UINT64_MAX,
     .connections = 53,
     .heartbeat_age_ms = 50,
     .elapsed_ms = 51,
     .method = "PROPPATCHPROPPA",
     .path = "/a?b=\xff\x01",
     .client = "[::1]:80",
     .killed_for = "hung",
     .oom = true},
    {.worker = 1,
     .slot = 1,
     .generation = 1,
     .pid = 2,
     .heartbeat_age_ms = -1,
     .elapsed_ms = -1,
     .deliberate = true},
    {.worker = 1, .slot = 1, .generation = 1, .pid = 2, .poison = true},
};
static struct journal_entry events[] = {
    {.sequence = 61,
     .wall_ms = 62,
     .kind = JOURNAL_STOP,
     .worker = 63,
     .slot = ROLE_NUMBERS,
     .pid = 64,
     .generation = 65,
     .text = "gr\xc3\xbc\xff\n"},
    {.sequence = INT64_MAX,
     .wall_ms = INT64_MAX,
     .worker = INT64_MAX,
     .slot = 1,
     .pid = 4194304,
     .generation = UINT32_MAX},
};
const struct state state_full = {
    .uuid = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x10, 0x32, 0x54, 0x76, 0x98, 0xba,
             0xdc, 0xfe},
    .started_ms = 11,
    .generation = 12,
    .last_worker = INT64_MAX,
    .strangers = 14,
    .upgrades = 15,
    .strength = 16,
    .scoreboard_fd = 3,
    .scoreboard_places = 4,
    .places = 4,
    .configuration_fd = 4,
    .pidfile_fd = 5,
    .pidfile = pidfile,
    .listeners = listeners,
    .n_listeners = LENGTH(listeners),
    .workers = workers,
    .n_workers = LENGTH(workers),
    .deaths = deaths,
    .n_deaths = LENGTH(deaths),
    .log_ring_fd = 12,
    .events = events,
    .n_events = LENGTH(events),
    .balancer_fd = 13,
    .directory_fd = 14,
};
const struct state state_empty = {.generation = 1,
                                  .scoreboard_fd = 3,
                                  .scoreboard_places = 1,
                                  .places = 1,
                                  .configuration_fd = -1,
                                  .pidfile_fd = -1,
                                  .log_ring_fd = -1,
                                  .balancer_fd = -1,
                                  .directory_fd = -1};

const char state_full_text[] =
    "{'version':5,'layouts':7,'uuid':'01234567-89ab-cdef-1032-547698badcfe','started_ms':11,"
    "'generation':12,'last_worker':9223372036854775807,'strangers':14,'upgrades':15,'strength':16,"
    "'scoreboard_fd':3,'scoreboard_places':4,'places':4,'configuration_fd':4,'pidfile_fd':5,'"
    "pidfile':'/run/"
    "zombie\\n\\u0080.pid',"
    "'listeners':["
    "{'title':'127.0.0.1:8080','fd':6,'device':0,'inode':0,'socket':0,'purpose':1},"
    "{'title':'unix:/run/gr\\u00C3\\u00BC\\u00FF\\'\\\\.sock','fd':7,'device':-2,"
    "'inode':9223372036854775807,'socket':0,'purpose':2},"
    "{'title':'[::1]:0','fd':9,'device':0,'inode':0,'socket':0,'purpose':0},"
    "{'title':'[::1]:0','fd':11,'device':0,'inode':0,'socket':1,'purpose':0}],"
    "'workers':["
    "{'place':3,'number':1,'generation':2,'state':'starting','worker':50,'pid':4194304,"
    "'channel_fd':8,'started_ms':21,'ready_ms':0,'deadline_ms':22,"
    "'doom_ms':9223372036854775807,'leaving':true,'candidate':false,'asked':false,"
    "'deliberate':false,'chaos':true},"
    "{'place':0,'number':1026,'generation':4294967295,'state':'serving',"
    "'worker':9223372036854775807,'pid':2,'channel_fd':-1,'started_ms':9223372036854775807,"
    "'ready_ms':24,'deadline_ms':9223372036854775807,'doom_ms':25,'leaving':false,"
    "'candidate':true,'asked':false,'deliberate':false,'chaos':true},"
    "{'place':2,'number':3,'generation':1,'state':'draining','worker':52,'pid':102,"
    "'channel_fd':1048576,'started_ms':26,'ready_ms':27,'deadline_ms':28,'doom_ms':29,"
    "'leaving':false,'candidate':false,'asked':true,'deliberate':false,'chaos':true},"
    "{'place':1,'number':4,'generation':3,'state':'killed','worker':53,'pid':103,"
    "'channel_fd':10,'started_ms':30,'ready_ms':31,'deadline_ms':32,'doom_ms':33,"
    "'leaving':false,'candidate':false,'asked':false,'deliberate':true,'chaos':true}],"
    "'deaths':["
    "{'when_ms':41,'worker':42,'slot':43,'generation':44,'pid':45,'uptime_ms':46,"
    "'wait_status':139,'max_rss_kb':47,'user_ms':48,'system_ms':49,'requests':-1,'connections':53,'"
    "heartbeat_age_ms':50,"
    "'elapsed_ms':51,'method':'PROPPATCHPROPPA','path':'/a?b=\\u00FF\\u0001',"
    "'client':'[::1]:80','killed_for':'hung','oom':true,'deliberate':false,'poison':false},"
    "{'when_ms':0,'worker':1,'slot':1,'generation':1,'pid':2,'uptime_ms':0,'wait_status':0,"
    "'max_rss_kb':0,'user_ms':0,'system_ms':0,'requests':0,'connections':0,'heartbeat_age_ms':-1,'"
    "elapsed_ms':-1,"
    "'method':'','path':'','client':'','killed_for':'','oom':false,'deliberate':true,"
    "'poison':false},"
    "{'when_ms':0,'worker':1,'slot':1,'generation':1,'pid':2,'uptime_ms':0,'wait_status':0,"
    "'max_rss_kb':0,'user_ms':0,'system_ms':0,'requests':0,'connections':0,'heartbeat_age_ms':0,'"
    "elapsed_ms':0,"
    "'method':'','path':'','client':'','killed_for':'','oom':false,'deliberate':false,"
    "'poison':true}],'log_ring_fd':12,"
    "'events':["
    "{'sequence':61,'wall_ms':62,'kind':17,'worker':63,'slot':1026,'pid':64,'generation':65,"
    "'text':'gr\\u00C3\\u00BC\\u00FF\\n'},"
    "{'sequence':9223372036854775807,'wall_ms':9223372036854775807,'kind':0,"
    "'worker':9223372036854775807,'slot':1,'pid':4194304,'generation':4294967295,'text':''}],'"
    "balancer_fd':13,'directory_fd':14}";
const char state_empty_text[] =
    "{'version':5,'layouts':7,'uuid':'00000000-0000-0000-0000-000000000000','started_ms':0,"
    "'generation':1,'last_worker':0,'strangers':0,'upgrades':0,'strength':0,'scoreboard_fd':3,"
    "'scoreboard_places':1,'places':1,'configuration_fd':-1,'pidfile_fd':-1,'pidfile':null,'"
    "listeners':[],'workers':[],"
    "'deaths':[],'log_ring_fd':-1,'events':[],'balancer_fd':-1,'directory_fd':-1}";

char *state_quoted(const char *text, size_t *ret_len)
{
    size_t len = strlen(text);
    char *copy = test_malloc(len);

    for (size_t i = 0; i < len; i++)
        copy[i] = text[i] == '\'' ? '"' : text[i];
    *ret_len = len;
    return copy;
}

char *state_text(const struct state *state)
{
    char *text = NULL;

    assert_int_equal(state_encode(state, STATE_LAYOUTS, &text), 0);
    assert_non_null(text);
    return text;
}

void state_check_refused(const char *text, size_t len, int expected, const char *expected_error)
{
    char error[STATE_ERROR_SIZE] = "";
    struct state state, before;
    int r;

    memset(&state, 0x5a, sizeof state);
    memcpy(&before, &state, sizeof state);
    r = state_decode(text, len, STATE_LAYOUTS, &state, error);
    if (r != expected || (expected_error != NULL && strcmp(error, expected_error) != 0))
        fail_msg("%d \"%s\", expected %d \"%s\": %.*s", r, error, expected,
                 expected_error != NULL ? expected_error : "...", len < 200 ? (int)len : 200, text);
    assert_string_not_equal(error, "");
    assert_memory_equal(&state, &before, sizeof state);
}
