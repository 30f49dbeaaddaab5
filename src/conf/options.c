/*
 * Every option that the program knows, except the keys that handlers bring
 * along. A new option is a new row here, a field in conf.h, a paragraph in
 * the manual and one in conf/zombie-server.conf.
 */
#include "config.h"

#include <assert.h>
#include <limits.h>
#include <stddef.h>

#include "conf/conf.h"
#include "conf/option.h"
#include "conf/registry_url.h"

#define FIELD(section, name, kind) \
    .key = #name, .type = (kind), .offset = offsetof(struct conf_##section, name)
#define RANGE(low, high) .min = (low), .max = (high)
#define END         \
    {               \
        .key = NULL \
    }

/* Longer than any name that useradd(8) makes. */
#define NAME_BYTES_MAX 255

/* 1 TiB, or what a long can hold. */
#define MEMORY_BYTES_MAX ((long)(LONG_MAX < 1LL << 40 ? LONG_MAX : 1LL << 40))

/* In the order of enum conf_crash_loop. */
static const char *const crash_loop_choices[] = {"retry", "exit", NULL};

/* In the order of enum conf_affinity. */
static const char *const affinity_choices[] = {"no", "auto", NULL};

/* In the order of enum log_level. */
static const char *const level_choices[] = {"error", "warning", "info", "debug", NULL};

/* In the order of enum log_format. */
static const char *const format_choices[] = {"text", "json", NULL};

static const char *const access_target_words[] = {"off", "stderr", "stdout", NULL};

/* In the order of enum conf_accept. */
static const char *const accept_choices[] = {"exclusive", "reuseport", NULL};

/* In the order of enum conf_balance. */
static const char *const balance_choices[] = {"round_robin", "least_conn", "ip_hash", "random_two",
                                              NULL};

/* In the order of the bits of enum conf_next. */
static const char *const next_choices[] = {"error",    "timeout",  "invalid_header", "http_500",
                                           "http_502", "http_503", "http_504",       "http_403",
                                           "http_404", "http_429", "non_idempotent", NULL};

static const char *const inherit_words[] = {"inherit", NULL};

static const char *const target_words[] = {"stderr", "stdout", NULL};

static const char *const control_words[] = {"auto", "off", NULL};

