#include "config.h"

#include "discovery/directory.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/shared_memory.h"

/* A reader who is overtaken by writers so often takes what it has. */
#define READS_MAX 16

/* What is written is put aside first and counts when `present` says so. */
struct list {
    uint32_t n;
    struct member members[MEMBERS_MAX];
};

struct shared_service {
    _Atomic uint32_t is_used;
    _Atomic uint32_t origin; /* enum directory_origin */
    _Atomic uint32_t present;
    _Atomic uint64_t version;
    _Atomic uint64_t turn;
    _Atomic int64_t changed_ms;
    char name[SERVICE_NAME_SIZE];
    struct list lists[2];
};

struct board {
    uint64_t layout;
    _Atomic int64_t writer; /* process id */
    _Atomic uint32_t present;
    struct directory_registration registrations[2];
    _Atomic uint64_t counts[DIRECTORY_COUNTS];
    struct shared_service services[SERVICES_MAX];
};

struct directory {
    struct shared_memory memory;
    struct board *board;
};

static const char *const state_names[DIRECTORY_STATES] = {
    [DIRECTORY_OFF] = "off",
    [DIRECTORY_REGISTERING] = "registering",
    [DIRECTORY_REGISTERED] = "registered",
    [DIRECTORY_RETRYING] = "retrying",
    [DIRECTORY_LEAVING] = "leaving",
    [DIRECTORY_GONE] = "deregistered",
};

static const char *const origin_names[DIRECTORY_ORIGINS] = {
    [DIRECTORY_UNKNOWN] = "unknown",
    [DIRECTORY_CACHED] = "cached",
    [DIRECTORY_STALE] = "stale",
    [DIRECTORY_CURRENT] = "current",
};

/* --- The memory ---------------------------------------------------------------------- */

static struct directory *wrap(const struct shared_memory *memory)
{
    struct directory *directory = malloc(sizeof *directory);
    if (directory != NULL)
        *directory = (struct directory){.memory = *memory, .board = memory->at};
    return directory;
}

int directory_new(struct directory **ret_directory)
{
    struct shared_memory memory;
    int err = shared_memory_new("directory", sizeof(struct board), &memory);
    if (err != 0)
        return err;
    struct directory *directory = wrap(&memory);
    if (directory == NULL) {
        shared_memory_clear(&memory);
        return -ENOMEM;
    }
    directory->board->layout = DIRECTORY_LAYOUT;
    *ret_directory = directory;
    return 0;
}

int directory_adopt(int fd, struct directory **ret_directory)
{
    struct shared_memory memory;
    int err = shared_memory_adopt(fd, sizeof(struct board), &memory);
    if (err != 0)
        return err;
    struct directory *directory =
        ((const struct board *)memory.at)->layout == DIRECTORY_LAYOUT ? wrap(&memory) : NULL;
    if (directory == NULL) {
        memory.fd = -1; /* the caller's still */
        shared_memory_clear(&memory);
        return -EBADF;
    }
    *ret_directory = directory;
    return 0;
}

int directory_fd(const struct directory *directory)
{
    return directory->memory.fd;
}

void directory_free(struct directory *directory)
{
    if (directory == NULL)
        return;
    shared_memory_clear(&directory->memory);
    free(directory);
}

/* --- The master --------------------------------------------------------------------------- */

pid_t directory_writer(const struct directory *directory)
{
    return (pid_t)atomic_load(&directory->board->writer);
}

static void put_registration(struct board *board, const struct directory_registration *registration)
{
    uint32_t other = (atomic_load(&board->present) & 1) ^ 1;
    board->registrations[other] = *registration;
    atomic_store(&board->present, other);
}

/* Who had it before is deaf from here on. */
static void set_writer(struct directory *directory, pid_t writer,
                       const struct directory_registration *registration)
{
    atomic_store(&directory->board->writer, 0);
    put_registration(directory->board, registration);
    atomic_store(&directory->board->writer, writer);
}

