/*
 * What can be said of ZooKeeper without its library: paths of nodes; and of what a server sends,
 * whether the library can take it. The library trusts its server: it allocates what a length
 * says, follows pointers that a short answer has left unset, and ends the process when an answer
 * comes that nobody asked for. So each frame is looked at before the library reads it. Pure.
 * Frames are as in zookeeper.jute: a length of four bytes, a header of 16, and the answer.
 */
#ifndef ZOMBIE_DISCOVERY_ZOOKEEPER_WIRE_H
#define ZOMBIE_DISCOVERY_ZOOKEEPER_WIRE_H

#include <stdbool.h>
#include <stddef.h>

/* Room for a path, terminating NUL included. */
#define ZOOKEEPER_PATH_SIZE 1024

/* So many bytes are enough for zookeeper_judge(), and as many may be needed. */
#define ZOOKEEPER_HEAD_SIZE 2048

/* The request that ends a session, in bytes. */
#define ZOOKEEPER_BYE_SIZE 12

/*
 * The path of a service's node, "ROOT/PREFIX/SERVICE", or of an instance with NAME behind it
 * (NULL: none); root and prefix are "" or "/" or begin with one. Returns 0, or -EINVAL: it is
 * too long, or a name cannot stand in a path.
 */
__attribute__((warn_unused_result)) int zookeeper_path(const char *root, const char *prefix,
                                                       const char *service, const char *name,
                                                       char buf[ZOOKEEPER_PATH_SIZE]);

/* How many nodes there are on the way to this one, itself included: 3 for "/a/b/c". */
size_t zookeeper_levels(const char *path);

/* The length of the path of the level-th of them, 1 for the first. */
size_t zookeeper_level_len(const char *path, size_t level);

/* What the answer to a request consists of. */
enum zookeeper_answer {
    ZOOKEEPER_NOTHING, /* no request is under way */
    ZOOKEEPER_VOID,
    ZOOKEEPER_STAT,
    ZOOKEEPER_STRING,
    ZOOKEEPER_DATA,
    ZOOKEEPER_STRINGS,
    ZOOKEEPER_REPLACED /* the two results of a transaction that deletes and creates */
};

/*
 * Judge the frame that begins with these bytes, when the next answer is to be `answer` and
 * is_login says whether the session has sent credentials. Returns 1: the library can read it; 0:
 * more bytes are needed, *ret_need in all; or -EBADMSG: it makes no sense; -EMSGSIZE: it is
 * longer than DRIVER_ANSWER_MAX.
 */
__attribute__((warn_unused_result)) int zookeeper_judge(const unsigned char *bytes, size_t len,
                                                        enum zookeeper_answer answer, bool is_login,
                                                        size_t *ret_need);

/*
 * The same for the first answer of a connection; was_open says that it goes on with a session,
 * which may have expired.
 */
__attribute__((warn_unused_result)) int
zookeeper_judge_welcome(const unsigned char *bytes, size_t len, bool was_open, size_t *ret_need);

/* Write the request that ends the session at once. */
void zookeeper_say_bye(unsigned char buf[ZOOKEEPER_BYE_SIZE]);

#endif