static const struct conf_option instance_options[] = {
    {FIELD(instance, containers, CONF_NUMBER), RANGE(1, 4096), .fallback = "1",
     .help = "containers that share this machine's CPUs; workers = auto takes one share"},
    {FIELD(instance, workers, CONF_WORKERS), RANGE(1, CONF_WORKERS_MAX), .fallback = "auto",
     .help = "worker processes, or auto: as many as there are CPUs for this container"},
    {FIELD(instance, max_workers, CONF_NUMBER), RANGE(1, CONF_WORKERS_MAX), .fallback = "256",
     .help = "most workers that may be ordered at run time, or configured"},
    {FIELD(instance, reserve_cpus, CONF_NUMBER), RANGE(0, 1023), .fallback = "0",
     .help = "CPUs that workers = auto leaves to others"},
    {FIELD(instance, user, CONF_TEXT), RANGE(0, NAME_BYTES_MAX), .fallback = "",
     .help = "user to become after binding; empty: stay as started"},
    {FIELD(instance, group, CONF_TEXT), RANGE(0, NAME_BYTES_MAX), .fallback = "",
     .help = "group to become; empty: the user's own"},
    {FIELD(instance, chroot, CONF_PATH), RANGE(0, PATH_MAX - 1), .fallback = "",
     .help = "folder that workers make their root; needs root; empty: none"},
    {FIELD(instance, pidfile, CONF_PATH), RANGE(0, PATH_MAX - 1), .fallback = "",
     .help = "file for the master's process id; empty: none"},
    {FIELD(instance, daemon, CONF_BOOL), .fallback = "no", .help = "whether to go to background"},
    {FIELD(instance, cpu_affinity, CONF_CHOICE), .choices = affinity_choices, .fallback = "no",
     .help = "auto: pin the worker of slot i to the i-th CPU that it may use"},
    {FIELD(instance, oom_score_adj, CONF_NUMBER), RANGE(0, 1000), .fallback = "300",
     .help = "how much sooner than the master a worker goes when memory is short"},
    {FIELD(instance, core_dumps, CONF_BOOL), .fallback = "no",
     .help = "whether workers may dump core, also after a change of user"},
    {FIELD(instance, landlock, CONF_BOOL), .fallback = "no",
     .help = "forbid workers to write files and to bind TCP ports, where the kernel can"},
    {FIELD(instance, grace_ms, CONF_NUMBER), RANGE(0, 3600000), .fallback = "8000",
     .help = "how long a worker may finish its requests before it is killed"},
    {FIELD(instance, drain_delay_ms, CONF_NUMBER), RANGE(0, 3600000), .fallback = "0",
     .help = "how long to go on accepting after a stop is asked for"},
    {FIELD(instance, drain_idle_ms, CONF_NUMBER), RANGE(0, 60000), .fallback = "500",
     .help = "how long a draining worker waits for a request on an idle connection"},
    {FIELD(instance, boot_timeout_ms, CONF_NUMBER), RANGE(100, 3600000), .fallback = "10000",
     .help = "how long a worker may take to say that it is ready"},
    {FIELD(instance, backoff_min_ms, CONF_NUMBER), RANGE(1, 60000), .fallback = "100",
     .help = "first pause before a worker that failed at once is replaced"},
    {FIELD(instance, backoff_max_ms, CONF_NUMBER), RANGE(1, 3600000), .fallback = "30000",
     .help = "longest such pause; never under backoff_min_ms"},
    {FIELD(instance, respawn_per_second, CONF_NUMBER), RANGE(1, 100000), .fallback = "200",
     .help = "crashed workers replaced in one second before replacements pause"},
    {FIELD(instance, respawn_per_10s, CONF_NUMBER), RANGE(1, 1000000), .fallback = "2000",
     .help = "crashed workers replaced in ten seconds before replacements pause"},
    {FIELD(instance, on_crash_loop, CONF_CHOICE), .choices = crash_loop_choices,
     .fallback = "retry", .help = "in a crash loop: retry more slowly, or exit"},
    {FIELD(instance, hang_timeout_ms, CONF_NUMBER), RANGE(0, 3600000), .fallback = "10000",
     .help = "how long a worker's loop may be stuck before it is killed; 0: no limit"},
    {FIELD(instance, hang_signal, CONF_SIGNAL), .fallback = "ABRT",
     .help = "signal for a stuck worker, a second before SIGKILL"},
    {FIELD(instance, max_requests, CONF_NUMBER), RANGE(0, 1000000000), .fallback = "0",
     .help = "requests after which a worker is replaced, staggered by slot; 0: no limit"},
    {FIELD(instance, max_memory, CONF_SIZE), RANGE(0, MEMORY_BYTES_MAX), .fallback = "0",
     .help = "resident memory after which a worker is replaced; 0: no limit"},
    {FIELD(instance, max_age_ms, CONF_NUMBER), RANGE(0, 2147483647), .fallback = "0",
     .help = "age after which a worker is replaced, staggered by slot; 0: no limit"},
    END};

static const struct conf_option listen_options[] = {
    {FIELD(listen, accept, CONF_CHOICE), .choices = accept_choices, .fallback = "exclusive",
     .help = "exclusive: one queue for all workers; reuseport: one for each"},
    {FIELD(listen, backlog, CONF_NUMBER), RANGE(1, 65535), .fallback = "4096",
     .help = "connections that may wait to be accepted (the kernel's somaxconn caps it)"},
    {FIELD(listen, mode, CONF_OCTAL), RANGE(0, 0777), .fallback = "0660",
     .help = "permission bits of the socket file; only for unix sockets"},
    END};

