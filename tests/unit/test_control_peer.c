/*
 * Who may use the control socket, and where it is when nobody says so.
 */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/path.h"
#include "control/peer.h"
#include "control/server.h"

#define SERVER 10
#define OWNER  20
#define GROUP  30
#define OTHER  40

static void lets_in_by_the_rule(void **state)
{
    static const gid_t groups[] = {OTHER, GROUP};
    static const struct {
        const char *name;
        mode_t mode;
        bool has_file;
        struct control_credentials who;
        bool may;
    } rows[] = {
        {"root", 0600, true, {0, 0, NULL, 0}, true},
        {"root, mode 0", 0, true, {0, 0, NULL, 0}, true},
        {"root, no file", 0, false, {0, 0, NULL, 0}, true},
        {"the server's user", 0600, true, {SERVER, OTHER, NULL, 0}, true},
        {"the server's user, no file", 0, false, {SERVER, OTHER, NULL, 0}, true},
        {"the owner", 0600, true, {OWNER, OTHER, NULL, 0}, true},
        {"the owner, no file", 0666, false, {OWNER, OTHER, NULL, 0}, false},
        {"another", 0600, true, {OTHER, OTHER, NULL, 0}, false},
        {"another of group 0", 0660, true, {OTHER, 0, NULL, 0}, false},
        {"the group", 0660, true, {OTHER, GROUP, NULL, 0}, true},
        {"the group, no file", 0660, false, {OTHER, GROUP, NULL, 0}, false},
        {"the group may only read", 0640, true, {OTHER, GROUP, NULL, 0}, false},
        {"the group may not", 0600, true, {OTHER, GROUP, NULL, 0}, false},
        {"a group beside", 0660, true, {OTHER, OTHER, groups, 2}, true},
        {"a group beside, not counted", 0660, true, {OTHER, OTHER, groups, 1}, false},
        {"a group beside may not", 0600, true, {OTHER, OTHER, groups, 2}, false},
        {"a user with the group's number", 0660, true, {GROUP, OTHER, NULL, 0}, false},
        {"a group with the owner's number", 0660, true, {OTHER, OWNER, NULL, 0}, false},
        {"everybody", 0666, true, {OTHER, OTHER, NULL, 0}, true},
        {"others may only read", 0664, true, {OTHER, OTHER, NULL, 0}, false},
        {"everybody, no file", 0666, false, {OTHER, OTHER, NULL, 0}, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct control_door door = {SERVER, rows[i].has_file, OWNER, GROUP, rows[i].mode};

        if (control_peer_may(&door, &rows[i].who) != rows[i].may)
            fail_msg("%s", rows[i].name);
    }
}

/* A folder, and in it a listening socket. */
struct place {
    char folder[32];
    char path[64];
    int listening;
};

static void make_place(struct place *place)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};

    strcpy(place->folder, "/tmp/zombie-peer-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    assert_int_equal(chmod(place->folder, 0755), 0);
    (void)snprintf(place->path, sizeof(place->path), "%s/socket", place->folder);
    strcpy(name.sun_path, place->path);
    place->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(place->listening, (struct sockaddr *)&name, sizeof(name)), 0);
    assert_int_equal(listen(place->listening, 8), 0);
}

static void remove_place(struct place *place)
{
    assert_int_equal(close(place->listening), 0);
    (void)unlink(place->path);
    assert_int_equal(rmdir(place->folder), 0);
}

/* Connect as somebody else; in a child, which says by its status whether it could. */
static pid_t connect_as(const struct place *place, uid_t uid, gid_t gid, gid_t beside)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    pid_t pid = fork();
    int fd;

    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    strcpy(name.sun_path, place->path);
    if (uid != geteuid() && (setgroups(1, &beside) != 0 || setgid(gid) != 0 || setuid(uid) != 0))
        _exit(2);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    _exit(connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0 ? 0 : 1);
}

