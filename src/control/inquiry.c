#include "config.h"

#include "control/inquiry.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/dice.h"
#include "base/utf8.h"
#include "control/text.h"
#include "discovery/directory.h"
#include "discovery/selection.h"

/* One at a time is looked at, and it is large. */
static struct directory_service service;

static json_t *describe_time(int64_t wall_ms)
{
    return wall_ms > 0 ? control_time(wall_ms) : json_null();
}

static json_t *describe_member(const struct member *member)
{
    return json_pack("{s:o, s:o, s:I, s:I, s:I, s:I, s:b}", "id", control_text(member->id), "host",
                     control_text(member->host), "port", (json_int_t)member->port, "weight",
                     (json_int_t)member->weight, "max_fails", (json_int_t)member->max_fails,
                     "fail_timeout_ms", (json_int_t)member->fail_timeout_ms, "down",
                     (int)(member->is_down != 0));
}

static json_t *describe_service(void)
{
    return json_pack("{s:o, s:s, s:I, s:o}", "service", control_text(service.name), "origin",
                     directory_origin_name(service.origin), "version", (json_int_t)service.version,
                     "changed", describe_time(service.changed_ms));
}

static json_t *describe_members(void)
{
    json_t *object = describe_service(), *members = json_array();

    for (size_t i = 0; i < service.n; i++)
        json_array_append_new(members, describe_member(&service.members[i]));
    json_object_set_new(object, "members", members);
    return object;
}

/* How many there are, and how many of these are not down. */
static json_t *describe_counts(void)
{
    json_t *object = describe_service();
    size_t up = 0;

    for (size_t i = 0; i < service.n; i++)
        up += service.members[i].is_down == 0;
    json_object_set_new(object, "count", json_integer((json_int_t)service.n));
    json_object_set_new(object, "up", json_integer((json_int_t)up));
    return object;
}

static json_t *list_services(struct directory *directory)
{
    json_t *list = json_array();

    for (size_t i = 0; directory != NULL && i < SERVICES_MAX; i++)
        if (directory_at(directory, i, &service))
            json_array_append_new(list, describe_counts());
    return json_pack("{s:o}", "services", list);
}

__attribute__((format(printf, 3, 4))) static enum inquiry_end
refuse(char why[INQUIRY_WHY_SIZE], enum inquiry_end end, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(why, INQUIRY_WHY_SIZE, format, args);
    va_end(args);
    return end;
}

static enum inquiry_end check(const struct inquiry *inquiry, enum selection *ret_selection,
                              char why[INQUIRY_WHY_SIZE])
{
    bool has_key = inquiry->key[0] != '\0', is_sticky;

    *ret_selection = SELECTIONS;
    if (inquiry->service[0] == '\0' && (inquiry->choose[0] != '\0' || has_key))
        return refuse(why, INQUIRY_BAD, "there is no service to choose from");
    if (inquiry->choose[0] != '\0' && selection_find(inquiry->choose, ret_selection) < 0)
        return refuse(why, INQUIRY_BAD, "what can be chosen by is round_robin, random or sticky");
    is_sticky = *ret_selection == SELECTION_STICKY;
    if (is_sticky && !has_key)
        return refuse(why, INQUIRY_BAD, "sticky needs a key");
    if (!is_sticky && has_key)
        return refuse(why, INQUIRY_BAD, "only sticky takes a key");
    return INQUIRY_ANSWERED;
}

static size_t choose(struct directory *directory, const struct inquiry *inquiry,
                     enum selection selection)
{
    const struct member *members = service.members;

    if (selection == SELECTION_STICKY)
        return selection_sticky(members, service.n, inquiry->key, strlen(inquiry->key));
    if (selection == SELECTION_RANDOM)
        return selection_random(members, service.n, dice_throw());
    return selection_round_robin(members, service.n, directory_turn(directory, service.name));
}

static enum inquiry_end answer_choice(struct directory *directory, const struct inquiry *inquiry,
                                      enum selection selection, json_t **ret_json,
                                      char why[INQUIRY_WHY_SIZE])
{
    size_t i = choose(directory, inquiry, selection);

    if (i >= service.n)
        return refuse(why, INQUIRY_NOBODY,
                      service.origin == DIRECTORY_UNKNOWN
                          ? "the registry has not said yet who %.127s is"
                          : "no instance of %.127s is up",
                      inquiry->service);
    *ret_json = json_pack("{s:o, s:s, s:o}", "service", control_text(service.name), "origin",
                          directory_origin_name(service.origin), "member",
                          describe_member(&service.members[i]));
    return INQUIRY_ANSWERED;
}

static enum inquiry_end answer(struct directory *directory, const struct inquiry *inquiry,
                               enum selection selection, json_t **ret_json,
                               char why[INQUIRY_WHY_SIZE])
{
    if (inquiry->service[0] == '\0') {
        *ret_json = list_services(directory);
        return INQUIRY_ANSWERED;
    }
    if (directory == NULL)
        return refuse(why, INQUIRY_UNKNOWN, "there is no registry: registry.type is none");
    if (!directory_find(directory, inquiry->service, &service))
        return refuse(why, INQUIRY_UNKNOWN,
                      "%.127s is not looked up: it is not in registry.watch, and no upstream with "
                      "from_registry",
                      utf8_is_printable(inquiry->service, strlen(inquiry->service))
                          ? inquiry->service
                          : "this service");
    if (selection != SELECTIONS)
        return answer_choice(directory, inquiry, selection, ret_json, why);
    *ret_json = describe_members();
    return INQUIRY_ANSWERED;
}

enum inquiry_end inquiry_answer(struct directory *directory, const struct inquiry *inquiry,
                                json_t **ret_json, char why[INQUIRY_WHY_SIZE])
{
    enum selection selection;
    json_t *json = NULL;
    enum inquiry_end end = check(inquiry, &selection, why);

    if (end == INQUIRY_ANSWERED)
        end = answer(directory, inquiry, selection, &json, why);
    if (end != INQUIRY_ANSWERED)
        return end;
    if (json == NULL)
        return refuse(why, INQUIRY_FAILED, "out of memory");
    *ret_json = json;
    return INQUIRY_ANSWERED;
}

bool inquiry_is_known(const json_t *answer)
{
    const char *origin = json_string_value(json_object_get(answer, "origin"));

    return origin == NULL || strcmp(origin, directory_origin_name(DIRECTORY_UNKNOWN)) != 0;
}