static const struct conf_option log_options[] = {
    {FIELD(log, level, CONF_CHOICE), .choices = level_choices, .fallback = "info",
     .help = "the least important lines to write: error, warning, info or debug"},
    {FIELD(log, format, CONF_CHOICE), .choices = format_choices, .fallback = "text",
     .help = "text for people or json for machines"},
    {FIELD(log, target, CONF_PATH), RANGE(1, PATH_MAX - 1), .choices = target_words,
     .fallback = "stderr", .help = "stderr, stdout or a file to append to"},
    END};

static const struct conf_option access_log_options[] = {
    {FIELD(access_log, target, CONF_PATH), RANGE(1, PATH_MAX - 1), .choices = access_target_words,
     .fallback = "off", .help = "off, stderr, stdout or a file to append to"},
    {FIELD(access_log, format, CONF_TEXT), RANGE(1, 4096), .fallback = "combined",
     .help = "common, combined, json or a format with $variables"},
    {FIELD(access_log, buffer_bytes, CONF_SIZE), RANGE(0, 1048576), .fallback = "64K",
     .help = "how much each worker collects before it writes; 0: each line at once"},
    {FIELD(access_log, flush_ms, CONF_NUMBER), RANGE(1, 60000), .fallback = "1000",
     .help = "how long a line waits for others at most"},
    END};

static const struct conf_option http_options[] = {
    {FIELD(http, keepalive_ms, CONF_NUMBER), RANGE(1, 86400000), .fallback = "75000",
     .help = "how long a connection may be idle"},
    {FIELD(http, keepalive_total_ms, CONF_NUMBER), RANGE(0, 86400000), .fallback = "3600000",
     .help = "age at which a connection is closed after its next answer; 0: none"},
    {FIELD(http, keepalive_requests, CONF_NUMBER), RANGE(0, 1000000000), .fallback = "10000",
     .help = "requests after which a connection is closed; 0: no limit"},
    {FIELD(http, header_ms, CONF_NUMBER), RANGE(1, 3600000), .fallback = "10000",
     .help = "how long a request's head may take, whatever arrives"},
    {FIELD(http, body_ms, CONF_NUMBER), RANGE(1, 86400000), .fallback = "120000",
     .help = "how long a request's body may take, whatever arrives"},
    {FIELD(http, send_ms, CONF_NUMBER), RANGE(1, 3600000), .fallback = "30000",
     .help = "how long a client may take nothing of its answer"},
    {FIELD(http, min_rate, CONF_SIZE), RANGE(0, 1073741824), .fallback = "500",
     .help = "bytes a second that a body or an answer must move, after 5 s; 0: any"},
    {FIELD(http, max_header_bytes, CONF_NUMBER), RANGE(256, 1048576), .fallback = "16384",
     .help = "largest request line and headers together"},
    {FIELD(http, max_headers, CONF_NUMBER), RANGE(1, 10000), .fallback = "100",
     .help = "most header lines of a request"},
    {FIELD(http, max_uri_bytes, CONF_NUMBER), RANGE(1, 1048576), .fallback = "8000",
     .help = "longest request target"},
    {FIELD(http, max_body_bytes, CONF_NUMBER), RANGE(0, 1073741824), .fallback = "1048576",
     .help = "largest request body, where its route does not say otherwise"},
    {FIELD(http, max_bodies_bytes, CONF_SIZE), RANGE(0, MEMORY_BYTES_MAX), .fallback = "256M",
     .help = "most memory that request bodies take in each worker, all together"},
    {FIELD(http, max_connections, CONF_NUMBER), RANGE(1, 1000000), .fallback = "10000",
     .help = "connections that each worker holds at most"},
    {FIELD(http, max_connections_per_client, CONF_NUMBER), RANGE(0, 1000000), .fallback = "0",
     .help = "connections that each worker holds of one client address; 0: no limit"},
    {FIELD(http, max_pipelined, CONF_NUMBER), RANGE(1, 1000000), .fallback = "100",
     .help = "requests that a client may send without waiting for an answer"},
    {FIELD(http, hosts, CONF_TEXTS), RANGE(1, 255), .fallback = "",
     .help = "host names that are answered, others get 421; none: all"},
    END};