/* Accept whoever connects and give what the check says of it. */
static int check_as(const struct place *place, uid_t uid, gid_t gid, gid_t beside,
                    mode_t later_mode)
{
    struct control_peer peer = {.is_admin = true};
    pid_t pid = connect_as(place, uid, gid, beside);
    int status, fd, r;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    fd = accept4(place->listening, NULL, NULL, SOCK_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(chmod(place->path, later_mode), 0);
    r = control_peer_check(fd, place->listening, &peer);
    assert_int_equal(peer.uid, uid);
    assert_int_equal(peer.pid, pid);
    assert_false(peer.is_admin);
    assert_int_equal(close(fd), 0);
    return r;
}

static void reads_who_connects(void **state)
{
    struct place place;

    (void)state;
    make_place(&place);
    assert_int_equal(check_as(&place, geteuid(), getegid(), 0, 0600), 0);
    remove_place(&place);
}

/* The kernel has let them in; the file's mode of now decides. */
static void holds_others_against_the_file(void **state)
{
    static const struct {
        uid_t uid;
        gid_t gid, beside;
        mode_t mode;
        int result;
    } rows[] = {
        {4001, 4002, 4003, 0600, -EACCES}, {4001, 4002, 4003, 0660, -EACCES},
        {4001, 4002, 4003, 0666, 0},       {4001, 4010, 4003, 0660, 0},
        {4001, 4002, 4010, 0660, 0},       {4001, 4002, 4010, 0640, -EACCES},
        {4009, 4002, 4003, 0600, 0},
    };
    struct place place;

    (void)state;
    if (geteuid() != 0)
        skip();
    make_place(&place);
    assert_int_equal(chown(place.path, 4009, 4010), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int r;

        assert_int_equal(chmod(place.path, 0666), 0);
        r = check_as(&place, rows[i].uid, rows[i].gid, rows[i].beside, rows[i].mode);
        if (r != rows[i].result)
            fail_msg("row %zu: %d", i, r);
    }
    remove_place(&place);
}

static void needs_a_socket(void **state)
{
    struct control_peer peer;
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(control_peer_read(fds[0], &peer), -ENOTSOCK);
    assert_int_equal(control_peer_check(fds[0], fds[1], &peer), -ENOTSOCK);
    assert_int_equal(close(fds[0]) | close(fds[1]), 0);
}

/* What a user without rights is told, in a child if we are root. */
#define OTHER_USER 4001u

static int default_of_user(const char *runtime_folder, const char *expected)
{
    char path[CONTROL_PATH_SIZE] = "untouched";
    int status, r;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid > 0) {
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        return -WEXITSTATUS(status);
    }
    if (geteuid() == 0 && setuid(OTHER_USER) != 0)
        _exit(1);
    if (runtime_folder == NULL)
        unsetenv("XDG_RUNTIME_DIR");
    else
        setenv("XDG_RUNTIME_DIR", runtime_folder, 1);
    r = control_path_default(path);
    _exit(strcmp(path, r == 0 ? expected : "untouched") == 0 ? -r : 1);
}

static void knows_the_default(void **state)
{
    char path[CONTROL_PATH_SIZE], private[64], folder[128] = "/tmp";

    (void)state;
    if (geteuid() == 0) {
        assert_int_equal(control_path_default(path), 0);
        assert_string_equal(path, "/run/zombie-server/control.sock");
    }
    assert_int_equal(default_of_user("/tmp", "/tmp/zombie-server/control.sock"), 0);
    (void)snprintf(private, sizeof(private), "/tmp/zombie-server-%u",
                   geteuid() == 0 ? OTHER_USER : geteuid());
    (void)snprintf(path, sizeof(path), "%s/control.sock", private);
    assert_int_equal(default_of_user(NULL, path), 0);
    assert_int_equal(default_of_user("", path), 0);
    assert_int_equal(default_of_user("tmp", path), 0);
    assert_int_equal(default_of_user("/proc/self/status", path), 0);
    assert_int_equal(default_of_user("/nowhere/at/all", path), 0);
    while (strlen(folder) + strlen("/zombie-server/control.sock") < CONTROL_PATH_SIZE)
        strcat(folder, "/");
    assert_int_equal(default_of_user(folder, ""), -ENAMETOOLONG);
    folder[strlen(folder) - 1] = '\0';
    (void)snprintf(path, sizeof(path), "%.80s/zombie-server/control.sock", folder);
    assert_int_equal(default_of_user(folder, path), 0);
}

