/*
 * Which listeners a configuration wants for whom. Where the control socket is by
 * default is for the test to say.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/purpose.h"
#include "control/path.h"

int __wrap_control_path_default(char ret_path[CONTROL_PATH_SIZE]);
int __wrap_control_path_make_folder(const char *path);

static int default_result;
static int folder_result;
static char folder_made[CONTROL_PATH_SIZE];

int __wrap_control_path_default(char ret_path[CONTROL_PATH_SIZE])
{
    if (default_result == 0)
        (void)snprintf(ret_path, CONTROL_PATH_SIZE, "/run/test/control.sock");
    return default_result;
}

int __wrap_control_path_make_folder(const char *path)
{
    (void)snprintf(folder_made, sizeof(folder_made), "%s", path);
    return folder_result;
}

static char off[] = "off", socket_auto[] = "auto", none[] = "", owner[] = "daemon", crew[] = "adm";
static char admin_tcp[] = "127.0.0.1:9090", admin_unix[] = "unix:/run/a.sock";
static char control_path[] = "/run/c.sock";

static struct conf make(char *socket, char *admin)
{
    return (struct conf){
        .control = {.socket = socket, .mode = 0620, .user = owner, .group = crew},
        .admin = {.listen = admin, .token = none},
    };
}

static int set_up(void **state)
{
    (void)state;
    default_result = 0;
    folder_result = 0;
    folder_made[0] = '\0';
    return 0;
}

static void clients_have_those_of_the_configuration(void **state)
{
    struct conf_listen listens[2] = {{.title = admin_tcp}, {.title = admin_unix}};
    struct conf conf = make(off, off);
    struct purpose_listens found;

    (void)state;
    conf.listens = listens;
    conf.n_listens = 2;
    purpose_find(&conf, PURPOSE_CLIENTS, &found);
    assert_ptr_equal(found.items, listens);
    assert_int_equal(found.n, 2);
    assert_false(found.optional);
}

static void admin_has_one_or_none(void **state)
{
    char *const titles[] = {admin_tcp, admin_unix};
    struct conf conf = make(off, off);
    struct purpose_listens found;

    (void)state;
    purpose_find(&conf, PURPOSE_ADMIN, &found);
    assert_int_equal(found.n, 0);
    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
        char text[ADDRESS_TEXT_SIZE];

        conf.admin.listen = titles[i];
        purpose_find(&conf, PURPOSE_ADMIN, &found);
        assert_int_equal(found.n, 1);
        assert_false(found.optional);
        address_format(&found.items[0].address, text);
        assert_string_equal(text, titles[i]);
        assert_string_equal(found.items[0].title, titles[i]);
        assert_non_null(found.items[0].announcement);
    }
}

/* As a path says, or in the place for it. */
static void control_has_one_or_none(void **state)
{
    static const struct {
        char *socket;
        const char *title; /* NULL: no socket */
        bool optional;
        int default_result, folder_result;
    } cases[] = {
        {off, NULL, false, 0, 0},
        {control_path, "unix:/run/c.sock", false, 0, 0},
        {control_path, "unix:/run/c.sock", false, -ENOENT, -EACCES},
        {socket_auto, "unix:/run/test/control.sock", true, 0, 0},
        {socket_auto, NULL, true, -ENOENT, 0},
        {socket_auto, NULL, true, 0, -EACCES},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct conf conf = make(cases[i].socket, off);
        struct purpose_listens found;

        default_result = cases[i].default_result;
        folder_result = cases[i].folder_result;
        folder_made[0] = '\0';
        purpose_find(&conf, PURPOSE_CONTROL, &found);
        assert_int_equal(found.n, cases[i].title != NULL);
        assert_int_equal(found.optional, cases[i].optional);
        assert_string_equal(folder_made, cases[i].optional && cases[i].default_result == 0
                                             ? "/run/test/control.sock"
                                             : "");
        if (cases[i].title == NULL)
            continue;
        assert_string_equal(found.items[0].title, cases[i].title);
        assert_int_equal(found.items[0].mode, 0620);
        assert_string_equal(found.items[0].user, "daemon");
        assert_string_equal(found.items[0].group, "adm");
        assert_true(found.items[0].backlog > 0);
        assert_int_equal(address_port(&found.items[0].address), -1);
    }
}

static void the_longest_path_fits(void **state)
{
    char path[CONTROL_PATH_SIZE];
    struct conf conf = make(path, off);
    struct purpose_listens found;

    (void)state;
    memset(path, 'x', sizeof(path) - 1);
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';
    purpose_find(&conf, PURPOSE_CONTROL, &found);
    assert_int_equal(found.n, 1);
    assert_string_equal(found.items[0].title + strlen("unix:"), path);
}

static void nobody_else_has_any(void **state)
{
    struct conf conf = make(control_path, admin_tcp);
    struct purpose_listens found = {.n = 4711};

    (void)state;
    purpose_find(&conf, PURPOSES, &found);
    assert_int_equal(found.n, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(clients_have_those_of_the_configuration, set_up),
        cmocka_unit_test_setup(admin_has_one_or_none, set_up),
        cmocka_unit_test_setup(control_has_one_or_none, set_up),
        cmocka_unit_test_setup(the_longest_path_fits, set_up),
        cmocka_unit_test_setup(nobody_else_has_any, set_up),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