static const struct conf_option chaos_options[] = {
    {FIELD(chaos, enabled, CONF_BOOL), .fallback = "no",
     .help = "whether requests may kill workers on purpose; for tests"},
    {FIELD(chaos, networks, CONF_NETWORKS), .fallback = "",
     .help = "networks whose clients may ask for it"},
    {FIELD(chaos, token, CONF_SECRET), RANGE(16, 256), .fallback = "",
     .help = "secret that such a request must carry; empty: none"},
    END};

static const struct conf_option control_options[] = {
    {FIELD(control, socket, CONF_PATH), RANGE(1, PATH_MAX - 1), .choices = control_words,
     .fallback = "auto", .help = "where zombiectl finds the master: auto, off or a path"},
    {FIELD(control, mode, CONF_OCTAL), RANGE(0, 0777), .fallback = "0600",
     .help = "permission bits of that socket's file: who may write may give orders"},
    {FIELD(control, user, CONF_TEXT), RANGE(0, NAME_BYTES_MAX), .fallback = "",
     .help = "owner of that file; empty: who starts the server"},
    {FIELD(control, group, CONF_TEXT), RANGE(0, NAME_BYTES_MAX), .fallback = "",
     .help = "group of that file; empty: that of who starts the server"},
    END};

static const struct conf_option admin_options[] = {
    {FIELD(admin, listen, CONF_TEXT), RANGE(3, PATH_MAX - 1), .fallback = "off",
     .help = "where status, metrics and the live page are: an address or off"},
    {FIELD(admin, token, CONF_SECRET), RANGE(16, 256), .fallback = "",
     .help = "secret for orders, and beyond loopback for reading, too; empty: no orders"},
    {FIELD(admin, hosts, CONF_TEXTS), RANGE(1, 255), .fallback = "",
     .help = "host names that are answered; none: on loopback its own names, else all"},
    END};

