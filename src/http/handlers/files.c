/* Answers with files: what nginx does with `root`, Go with http.FileServer. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/handlers/files_folder.h"
#include "http/handlers/files_listing.h"
#include "http/handlers/files_open.h"
#include "http/handlers/files_path.h"
#include "http/handlers/files_send.h"
#include "http/handlers/files_types.h"
#include "http/handlers/files_variant.h"
#include "http/handlers/handler.h"
#include "http/negotiate.h"
#include "http/octets.h"
#include "http/reply.h"
#include "http/request.h"

struct files_settings {
    char *root;
    struct conf_list index;
    bool autoindex;
    struct conf_list types;
    bool precompressed;
    bool dot_files;
    char *cache_control;
    char *fallback;
    int symlinks; /* enum files_symlinks */
};

/* Of one route in one worker. */
struct files_state {
    struct files_root root;
    struct files_types types;
};

#define NOT_THERE "there is no such file"

static void serve_error(struct http_request *request, int status)
{
    static const struct {
        int status;
        const char *detail;
    } details[] = {
        {403, "this may not be read"},
        {404, NOT_THERE},
        {503, "the server is short of means, try again"},
    };
    for (size_t i = 0; i < sizeof details / sizeof details[0]; i++)
        if (details[i].status == status) {
            reply_error(request, status, details[i].detail);
            return;
        }
    reply_error(request, status, "the file cannot be read");
}

/* Answer with the regular file that was opened at `path`, or with a compressed form of it. */
static void serve_file(struct http_request *request, const char *path, int fd,
                       const struct stat *found)
{
    const struct files_settings *settings = request_settings(request);
    const struct files_state *state = request_state(request);
    struct stat form = *found;
    struct files_choice choice = {
        .fd = fd,
        .type = mime_lookup(state->types.extra, state->types.n, path),
        .cache_control = settings->cache_control[0] != '\0' ? settings->cache_control : NULL,
    };
    if (settings->precompressed) {
        int compressed = files_variant_open(
            &state->root, path, request_header(request, "Accept-Encoding"), &form, &choice.coding);
        choice.vary = "Accept-Encoding";
        if (compressed >= 0) {
            close(fd);
            choice.fd = compressed;
        }
    }
    choice.size = (uint64_t)form.st_size;
    choice.mtime = form.st_mtim;
    files_send(request, &choice);
}

/* Answer with `path` if a regular file is there. Returns 0, or -errno and nothing was answered. */
static int try_file(struct http_request *request, const char *path)
{
    const struct files_state *state = request_state(request);
    struct stat found;
    int fd = files_open(&state->root, path, FILES_READ, &found);
    if (fd < 0)
        return fd;
    if (!S_ISREG(found.st_mode)) {
        close(fd);
        return S_ISDIR(found.st_mode) ? -EISDIR : -ENXIO;
    }
    serve_file(request, path, fd, &found);
    return 0;
}

/* Nothing can be served at the path: the fallback file or else that status. */
static void serve_nothing(struct http_request *request, int status)
{
    const struct files_settings *settings = request_settings(request);
    bool is_absent = status == 404 || status == 0;
    if (is_absent && settings->fallback[0] != '\0' && try_file(request, settings->fallback) == 0)
        return;
    if (status == 0)
        reply_error(request, 403, "folders are not listed");
    else
        serve_error(request, status);
}

/* "/a" is a folder: to "/a/". As sent, so that nothing needs escaping. */
static void redirect_to_folder(struct http_request *request)
{
    const char *path = request_raw_path(request);
    const char *query = request_query(request);
    char *location = NULL;
    /* A second slash in front would lead to another host. */
    path += strspn(path, "/");
    if (asprintf(&location, "/%s/%s%s", path, query[0] != '\0' ? "?" : "", query) < 0) {
        reply_error(request, 503, "out of memory");
        return;
    }
    struct reply_header headers[] = {{"Location", location}, {NULL, NULL}};
    static const char body[] = "301 Moved Permanently: a folder's path ends with a slash\n";
    struct reply reply = {.status = 301,
                          .type = "text/plain; charset=utf-8",
                          .body = body,
                          .len = sizeof body - 1,
                          .headers = headers};
    reply_send(request, &reply);
    free(location);
}

