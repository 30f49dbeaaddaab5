/*
 * What a restricted process may and may not do. All of it happens in children,
 * since there is no way back.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/landlock.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOBODY       65534

/* Made before the child is restricted; the child works in this folder. */
static struct {
    char folder[64];
    int file;     /* "old", open for writing */
    int listener; /* TCP, on 127.0.0.1 */
    int pipe_read;
    int pipe_write;
    struct sockaddr_in address;
} world;

/* Each returns 0 or -errno. */
static int result_of(int rc)
{
    return rc < 0 ? -errno : 0;
}

static int open_and_close(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);

    if (fd < 0)
        return -errno;
    close(fd);
    return 0;
}

static int create_file(void)
{
    return open_and_close("new", O_WRONLY | O_CREAT);
}

static int open_for_writing(void)
{
    return open_and_close("old", O_WRONLY);
}

static int open_for_appending(void)
{
    return open_and_close("old", O_WRONLY | O_APPEND);
}

static int open_for_truncation(void)
{
    return open_and_close("old", O_RDONLY | O_TRUNC);
}

static int truncate_path(void)
{
    return result_of(truncate("old", 0));
}

static int make_folder(void)
{
    return result_of(mkdir("folder", 0700));
}

static int make_pipe(void)
{
    return result_of(mkfifo("fifo", 0600));
}

static int make_link(void)
{
    return result_of(symlink("old", "link"));
}

static int make_hard_link(void)
{
    return result_of(link("old", "hard"));
}

static int move_file(void)
{
    return result_of(rename("old", "moved"));
}

static int remove_file(void)
{
    return result_of(unlink("old"));
}

static int remove_folder(void)
{
    return result_of(rmdir("empty"));
}

static int with_socket(int type, int (*use)(int, const struct sockaddr *, socklen_t),
                       struct sockaddr_in address)
{
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    int r;

    if (fd < 0)
        return -errno;
    r = result_of(use(fd, (struct sockaddr *)&address, sizeof(address)));
    close(fd);
    return r;
}

static struct sockaddr_in any_port(void)
{
    struct sockaddr_in address = world.address;

    address.sin_port = 0;
    return address;
}

static int bind_tcp(void)
{
    return with_socket(SOCK_STREAM, bind, any_port());
}

static int bind_udp(void)
{
    return with_socket(SOCK_DGRAM, bind, any_port());
}

static int connect_tcp(void)
{
    return with_socket(SOCK_STREAM, connect, world.address);
}

static int accept_tcp(void)
{
    int err = connect_tcp();
    int fd = err == 0 ? accept(world.listener, NULL, NULL) : -1;

    if (fd < 0)
        return err != 0 ? err : -errno;
    close(fd);
    return 0;
}

static int bind_abstract(void)
{
    sa_family_t family = AF_UNIX;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int r = result_of(bind(fd, (struct sockaddr *)&family, sizeof(family)));

    close(fd);
    return r;
}

static int read_file(void)
{
    return open_and_close("old", O_RDONLY);
}

static int list_folder(void)
{
    return open_and_close("/", O_RDONLY | O_DIRECTORY);
}

static int write_open_file(void)
{
    return result_of((int)write(world.file, "more", 4));
}

static int truncate_open_file(void)
{
    return result_of(ftruncate(world.file, 1));
}

static int write_open_pipe(void)
{
    return result_of((int)write(world.pipe_write, "x", 1));
}

static int use_memory_file(void)
{
    int fd = memfd_create("test", MFD_CLOEXEC);
    int r = result_of(ftruncate(fd, 4096));

    if (r == 0)
        r = result_of((int)write(fd, "x", 1));
    close(fd);
    return r;
}

static int signal_parent(void)
{
    return result_of(kill(getppid(), 0));
}

static int run_program(void)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        execl("/bin/true", "true", NULL);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return -errno;
    return status == 0 ? 0 : -ENOEXEC;
}

static const struct {
    const char *name;
    int (*act)(void);
    int since; /* forbidden from this version on; 0: always allowed */
} acts[] = {
    {"create a file", create_file, 1},
    {"open for writing", open_for_writing, 1},
    {"open for appending", open_for_appending, 1},
    {"open for truncation", open_for_truncation, 3},
    {"truncate", truncate_path, 3},
    {"make a folder", make_folder, 1},
    {"make a pipe", make_pipe, 1},
    {"make a symbolic link", make_link, 1},
    {"make a hard link", make_hard_link, 1},
    {"move a file", move_file, 1},
    {"remove a file", remove_file, 1},
    {"remove a folder", remove_folder, 1},
    {"bind TCP", bind_tcp, 4},
    {"bind UDP", bind_udp, 0},
    {"connect TCP", connect_tcp, 0},
    {"accept TCP", accept_tcp, 0},
    {"bind an abstract name", bind_abstract, 0},
    {"read a file", read_file, 0},
    {"list a folder", list_folder, 0},
    {"write an open file", write_open_file, 0},
    {"truncate an open file", truncate_open_file, 0},
    {"write an open pipe", write_open_pipe, 0},
    {"use a file in memory", use_memory_file, 0},
    {"signal the parent", signal_parent, 0},
    {"run a program", run_program, 0},
};