static const struct conf_option registry_options[] = {
    {FIELD(registry, type, CONF_CHOICE), .choices = conf_registry_types, .fallback = "none",
     .help = "who is told of this instance: none, eureka, consul, etcd, zookeeper, distributor"},
    {FIELD(registry, url, CONF_URLS), RANGE(1, REGISTRY_URL_BYTES_MAX), .fallback = "",
     .help = "servers of the registry, tried in this order"},
    {FIELD(registry, user, CONF_TEXT), RANGE(0, NAME_BYTES_MAX), .fallback = "",
     .help = "whom to log in as there; empty: nobody"},
    {FIELD(registry, password, CONF_SECRET), RANGE(1, 4096), .fallback = "",
     .help = "with which password, or token of Consul; empty: none"},
    {FIELD(registry, password_file, CONF_PATH), RANGE(0, PATH_MAX - 1), .fallback = "",
     .help = "file with that password; empty: none"},
    {.key = "register",
     .type = CONF_BOOL,
     .offset = offsetof(struct conf_registry, enroll),
     .fallback = "yes",
     .help = "whether to register this instance, or only to look others up"},
    {FIELD(registry, app, CONF_TEXT), RANGE(1, CONF_REGISTRY_NAME_MAX), .fallback = "zombie-server",
     .help = "name of the service that this instance is one of"},
    {FIELD(registry, instance_id, CONF_TEXT), RANGE(0, 191), .fallback = "",
     .help = "name of this instance in it; empty: HOST:APP:PORT"},
    {FIELD(registry, advertise_host, CONF_TEXT), RANGE(0, 253), .fallback = "",
     .help = "address or name for others; empty: that of the first TCP listener"},
    {FIELD(registry, advertise_port, CONF_NUMBER), RANGE(0, 65535), .fallback = "0",
     .help = "port for others; 0: that of the first TCP listener"},
    {FIELD(registry, heartbeat_ms, CONF_NUMBER), RANGE(100, 3600000), .fallback = "30000",
     .help = "how often the registry hears that this instance is there"},
    {FIELD(registry, ttl_ms, CONF_NUMBER), RANGE(1000, 86400000), .fallback = "90000",
     .help = "after which silence it forgets this instance; more than heartbeat_ms"},
    {FIELD(registry, timeout_ms, CONF_NUMBER), RANGE(100, 600000), .fallback = "5000",
     .help = "how long a server may take to connect and to answer"},
    {FIELD(registry, deregister_timeout_ms, CONF_NUMBER), RANGE(0, 60000), .fallback = "2000",
     .help = "how long leaving the registry may take when the instance stops"},
    {FIELD(registry, down_delay_ms, CONF_NUMBER), RANGE(0, 3600000), .fallback = "2000",
     .help = "how long no worker serves before the registry hears of it"},
    {FIELD(registry, refresh_ms, CONF_NUMBER), RANGE(100, 86400000), .fallback = "30000",
     .help = "how often services are looked up where the registry does not tell of changes"},
    {FIELD(registry, weight, CONF_NUMBER), RANGE(1, 65535), .fallback = "1",
     .help = "share of the requests that this instance wants"},
    {FIELD(registry, max_fails, CONF_NUMBER), RANGE(0, 1000000), .fallback = "2",
     .help = "failures after which others shall leave it out; 0: never"},
    {FIELD(registry, fail_timeout_ms, CONF_NUMBER), RANGE(1, 86400000), .fallback = "10000",
     .help = "in which time they count, and for how long it is left out"},
    {FIELD(registry, metadata, CONF_TEXTS), RANGE(2, 1024), .fallback = "",
     .help = "what else the registry is told: \"KEY=VALUE\""},
    {FIELD(registry, watch, CONF_TEXTS), RANGE(1, CONF_REGISTRY_NAME_MAX), .fallback = "",
     .help = "services that are looked up"},
    {FIELD(registry, prefix, CONF_TEXT), RANGE(2, 255), .fallback = "/services",
     .help = "under which keys of etcd or nodes of ZooKeeper services stand"},
    {FIELD(registry, cache_file, CONF_PATH), RANGE(0, PATH_MAX - 1), .fallback = "",
     .help = "file that keeps what was looked up for the next start; empty: none"},
    {FIELD(registry, ca_file, CONF_PATH), RANGE(0, PATH_MAX - 1), .fallback = "",
     .help = "certificates that https trusts (PEM); empty: those of the system"},
    {FIELD(registry, cert_file, CONF_PATH), RANGE(0, PATH_MAX - 1), .fallback = "",
     .help = "certificate of this client (PEM); empty: none"},
    {FIELD(registry, key_file, CONF_PATH), RANGE(0, PATH_MAX - 1), .fallback = "",
     .help = "its private key (PEM); empty: it is in cert_file"},
    END};

static const struct conf_option distributor_options[] = {
    {FIELD(distributor, listen, CONF_TEXT), RANGE(3, PATH_MAX - 1), .fallback = "127.0.0.1:9000",
     .help = "where zombie-distributor is reached by nodes"},
    {FIELD(distributor, max_nodes, CONF_NUMBER), RANGE(1, 1000000), .fallback = "10000",
     .help = "connections of nodes that it takes"},
    {FIELD(distributor, max_frame_bytes, CONF_SIZE), RANGE(1024, 16777216), .fallback = "64K",
     .help = "longest message of a node"},
    {FIELD(distributor, networks, CONF_NETWORKS), .fallback = "",
     .help = "networks that nodes may come from; none: all"},
    {FIELD(distributor, send_timeout_ms, CONF_NUMBER), RANGE(1, 3600000), .fallback = "30000",
     .help = "how long a node may take to read a list"},
    {FIELD(distributor, keepalive_ms, CONF_NUMBER), RANGE(1000, 86400000), .fallback = "30000",
     .help = "after which silence of its machine a node is gone"},
    {FIELD(distributor, control, CONF_PATH), RANGE(1, PATH_MAX - 1), .choices = control_words,
     .fallback = "auto", .help = "where its state can be asked for: auto, off or a path"},
    END};