void directory_give(struct directory *directory, pid_t writer)
{
    const struct directory_registration none = {.state = DIRECTORY_REGISTERING};
    set_writer(directory, writer, &none);
}

void directory_clear(struct directory *directory)
{
    const struct directory_registration none = {.state = DIRECTORY_OFF};
    set_writer(directory, 0, &none);
    for (size_t i = 0; i < SERVICES_MAX; i++)
        atomic_store(&directory->board->services[i].is_used, 0);
}

void directory_orphan(struct directory *directory)
{
    struct directory_registration left;
    directory_read_registration(directory, &left);
    if (left.state != DIRECTORY_OFF)
        left.state = DIRECTORY_RETRYING;
    snprintf(left.error, sizeof left.error, "the herald is not there");
    set_writer(directory, 0, &left);
    for (size_t i = 0; i < SERVICES_MAX; i++) {
        uint32_t current = DIRECTORY_CURRENT;
        atomic_compare_exchange_strong(&directory->board->services[i].origin, &current,
                                       DIRECTORY_STALE);
    }
}

/* --- The herald ------------------------------------------------------------------------ */

bool directory_is_owned(const struct directory *directory)
{
    return atomic_load(&directory->board->writer) == getpid();
}

static bool is_name(const struct shared_service *service, const char *name)
{
    return atomic_load(&service->is_used) != 0 &&
           strncmp(service->name, name, sizeof service->name) == 0;
}

static struct shared_service *find(struct directory *directory, const char *name)
{
    for (size_t i = 0; i < SERVICES_MAX; i++)
        if (is_name(&directory->board->services[i], name))
            return &directory->board->services[i];
    return NULL;
}

static bool is_among(const struct shared_service *service, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_name(service, names[i]))
            return true;
    return false;
}

static void add_service(struct directory *directory, const char *name)
{
    struct shared_service *service = directory->board->services;
    struct shared_service *end = service + SERVICES_MAX;
    while (service < end && atomic_load(&service->is_used) != 0)
        service++;
    if (service == end || strlen(name) >= sizeof service->name)
        return;
    service->lists[atomic_load(&service->present) & 1].n = 0;
    atomic_store(&service->origin, DIRECTORY_UNKNOWN);
    atomic_store(&service->changed_ms, 0);
    atomic_fetch_add(&service->version, 1);
    memcpy(service->name, name, strlen(name) + 1);
    atomic_store(&service->is_used, 1);
}

void directory_set_services(struct directory *directory, const char *const *names, size_t n)
{
    if (!directory_is_owned(directory))
        return;
    for (size_t i = 0; i < SERVICES_MAX; i++)
        if (!is_among(&directory->board->services[i], names, n))
            atomic_store(&directory->board->services[i].is_used, 0);
    for (size_t i = 0; i < n; i++)
        if (find(directory, names[i]) == NULL)
            add_service(directory, names[i]);
}

void directory_set_members(struct directory *directory, const char *name,
                           const struct member *members, size_t n, enum directory_origin origin)
{
    struct shared_service *service = directory_is_owned(directory) ? find(directory, name) : NULL;
    if (service == NULL)
        return;
    uint32_t other = (atomic_load(&service->present) & 1) ^ 1;
    struct list *list = &service->lists[other];
    if (n > 0)
        memcpy(list->members, members, n * sizeof *members);
    list->n = (uint32_t)n;
    atomic_store(&service->present, other);
    atomic_store(&service->origin, origin);
    atomic_store(&service->changed_ms, clock_wall_ms());
    atomic_fetch_add(&service->version, 1);
}

void directory_set_origin(struct directory *directory, const char *name,
                          enum directory_origin origin)
{
    struct shared_service *service = directory_is_owned(directory) ? find(directory, name) : NULL;
    if (service != NULL)
        atomic_store(&service->origin, origin);
}