static int set_up(void **state)
{
    socklen_t len = sizeof(world.address);
    int ends[2];

    (void)state;
    snprintf(world.folder, sizeof(world.folder), "/tmp/zombie-landlock-XXXXXX");
    assert_non_null(mkdtemp(world.folder));
    assert_int_equal(chdir(world.folder), 0);
    assert_int_equal(mkdir("empty", 0700), 0);
    world.file = open("old", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(world.file, "text", 4), 4);
    assert_int_equal(pipe(ends), 0);
    world.pipe_read = ends[0];
    world.pipe_write = ends[1];
    world.address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    world.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(world.listener, (struct sockaddr *)&world.address, len), 0);
    assert_int_equal(listen(world.listener, 64), 0);
    assert_int_equal(getsockname(world.listener, (struct sockaddr *)&world.address, &len), 0);
    return 0;
}

static int tear_down(void **state)
{
    static const char *const files[] = {"old", "new", "moved", "link", "hard", "fifo"};

    (void)state;
    for (size_t i = 0; i < COUNT(files); i++)
        unlink(files[i]);
    rmdir("empty");
    rmdir("folder");
    close(world.file);
    close(world.listener);
    close(world.pipe_read);
    close(world.pipe_write);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(world.folder), 0);
    return 0;
}

/* Run one act in a child, restricted or not; returns its result, or 1 when the child is lost. */
static int result_in_child(int (*act)(void), bool restricted)
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        if (restricted && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
            _exit(255);
        if (restricted && landlock_restrict(NULL) < 0)
            _exit(254);
        _exit(-act());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? -WEXITSTATUS(status) : 1;
}

static int restrict_only(void)
{
    int version = landlock_restrict(NULL);

    return version < 0 ? version : -version;
}

/* The version of this kernel's Landlock, 0 without: there is nothing to test then, and it is said.
 */
static int version_here(void)
{
    int version = -result_in_child(restrict_only, true);

    if (version > 0 && version < 200)
        return version;
    print_message("# no Landlock here (%d): skipped\n", version);
    return 0;
}

static void restricts(void **state)
{
    int version = version_here();

    (void)state;
    if (version == 0)
        return;
    print_message("# Landlock version %d: %s\n", version, landlock_describe(version));
    for (size_t i = 0; i < COUNT(acts); i++) {
        bool forbidden = acts[i].since != 0 && version >= acts[i].since;
        int result = result_in_child(acts[i].act, true);

        if (result != (forbidden ? -EACCES : 0))
            fail_msg("%s: %s", acts[i].name, strerror(-result));
    }
}

static int restrict_to_folder(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ? -EPERM : landlock_restrict(world.folder);
}

static int put_in_place(void)
{
    int rc = restrict_to_folder();
    if (rc >= 0)
        rc = create_file();
    if (rc == 0)
        rc = result_of(rename("new", "old"));
    return rc == 0 ? remove_file() : rc;
}

static int write_beside(void)
{
    int rc = restrict_to_folder();
    return rc < 0 ? rc : open_and_close("/tmp/landlock-beside", O_WRONLY | O_CREAT);
}

static void one_folder_may_be_written(void **state)
{
    (void)state;
    if (version_here() == 0)
        return;
    assert_int_equal(result_in_child(put_in_place, false), 0);
    assert_int_equal(result_in_child(write_beside, false), -EACCES);
    assert_int_equal(open_and_close("old", O_WRONLY | O_CREAT), 0);
}

/* What is forbidden fails for no other reason. */
static void all_is_allowed_otherwise(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(acts); i++) {
        int result = result_in_child(acts[i].act, false);

        if (acts[i].act == move_file)
            assert_int_equal(rename("moved", "old"), 0);
        if (result != 0)
            fail_msg("%s: %s", acts[i].name, strerror(-result));
        if (acts[i].act == remove_file)
            assert_int_equal(open_and_close("old", O_WRONLY | O_CREAT), 0);
    }
}

/* Without "no new privileges" it takes CAP_SYS_ADMIN, which only root may have. */
static int restrict_as_nobody(void)
{
    int rc = geteuid() == 0 ? setuid(NOBODY) : 0;

    return rc == 0 ? restrict_only() : -errno;
}

static void needs_no_new_privileges(void **state)
{
    (void)state;
    if (version_here() != 0)
        assert_int_equal(result_in_child(restrict_as_nobody, false), -EPERM);
}

static void describes_each_version(void **state)
{
    static const struct {
        int version;
        const char *text;
    } texts[] = {
        {1, "files read-only but for truncate(2)"},
        {2, "files read-only but for truncate(2)"},
        {3, "files read-only"},
        {4, "files read-only, no TCP bind"},
        {99, "files read-only, no TCP bind"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_string_equal(landlock_describe(texts[i].version), texts[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(restricts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_folder_may_be_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_is_allowed_otherwise, set_up, tear_down),
        cmocka_unit_test(needs_no_new_privileges),
        cmocka_unit_test(describes_each_version),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
