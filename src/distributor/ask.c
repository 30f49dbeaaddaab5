#include "config.h"

#include "distributor/ask.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <event2/event.h>
#include <jansson.h>

#include "base/utf8.h"
#include "conf/conf.h"
#include "control/client.h"
#include "distributor/control_socket.h"

/* How long an answer may take. */
#define PATIENCE_S 10

struct question {
    struct event_base *base;
    json_t *nodes;
    json_t *result; /* NULL: none has come */
    char error[256];
};

static void on_line(const json_t *line, bool is_last, void *arg)
{
    struct question *question = arg;
    json_t *nodes = json_object_get(line, "nodes");
    const char *text = json_string_value(json_object_get(line, "text"));
    if (nodes != NULL)
        json_array_extend(question->nodes, nodes);
    if (!is_last)
        return;
    question->result = json_incref(json_object_get(line, "result"));
    if (question->result == NULL)
        snprintf(question->error, sizeof question->error, "%s",
                 text != NULL ? text : "the connection has ended before the answer did");
    event_base_loopbreak(question->base);
}

/* Returns 0, or an exit status and has said why. */
static int ask(struct question *question, const char *path)
{
    static const struct timeval patience = {PATIENCE_S, 0};
    struct control_client *client;
    int err = control_client_connect(question->base, path, &client);
    if (err != 0) {
        fprintf(stderr, "zombie-distributor: nobody answers on %s: %s\n", path, strerror(-err));
        return EX_UNAVAILABLE;
    }
    snprintf(question->error, sizeof question->error, "no answer in %d s", PATIENCE_S);
    event_base_loopexit(question->base, &patience);
    if (control_client_ask(client, "status", NULL, on_line, question) != 0)
        event_base_dispatch(question->base);
    control_client_free(client);
    if (question->result != NULL)
        return 0;
    fprintf(stderr, "zombie-distributor: %s\n", question->error);
    return EX_UNAVAILABLE;
}

/* What a node calls itself may be anything; a terminal would obey it. */
static void print_name(const char *name)
{
    size_t left = strlen(name);
    while (left > 0) {
        size_t len = utf8_sequence_length(name, left);
        const unsigned char *bytes = (const unsigned char *)name;
        bool is_control = len == 0 || bytes[0] < 0x20 || bytes[0] == 0x7f ||
                          (bytes[0] == 0xc2 && bytes[1] < 0xa0);
        fprintf(stdout, "%.*s", is_control ? 1 : (int)len, is_control ? "?" : name);
        name += len > 0 ? len : 1;
        left -= len > 0 ? len : 1;
    }
}

static long long number(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static void print_port(const json_t *port)
{
    if (json_is_string(port))
        printf("%-5s  ", json_string_value(port));
    else
        printf("%-5lld  ", (long long)json_integer_value(port));
}

static void print_nodes(const json_t *nodes)
{
    size_t i;
    const json_t *node;
    if (json_array_size(nodes) > 0)
        printf("\n%-24s  %-39s  %-5s  %4s  %s\n", "SINCE", "HOST", "PORT", "URLS", "NAME");
    json_array_foreach(nodes, i, node)
    {
        printf("%-24s  %-39s  ", json_string_value(json_object_get(node, "since")),
               json_string_value(json_object_get(node, "host")));
        print_port(json_object_get(node, "port"));
        printf("%4lld  ", number(node, "urls"));
        print_name(json_string_value(json_object_get(node, "name")));
        putchar('\n');
    }
}

static void print_text(const json_t *result, const json_t *nodes)
{
    const json_t *counted = json_object_get(result, "counted");
    const json_t *refused = json_object_get(counted, "refused");
    printf("zombie-distributor %s, pid %lld, on %s, up for %lld s\n",
           json_string_value(json_object_get(result, "version")), number(result, "pid"),
           json_string_value(json_object_get(result, "listen")),
           number(result, "uptime_ms") / 1000);
    printf("nodes        %lld of %lld, %lld behind, list of %lld bytes\n",
           number(result, "node_count"), number(result, "max_nodes"), number(result, "behind"),
           number(result, "list_bytes"));
    printf("connections  %lld, %lld since the start\n", number(result, "open_connections"),
           number(counted, "connections"));
    printf("frames       %lld read, %lld broadcasts, %lld answers, %lld bytes sent\n",
           number(counted, "frames"), number(counted, "broadcasts"), number(counted, "answers"),
           number(counted, "sent_bytes"));
    printf("refused      %lld network, %lld full, %lld garbage, %lld slow\n",
           number(refused, "network"), number(refused, "full"), number(refused, "garbage"),
           number(refused, "slow"));
    print_nodes(nodes);
    if (number(result, "nodes_told") < number(result, "node_count"))
        printf("... and %lld more\n", number(result, "node_count") - number(result, "nodes_told"));
}

static int print(const struct question *question, bool as_json)
{
    if (as_json) {
        json_object_set(question->result, "nodes", question->nodes);
        json_dumpf(question->result, stdout, JSON_COMPACT);
        putchar('\n');
    } else {
        print_text(question->result, question->nodes);
    }
    return fflush(stdout) == 0 ? 0 : EX_IOERR;
}

int ask_status(const struct conf *conf, bool as_json)
{
    char path[CONTROL_PATH_SIZE] = "";
    struct question question = {.base = event_base_new(), .nodes = json_array()};
    int status = EX_OSERR;
    if (control_socket_path(conf->distributor.control, path) != 0 || path[0] == '\0') {
        fprintf(stderr, "zombie-distributor: distributor.control is off or has too long a path\n");
        status = EX_CONFIG;
    } else if (question.base != NULL && question.nodes != NULL) {
        status = ask(&question, path);
        if (status == 0)
            status = print(&question, as_json);
    }
    json_decref(question.result);
    json_decref(question.nodes);
    if (question.base != NULL)
        event_base_free(question.base);
    return status;
}