static const struct conf_option upstream_options[] = {
    {FIELD(upstream, from_registry, CONF_BOOL), .fallback = "no",
     .help = "whether the instances of the service of this title are servers, too"},
    {FIELD(upstream, balance, CONF_CHOICE), .choices = balance_choices, .fallback = "round_robin",
     .help = "who is next: round_robin, least_conn, ip_hash or random_two"},
    {FIELD(upstream, keepalive, CONF_NUMBER), RANGE(0, 65535), .fallback = "32",
     .help = "idle connections that each worker keeps; 0: none"},
    {FIELD(upstream, keepalive_idle_ms, CONF_NUMBER), RANGE(1, 86400000), .fallback = "60000",
     .help = "how long such a connection is kept"},
    {FIELD(upstream, keepalive_requests, CONF_NUMBER), RANGE(0, 1000000000), .fallback = "1000",
     .help = "requests after which a connection is closed; 0: no limit"},
    {FIELD(upstream, connect_timeout_ms, CONF_NUMBER), RANGE(1, 3600000), .fallback = "5000",
     .help = "how long a server may take to accept a connection"},
    {FIELD(upstream, send_timeout_ms, CONF_NUMBER), RANGE(1, 86400000), .fallback = "60000",
     .help = "how long a server may take nothing of a request"},
    {FIELD(upstream, read_timeout_ms, CONF_NUMBER), RANGE(1, 86400000), .fallback = "60000",
     .help = "how long a server may send nothing of its answer"},
    {.key = "next_upstream",
     .type = CONF_WORDS,
     .offset = offsetof(struct conf_upstream, next),
     .choices = next_choices,
     .fallback = "error timeout",
     .help = "failures after which another server is tried; off: none"},
    {.key = "next_upstream_tries",
     .type = CONF_NUMBER,
     .offset = offsetof(struct conf_upstream, next_tries),
     RANGE(0, 1000),
     .fallback = "0",
     .help = "tries of one request, the first one counts; 0: no limit"},
    {.key = "next_upstream_timeout_ms",
     .type = CONF_NUMBER,
     .offset = offsetof(struct conf_upstream, next_timeout_ms),
     RANGE(0, 86400000),
     .fallback = "0",
     .help = "time after which no further try begins; 0: no limit"},
    {FIELD(upstream, retry_body_bytes, CONF_SIZE), RANGE(0, 1073741824), .fallback = "64K",
     .help = "request bodies up to this are kept for another try"},
    {FIELD(upstream, max_header_bytes, CONF_SIZE), RANGE(256, 1048576), .fallback = "32K",
     .help = "largest head of an answer"},
    {FIELD(upstream, eject_latency, CONF_NUMBER), RANGE(0, 1000), .fallback = "0",
     .help = "how many times slower than the others is too slow; 0: none is"},
    END};

static const struct conf_option server_options[] = {
    {FIELD(server, weight, CONF_NUMBER), RANGE(1, 65535), .fallback = "1",
     .help = "its share of the requests"},
    {FIELD(server, max_fails, CONF_NUMBER), RANGE(0, 1000000), .fallback = "1",
     .help = "failures within fail_timeout_ms that leave it out; 0: never"},
    {FIELD(server, fail_timeout_ms, CONF_NUMBER), RANGE(1, 86400000), .fallback = "10000",
     .help = "in which time failures count, and for how long it is left out"},
    {FIELD(server, max_conns, CONF_NUMBER), RANGE(0, 1000000), .fallback = "0",
     .help = "requests that it gets at once, of all workers; 0: no limit"},
    {FIELD(server, slow_start_ms, CONF_NUMBER), RANGE(0, 86400000), .fallback = "0",
     .help = "how long its weight grows once it is back; 0: at once"},
    {FIELD(server, backup, CONF_BOOL), .fallback = "no",
     .help = "whether it is asked only when the others are not there"},
    {FIELD(server, down, CONF_BOOL), .fallback = "no", .help = "whether it is never asked"},
    END};

