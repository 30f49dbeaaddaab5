#include "config.h"

#include "cluster/purpose.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "control/path.h"

/* Operators who ask at the same time. */
#define CONTROL_BACKLOG 32

static void find_admin(const struct conf *conf, struct purpose_listens *listens)
{
    if (!conf_admin_listen(conf, &listens->own))
        return;
    listens->own.announcement = "the admin role listens on";
    listens->items = &listens->own;
    listens->n = 1;
}

/* Whether there is a place for it when nobody says where; if not, the log knows why. */
static bool find_usual_path(char path[CONTROL_PATH_SIZE])
{
    int err = control_path_default(path);
    if (err != 0) {
        log_warning("no control socket: its usual place cannot be used (%s), set control.socket",
                    strerror(-err));
        return false;
    }
    err = control_path_make_folder(path);
    if (err == 0)
        return true;
    const char *fault = control_path_fault(path);
    log_warning("no control socket at %s: %s; mend that and reload, or set control.socket", path,
                fault != NULL ? fault : strerror(-err));
    return false;
}

/* The default place of the socket may be taken by another instance, or not be ours to write. */
static bool find_path(const struct conf_control *control, char path[CONTROL_PATH_SIZE],
                      bool *ret_optional)
{
    *ret_optional = strcmp(control->socket, "auto") == 0;
    if (!*ret_optional) {
        snprintf(path, CONTROL_PATH_SIZE, "%s", control->socket);
        return path[0] == '/';
    }
    return find_usual_path(path);
}

static void find_control(const struct conf *conf, struct purpose_listens *listens)
{
    const struct conf_control *control = &conf->control;
    char path[CONTROL_PATH_SIZE];
    const char *why;
    if (!find_path(control, path, &listens->optional))
        return;
    listens->own = (struct conf_listen){.title = listens->title,
                                        .backlog = CONTROL_BACKLOG,
                                        .mode = control->mode,
                                        .user = control->user,
                                        .group = control->group,
                                        .announcement = "zombiectl is heard on"};
    snprintf(listens->title, sizeof listens->title, "unix:%s", path);
    if (address_parse(listens->title, &listens->own.address, &why) != 0) {
        log_warning("no control socket: %s: %s", path, why);
        return;
    }
    listens->items = &listens->own;
    listens->n = 1;
}

void purpose_find(const struct conf *conf, enum purpose purpose,
                  struct purpose_listens *ret_listens)
{
    *ret_listens = (struct purpose_listens){.n = 0};
    switch (purpose) {
    case PURPOSE_CLIENTS:
        ret_listens->items = conf->listens;
        ret_listens->n = conf->n_listens;
        break;
    case PURPOSE_ADMIN:
        find_admin(conf, ret_listens);
        break;
    case PURPOSE_CONTROL:
        find_control(conf, ret_listens);
        break;
    case PURPOSES:
        break;
    }
}
