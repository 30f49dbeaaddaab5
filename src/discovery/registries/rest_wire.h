/*
 * What a registry is asked over HTTP and what its answers mean, for those registries where a
 * task is one request after the other and a look-up is one. Pure: rest.h has the rest.
 */
#ifndef ZOMBIE_DISCOVERY_REST_WIRE_H
#define ZOMBIE_DISCOVERY_REST_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/bytes.h"
#include "discovery/driver.h"
#include "discovery/member.h"

struct http_client_answer;

/* Room for a reason. */
#define REST_WHY_SIZE 160

struct rest_request {
    const char *method;
    struct bytes target; /* after the path of the URL */
    struct bytes body;   /* JSON; empty: none */
    long timeout_ms;     /* 0: conf->timeout_ms */
};

/* A look-up: what the next one has to know of the last, and what it found. */
struct rest_lookup {
    uint64_t index;   /* of Consul; 0: none */
    int64_t pause_ms; /* from the beginning of a request to that of the next */
    size_t n;
    size_t n_bad; /* that were left out because they make no sense */
    struct member members[MEMBERS_MAX];
};

/* Requests go into a struct of zeros; target.failed or body.failed says that it did not work. */
struct rest_wire {
    bool has_login;               /* user and password as in RFC 7617; else there may be: */
    const char *token_field;      /* a field with the password */
    unsigned steps[DRIVER_TASKS]; /* requests of each task */
    void (*ask)(const struct driver_settings *settings, enum driver_task task, unsigned step,
                const struct driver_record *record, struct rest_request *request);
    enum driver_outcome (*judge)(enum driver_task task, unsigned step,
                                 const struct http_client_answer *answer, char why[REST_WHY_SIZE]);
    void (*ask_members)(const struct driver_settings *settings, const char *service, uint64_t index,
                        struct rest_request *request);
    /* `lookup` has the index that was asked with. `why` is set unless it is DONE. */
    enum driver_outcome (*read_members)(const struct conf_registry *conf,
                                        const struct http_client_answer *answer,
                                        struct rest_lookup *lookup, char why[REST_WHY_SIZE]);
};

/* What a status means as an answer to a step of a task. */
struct rest_verdict {
    enum driver_task task;
    unsigned step;
    int status;
    enum driver_outcome outcome;
};

/*
 * What the row for an answer says; without one: no answer, 408, 429 and 5xx are UNREACHABLE, 401
 * and 403 DENIED, other 4xx REJECTED; and UNREACHABLE is what makes no sense, 2xx too. `why` is set
 * unless it is DONE.
 */
enum driver_outcome rest_judge(const struct rest_verdict *rows, size_t n_rows,
                               enum driver_task task, unsigned step,
                               const struct http_client_answer *answer, char why[REST_WHY_SIZE]);

/* The same without rows, for what has no other meaning in a look-up. */
enum driver_outcome rest_refuse(const struct http_client_answer *answer, char why[REST_WHY_SIZE]);

/* Set the reason to this one. */
void rest_explain(char why[REST_WHY_SIZE], const char *phrase);

/* UNREACHABLE, since the answer is not what it has to be. */
enum driver_outcome rest_refuse_body(char why[REST_WHY_SIZE]);

/* The value as the body of the request, and give up the reference; NULL: it failed. */
void rest_set_body(struct rest_request *request, json_t *value);

void rest_request_clear(struct rest_request *request);

/*
 * The members of a list of a look-up: `read` says whether `entry` is one, and is not asked for
 * those that there is no room for.
 */
enum rest_entry { REST_MEMBER, REST_NO_MEMBER, REST_BAD_MEMBER };
void rest_read_list(const json_t *list,
                    enum rest_entry (*read)(const json_t *entry, struct member *member),
                    struct rest_lookup *lookup);

#endif