void directory_set_registration(struct directory *directory,
                                const struct directory_registration *registration)
{
    struct board *board = directory->board;
    if (!directory_is_owned(directory))
        return;
    put_registration(board, registration);
}

void directory_add(struct directory *directory, enum directory_count count)
{
    atomic_fetch_add(&directory->board->counts[count], 1);
}

/* --- Who looks: what is read is bounded, whatever it is -------------------------------- */

#define END_TEXT(text) ((text)[sizeof(text) - 1] = '\0')

static void bound_member(struct member *member)
{
    END_TEXT(member->id);
    END_TEXT(member->host);
    member->port &= UINT16_MAX;
    if (member->weight < 1 || member->weight > UINT16_MAX)
        member->weight = 1;
}

static void read_list(const struct shared_service *service, struct directory_service *ret_service)
{
    const struct list *list = &service->lists[atomic_load(&service->present) & 1];
    size_t n = *(const volatile uint32_t *)&list->n;
    ret_service->n = n < MEMBERS_MAX ? n : MEMBERS_MAX;
    memcpy(ret_service->members, list->members, ret_service->n * sizeof(struct member));
    for (size_t i = 0; i < ret_service->n; i++)
        bound_member(&ret_service->members[i]);
}

static void read_service(struct shared_service *service, struct directory_service *ret_service)
{
    for (int i = 0; i < READS_MAX; i++) {
        uint64_t version = atomic_load(&service->version);
        uint32_t present = atomic_load(&service->present);
        uint32_t origin = atomic_load(&service->origin);
        ret_service->version = version;
        ret_service->changed_ms = atomic_load(&service->changed_ms);
        ret_service->origin = origin < DIRECTORY_ORIGINS ? origin : DIRECTORY_UNKNOWN;
        memcpy(ret_service->name, service->name, sizeof ret_service->name);
        END_TEXT(ret_service->name);
        read_list(service, ret_service);
        if (version == atomic_load(&service->version) && present == atomic_load(&service->present))
            return;
    }
}

bool directory_at(struct directory *directory, size_t i, struct directory_service *ret_service)
{
    struct shared_service *service = &directory->board->services[i];
    if (atomic_load(&service->is_used) == 0)
        return false;
    read_service(service, ret_service);
    return true;
}

bool directory_has(struct directory *directory, const char *name)
{
    return find(directory, name) != NULL;
}

bool directory_find(struct directory *directory, const char *name,
                    struct directory_service *ret_service)
{
    struct shared_service *service = find(directory, name);
    if (service == NULL)
        return false;
    read_service(service, ret_service);
    return true;
}

void directory_read_registration(struct directory *directory,
                                 struct directory_registration *ret_registration)
{
    struct board *board = directory->board;
    struct directory_registration found;
    uint32_t present;
    int tries = 0;
    do {
        present = atomic_load(&board->present);
        found = board->registrations[present & 1];
    } while (present != atomic_load(&board->present) && ++tries < READS_MAX);
    END_TEXT(found.app);
    END_TEXT(found.instance_id);
    END_TEXT(found.host);
    END_TEXT(found.url);
    END_TEXT(found.error);
    found.port &= UINT16_MAX;
    *ret_registration = found;
}

uint64_t directory_read_count(struct directory *directory, enum directory_count count)
{
    return atomic_load(&directory->board->counts[count]);
}

uint64_t directory_turn(struct directory *directory, const char *name)
{
    struct shared_service *service = find(directory, name);
    return service != NULL ? atomic_fetch_add(&service->turn, 1) : 0;
}

const char *directory_state_name(enum directory_state state)
{
    return (unsigned)state < DIRECTORY_STATES ? state_names[state] : "unknown";
}

const char *directory_origin_name(enum directory_origin origin)
{
    return (unsigned)origin < DIRECTORY_ORIGINS ? origin_names[origin] : "unknown";
}