static const struct conf_option check_options[] = {
    {FIELD(check_rule, path, CONF_TEXT), RANGE(0, 1024), .fallback = "",
     .help = "what each server is asked for, to see that it is well; empty: nothing"},
    {FIELD(check_rule, interval_ms, CONF_NUMBER), RANGE(100, 86400000), .fallback = "5000",
     .help = "how long after a check the next one begins"},
    {FIELD(check_rule, timeout_ms, CONF_NUMBER), RANGE(1, 3600000), .fallback = "1000",
     .help = "how long a check may take"},
    {FIELD(check_rule, rise, CONF_NUMBER), RANGE(1, 1000), .fallback = "2",
     .help = "good checks in a row that bring a server back"},
    {FIELD(check_rule, fall, CONF_NUMBER), RANGE(1, 1000), .fallback = "3",
     .help = "bad checks in a row that leave it out"},
    {.key = "status",
     .type = CONF_SPAN,
     .offset = offsetof(struct conf_check_rule, status_min),
     RANGE(100, 599),
     .fallback = "200..399",
     .help = "status codes that are good"},
    END};

static_assert(offsetof(struct conf_check_rule, status_max) ==
                  offsetof(struct conf_check_rule, status_min) + sizeof(long),
              "CONF_SPAN fills both");

static const struct conf_option route_options[] = {
    {.key = "handler",
     .type = CONF_TEXT,
     .offset = offsetof(struct conf_route, handler_name),
     RANGE(1, NAME_BYTES_MAX),
     .help = "which handler answers requests for this pattern"},
    {FIELD(route, timeout_ms, CONF_NUMBER), RANGE(0, 86400000), .fallback = "0",
     .help = "after this long without an answer, 503 is given; 0: no limit"},
    {FIELD(route, timeout_text, CONF_TEXT), RANGE(0, 65536),
     .fallback = "503 Service Unavailable: this took too long\n", .help = "what that answer says"},
    {FIELD(route, max_body, CONF_SIZE), RANGE(0, 1073741824), .choices = inherit_words,
     .fallback = "inherit", .help = "largest request body; inherit: http.max_body_bytes"},
    {FIELD(route, allow, CONF_NETWORKS), .fallback = "",
     .help = "networks whose clients are answered, others get 403; none: all"},
    {FIELD(route, deny, CONF_NETWORKS), .fallback = "",
     .help = "networks whose clients get 403, whatever allow says"},
    {FIELD(route, headers, CONF_FIELDS), RANGE(3, 4096), .fallback = "",
     .help = "header fields that every answer of this route has"},
    {FIELD(route, access_log, CONF_BOOL), .fallback = "yes",
     .help = "whether its requests stand in the access log"},
    END};

const struct conf_section conf_sections[] = {
    {.name = "instance", .offset = offsetof(struct conf, instance), .options = instance_options},
    {.name = "listen", .titled = true, .replaces = true, .options = listen_options},
    {.name = "log", .offset = offsetof(struct conf, log), .options = log_options},
    {.name = "access_log",
     .offset = offsetof(struct conf, access_log),
     .options = access_log_options},
    {.name = "http", .offset = offsetof(struct conf, http), .options = http_options},
    {.name = "control", .offset = offsetof(struct conf, control), .options = control_options},
    {.name = "admin", .offset = offsetof(struct conf, admin), .options = admin_options},
    {.name = "chaos", .offset = offsetof(struct conf, chaos), .options = chaos_options},
    {.name = "registry", .offset = offsetof(struct conf, registry), .options = registry_options},
    {.name = "distributor",
     .offset = offsetof(struct conf, distributor),
     .options = distributor_options},
    {.name = "upstream", .titled = true, .options = upstream_options},
    {.name = "server",
     .parent = "upstream",
     .titled = true,
     .replaces = true,
     .options = server_options},
    {.name = "check",
     .parent = "upstream",
     .offset = offsetof(struct conf_upstream, check),
     .options = check_options},
    {.name = "route", .titled = true, .options = route_options, .selector = "handler"},
    {.name = NULL}};
