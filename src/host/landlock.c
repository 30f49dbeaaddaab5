/*
 * Rights that are handled and granted by no rule are denied everywhere: the one
 * rule that there may be is for a folder. glibc has no wrappers for the system calls, and the
 * headers of a distribution are often older than the kernel that runs.
 */
#include "config.h"

#include "host/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/landlock.h>

#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP (1ULL << 0)
#endif

/* The versions that brought a right. */
#define VERSION_REFER    2
#define VERSION_TRUNCATE 3
#define VERSION_NET      4

#define CHANGE_FILES                                                                               \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                               \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | \
     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |   \
     LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

/* struct landlock_ruleset_attr as of VERSION_NET; older kernels accept it while what is new is 0.
 */
struct ruleset {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;
};

static struct ruleset ruleset_of(int version)
{
    struct ruleset ruleset = {.handled_access_fs = CHANGE_FILES};

    if (version >= VERSION_REFER)
        ruleset.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= VERSION_TRUNCATE)
        ruleset.handled_access_fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
    if (version >= VERSION_NET)
        ruleset.handled_access_net = LANDLOCK_ACCESS_NET_BIND_TCP;
    return ruleset;
}

int landlock_version(void)
{
    long version =
        syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);

    return version < 0 ? -errno : (int)version;
}

/* What a file there is written, put in place and removed by. */
static void allow(int ruleset_fd, const char *folder, const struct ruleset *ruleset)
{
    struct landlock_path_beneath_attr rule = {
        .allowed_access = ruleset->handled_access_fs &
                          (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                           LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_TRUNCATE),
        .parent_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC)};

    if (rule.parent_fd < 0)
        return;
    syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0U);
    close(rule.parent_fd);
}

int landlock_restrict(const char *writable)
{
    int version = landlock_version();
    struct ruleset ruleset;
    long fd;
    int err;

    if (version < 0)
        return version;
    ruleset = ruleset_of(version);
    fd = syscall(SYS_landlock_create_ruleset, &ruleset, sizeof(ruleset), 0U);
    if (fd < 0)
        return -errno;
    if (writable != NULL)
        allow((int)fd, writable, &ruleset);
    err = syscall(SYS_landlock_restrict_self, (int)fd, 0U) != 0 ? -errno : 0;
    close((int)fd);
    return err != 0 ? err : version;
}

const char *landlock_describe(int version)
{
    if (version >= VERSION_NET)
        return "files read-only, no TCP bind";
    if (version >= VERSION_TRUNCATE)
        return "files read-only";
    return "files read-only but for truncate(2)";
}