static void send_listing(struct http_request *request, const struct files_folder *folder,
                         bool has_parent)
{
    static const char *const offers[] = {"text/html", "application/json"};
    static const char *const types[] = {"text/html; charset=utf-8", "application/json"};
    static const struct reply_header headers[] = {
        {"Vary", "Accept"},
        {"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"},
        {NULL, NULL}};
    size_t form = negotiate_type(request_header(request, "Accept"), offers, 2);
    size_t len;
    char *text = files_listing_write(folder, request_path(request), has_parent,
                                     (enum files_listing)form, &len);
    if (text == NULL) {
        reply_error(request, 503, "out of memory");
        return;
    }
    struct reply reply = {
        .status = 200, .type = types[form], .body = text, .len = len, .headers = headers};
    reply_send(request, &reply);
    free(text);
}

static void serve_listing(struct http_request *request, const char *path, int fd)
{
    const struct files_settings *settings = request_settings(request);
    const struct files_state *state = request_state(request);
    struct files_folder folder;
    int rc = files_folder_read(&state->root, path, fd, settings->dot_files, &folder);
    if (rc < 0) {
        serve_error(request, files_error_status(rc, clock_now_ms()));
        return;
    }
    send_listing(request, &folder, path[0] != '\0');
    files_folder_clear(&folder);
}

/* Answer with the first index file that is there. Returns 0, or the -errno of the last. */
static int try_index(struct http_request *request, const char *path)
{
    const struct files_settings *settings = request_settings(request);
    char name[PATH_MAX];
    int rc = -ENOENT;
    for (size_t i = 0; i < settings->index.n && (rc == -ENOENT || rc == -EISDIR); i++) {
        rc = files_path_join(path, settings->index.items[i], name, sizeof name);
        if (rc == 0)
            rc = try_file(request, name);
        if (rc == 0)
            return 0;
    }
    return rc == -EISDIR ? -ENOENT : rc;
}

static void serve_folder(struct http_request *request, const char *path)
{
    const struct files_settings *settings = request_settings(request);
    const struct files_state *state = request_state(request);
    struct stat found;
    int rc = try_index(request, path);
    if (rc == 0)
        return;
    if (rc == -ENOENT)
        rc = files_open(&state->root, path, FILES_FOLDER, &found);
    if (rc < 0)
        serve_nothing(request, files_error_status(rc, clock_now_ms()));
    else if (settings->autoindex)
        serve_listing(request, path, rc);
    else {
        close(rc);
        serve_nothing(request, 0);
    }
}

static void serve_path(struct http_request *request, const char *path)
{
    int rc = try_file(request, path);
    if (rc == -EISDIR)
        redirect_to_folder(request);
    else if (rc < 0)
        serve_nothing(request, files_error_status(rc, clock_now_ms()));
}

static void serve(struct http_request *request)
{
    const struct files_settings *settings = request_settings(request);
    struct files_state *state = request_state(request);
    const char *path = request_path_below(request);
    if (files_path_hides_slash(request_raw_path(request)) ||
        !files_path_is_safe(path, settings->dot_files)) {
        reply_error(request, 404, NOT_THERE);
        return;
    }
    files_root_refresh(&state->root, clock_now_ms());
    if (files_path_is_folder(path))
        serve_folder(request, path);
    else
        serve_path(request, path);
}