/* What another user finds about the folder, who is to have it as the place of a socket. */
static void assert_fault(const char *folder, const char *fault, int made)
{
    char path[128];
    const char *found;

    (void)snprintf(path, sizeof(path), "%s/control.sock", folder);
    assert_int_equal(seteuid(OTHER_USER), 0);
    found = control_path_fault(path);
    assert_int_equal(control_path_make_folder(path), made);
    assert_int_equal(seteuid(0), 0);
    if (fault == NULL)
        assert_null(found);
    else
        assert_string_equal(found, fault);
}

static void trusts_no_folder_of_others(void **state)
{
    char above[] = "/tmp/zombie-above-XXXXXX", folder[64];

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_non_null(mkdtemp(above));
    assert_int_equal(chmod(above, 0777), 0);
    (void)snprintf(folder, sizeof(folder), "%s/zombie-server", above);
    assert_fault(folder, NULL, 0); /* it is made, */
    assert_fault(folder, NULL, 0); /* and used */
    assert_int_equal(chmod(folder, 0775), 0);
    assert_fault(folder, "others may write to its folder", -EPERM);
    assert_int_equal(chmod(folder, 0757), 0);
    assert_fault(folder, "others may write to its folder", -EPERM);
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(chown(folder, OTHER_USER + 1, OTHER_USER), 0);
    assert_fault(folder, "its folder belongs to another user", -EPERM);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(symlink("/nowhere/at/all", folder), 0);
    assert_fault(folder, "its folder is a symbolic link", -ENOTDIR);
    assert_int_equal(unlink(folder) | symlink(above, folder), 0);
    assert_int_equal(lchown(folder, OTHER_USER, OTHER_USER), 0);
    assert_fault(folder, "its folder is a symbolic link", -EPERM);
    assert_int_equal(unlink(folder) | mkfifo(folder, 0600), 0);
    assert_fault(folder, "there is no folder, but something else", -ENOTDIR);
    assert_int_equal(unlink(folder) | rmdir(above), 0);
}

static void makes_the_folder(void **state)
{
    struct place place;
    struct stat file;
    char path[128], longer[256];
    mode_t before = umask(077);

    (void)state;
    make_place(&place);
    (void)snprintf(path, sizeof(path), "%s/new/socket", place.folder);
    assert_int_equal(control_path_make_folder(path), 0);
    assert_int_equal(control_path_make_folder(path), 0);
    (void)snprintf(path, sizeof(path), "%s/new", place.folder);
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode, S_IFDIR | 0755);
    assert_int_equal(rmdir(path), 0);
    (void)snprintf(path, sizeof(path), "%s/none/new/socket", place.folder);
    assert_int_equal(control_path_make_folder(path), -ENOENT);
    (void)snprintf(path, sizeof(path), "%s/socket/below", place.folder);
    assert_int_equal(control_path_make_folder(path), -ENOTDIR);
    assert_int_equal(control_path_make_folder("/socket"), 0);
    assert_int_equal(control_path_make_folder("socket"), 0);
    memset(longer, 'x', sizeof(longer));
    memcpy(longer + sizeof(longer) - 3, "/s", 3);
    assert_int_equal(control_path_make_folder(longer), -ENAMETOOLONG);
    remove_place(&place);
    (void)umask(before);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(lets_in_by_the_rule),
        cmocka_unit_test(reads_who_connects),
        cmocka_unit_test(holds_others_against_the_file),
        cmocka_unit_test(needs_a_socket),
        cmocka_unit_test(knows_the_default),
        cmocka_unit_test(trusts_no_folder_of_others),
        cmocka_unit_test(makes_the_folder),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
