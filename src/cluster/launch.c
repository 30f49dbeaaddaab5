#include "config.h"

#include "cluster/launch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/number.h"
#include "cluster/handover.h"
#include "cluster/support.h"
#include "host/activation.h"
#include "worker/handlers.h"

#define SELF "/proc/self/exe"

static bool is_this_program(const char *path)
{
    struct stat named, running;
    return stat(path, &named) == 0 && stat(SELF, &running) == 0 && named.st_dev == running.st_dev &&
           named.st_ino == running.st_ino;
}

/* The first program of that name in PATH, as the shell has found it (execvp(3)). */
static char *search_path(const char *name)
{
    const char *variable = getenv("PATH");
    char *folders = strdup(variable != NULL ? variable : "");
    char *save = NULL, *path = NULL;
    for (char *folder = folders != NULL ? strtok_r(folders, ":", &save) : NULL; folder != NULL;
         folder = strtok_r(NULL, ":", &save)) {
        if (asprintf(&path, "%s/%s", folder, name) < 0)
            path = NULL;
        if (path != NULL && is_this_program(path))
            break;
        free(path);
        path = NULL;
    }
    free(folders);
    return path;
}

static char *join(const char *folder, const char *path)
{
    char *joined = NULL;
    if (path[0] == '/' || folder == NULL)
        return strdup(path);
    return asprintf(&joined, "%s/%s", folder, path) < 0 ? NULL : joined;
}

/* The file itself, for a name that leads elsewhere: argv[0] may say anything. */
static char *real_program(void)
{
    char path[PATH_MAX];
    ssize_t len = readlink(SELF, path, sizeof path - 1);
    if (len < 0)
        return NULL;
    path[len] = '\0';
    return strdup(path);
}

/*
 * The name that the program was called by, since it may be a symbolic link that
 * an update moves on; but only if it is really the name of this program.
 */
static char *find_program(const char *name, const char *folder)
{
    char *path = strchr(name, '/') != NULL ? join(folder, name) : search_path(name);
    if (path != NULL && is_this_program(path))
        return path;
    free(path);
    return real_program();
}

/* The variable is for this process only: its children shall not take it for theirs. */
static int take_state_fd(void)
{
    char *text = getenv(LAUNCH_STATE_VARIABLE);
    long fd = -1;
    if (text == NULL)
        return -1;
    if (number_parse(text, 3, INT_MAX, &fd) != 0)
        fd = -1;
    unsetenv(LAUNCH_STATE_VARIABLE);
    /* /proc/PID/environ of all workers would go on showing it. */
    char *entry = text - sizeof LAUNCH_STATE_VARIABLE;
    memset(entry, '\0', strlen(entry));
    return (int)fd;
}

int launch_note(char *const *argv, const struct conf_args *args, struct launch *ret_launch)
{
    *ret_launch = (struct launch){
        .args = args,
        .argv = argv,
        .folder = getcwd(NULL, 0),
        .state_fd = take_state_fd(),
    };
    ret_launch->program = find_program(argv[0], ret_launch->folder);
    int n = activation_take(&ret_launch->first_socket);
    ret_launch->n_sockets = n > 0 ? (size_t)n : 0;
    return n < 0 ? n : 0;
}

void launch_clear(struct launch *launch)
{
    free(launch->folder);
    free(launch->program);
    *launch = (struct launch){.state_fd = -1};
}

int launch_enter_folder(const struct launch *launch)
{
    char *here = getcwd(NULL, 0);
    bool is_there = here != NULL && launch->folder != NULL && strcmp(here, launch->folder) == 0;
    free(here);
    return launch->folder == NULL || is_there || chdir(launch->folder) == 0 ? 0 : -errno;
}

void launch_leave_folder(const struct launch *launch, const char *here)
{
    if (here != NULL && launch->folder != NULL && strcmp(here, launch->folder) != 0 &&
        chdir(here) != 0)
        log_warning("cannot change back to the folder %s: %s", here, strerror(errno));
}

/* A configuration that this program can do, too. */
static int load(const struct conf_args *args, struct conf **ret_conf, char error[CONF_ERROR_SIZE])
{
    struct conf *conf = NULL;
    int err = conf_load(args, handlers_conf, &conf, error);
    if (err == 0)
        err = support_check(conf, error);
    if (err == 0)
        *ret_conf = conf;
    else
        conf_free(conf);
    return err;
}

int launch_load(const struct launch *launch, struct conf **ret_conf, char error[CONF_ERROR_SIZE])
{
    char *here = getcwd(NULL, 0);
    int err = launch_enter_folder(launch);
    if (err != 0)
        log_warning("cannot change to the folder %s: %s, relative paths cannot be found",
                    launch->folder, strerror(-err));
    err = load(launch->args, ret_conf, error);
    launch_leave_folder(launch, here);
    free(here);
    return err;
}

/* What the predecessor had in force: the reload that follows will tell what is wrong now. */
static int load_inherited(const struct launch *launch, struct conf **ret_conf,
                          char error[CONF_ERROR_SIZE])
{
    char path[32], why[STATE_ERROR_SIZE];
    struct state state;
    if (handover_read(launch, &state, why) != 0)
        return -EINVAL;
    snprintf(path, sizeof path, "/proc/self/fd/%d", state.configuration_fd);
    const struct conf_args args = {.action = CONF_ACTION_RUN, .file = path, .file_only = true};
    int err = load(&args, ret_conf, error);
    state_clear(&state);
    return err;
}

int launch_load_first(const struct launch *launch, struct conf **ret_conf,
                      char error[CONF_ERROR_SIZE])
{
    bool is_upgrade = launch->state_fd >= 0 && launch->args->action == CONF_ACTION_RUN;
    int err = launch_load(launch, ret_conf, error);
    return err != 0 && is_upgrade ? load_inherited(launch, ret_conf, error) : err;
}