static int init(const struct conf_route *route, void **ret_state)
{
    const struct files_settings *settings = route->settings;
    struct files_state *state = calloc(1, sizeof *state);
    if (state == NULL)
        return -ENOMEM;
    int rc = files_types_make(&settings->types, &state->types);
    if (rc < 0) {
        free(state);
        return rc;
    }
    files_root_open(&state->root, settings->root, (enum files_symlinks)settings->symlinks,
                    clock_now_ms());
    *ret_state = state;
    return 0;
}

static void drop(void *arg)
{
    struct files_state *state = arg;
    files_root_close(&state->root);
    files_types_clear(&state->types);
    free(state);
}

/* A path that stays below the root, and names a file. */
static bool names_file(const char *path)
{
    return files_path_is_safe(path, true) && !files_path_is_folder(path);
}

static const char *check(const void *arg)
{
    const struct files_settings *settings = arg;
    for (size_t i = 0; i < settings->index.n; i++)
        if (!names_file(settings->index.items[i]))
            return "index: each item is a file below the folder, such as \"index.html\"";
    for (size_t i = 0; i < settings->types.n; i++)
        if (!files_types_is_valid(settings->types.items[i]))
            return "types: each item is an extension and a media type, such as "
                   "\"wasm application/wasm\"";
    if (settings->fallback[0] != '\0' && !names_file(settings->fallback))
        return "fallback: it is a file below root, without a slash in front";
    if (octets_text(settings->cache_control, strlen(settings->cache_control)) !=
        strlen(settings->cache_control))
        return "cache_control: it has control characters";
    return NULL;
}

static const char *const symlinks[] = {"beneath", "none", NULL};

static const struct conf_option options[] = {
    {.key = "root",
     .type = CONF_PATH,
     .offset = offsetof(struct files_settings, root),
     .min = 1,
     .max = PATH_MAX - 1,
     .help = "the folder whose files are served"},
    {.key = "index",
     .type = CONF_TEXTS,
     .offset = offsetof(struct files_settings, index),
     .min = 1,
     .max = NAME_MAX,
     .fallback = "index.html",
     .help = "the files that stand for their folder, the first that is there"},
    {.key = "autoindex",
     .type = CONF_BOOL,
     .offset = offsetof(struct files_settings, autoindex),
     .fallback = "no",
     .help = "whether folders without such a file are listed"},
    {.key = "types",
     .type = CONF_TEXTS,
     .offset = offsetof(struct files_settings, types),
     .min = 1,
     .max = FILES_TYPE_MAX,
     .fallback = "",
     .help = "media types beyond the built-in ones: \"extension type/subtype\""},
    {.key = "precompressed",
     .type = CONF_BOOL,
     .offset = offsetof(struct files_settings, precompressed),
     .fallback = "no",
     .help = "whether NAME.br and NAME.gz stand for NAME where a client takes them"},
    {.key = "dot_files",
     .type = CONF_BOOL,
     .offset = offsetof(struct files_settings, dot_files),
     .fallback = "no",
     .help = "whether names that begin with a dot are served"},
    {.key = "cache_control",
     .type = CONF_TEXT,
     .offset = offsetof(struct files_settings, cache_control),
     .max = 256,
     .fallback = "",
     .help = "Cache-Control of each file; empty: none"},
    {.key = "fallback",
     .type = CONF_TEXT,
     .offset = offsetof(struct files_settings, fallback),
     .max = PATH_MAX - 1,
     .fallback = "",
     .help = "the file below root for paths where nothing is; empty: 404"},
    {.key = "symlinks",
     .type = CONF_CHOICE,
     .offset = offsetof(struct files_settings, symlinks),
     .choices = symlinks,
     .fallback = "beneath",
     .help = "symbolic links that are followed: those that stay below root, or none"},
    {.key = NULL},
};

const struct handler handler_files = {
    .conf = {.name = "files",
             .methods = "GET, HEAD",
             .opens_files = true,
             .options = options,
             .settings_size = sizeof(struct files_settings),
             .check = check},
    .init = init,
    .serve = serve,
    .drop = drop,
};
