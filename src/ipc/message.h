/*
 * What master and workers say to each other: typed, versioned, length-checked
 * frames, one a packet of the channel. doc/protocol.md describes the bytes.
 * Nothing here touches a socket; both directions are pure functions.
 */
#ifndef ZOMBIE_IPC_MESSAGE_H
#define ZOMBIE_IPC_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MESSAGE_VERSION 2

/* The longest frame in bytes, header included. */
#define MESSAGE_SIZE 256

/* Room for a text in a message, terminating NUL included. */
#define MESSAGE_TEXT_SIZE 128

/* An instance id as it travels: the 16 bytes of RFC 9562, in their order. */
#define MESSAGE_UUID_SIZE 16

enum message_type {
    MESSAGE_HELLO = 1,        /* worker: who I am */
    MESSAGE_READY = 2,        /* worker: I accept connections */
    MESSAGE_MASTER_ID = 3,    /* worker: which instance do I belong to? */
    MESSAGE_MASTER_ID_IS = 4, /* master: to this one */
    MESSAGE_DRAIN = 5,        /* master: take no more work, finish what you have, leave */
    MESSAGE_STOP = 6,         /* master: leave at once */
    MESSAGE_LEAVING = 7,      /* worker: I drain, and why */
    MESSAGE_CHAOS = 8,        /* worker: somebody asked me to die this way */
    MESSAGE_LOG = 9,          /* master: write the log here from now on */
    MESSAGE_ACCESS_LOG = 10,  /* master: and the access log here */
    MESSAGE_LOG_LEVEL = 11,   /* master: and from this level on */
};

enum message_sender { MESSAGE_FROM_MASTER, MESSAGE_FROM_WORKER };

enum message_leaving_reason {
    LEAVING_BY_SIGNAL,
    LEAVING_BY_CHAOS,
    LEAVING_CUT_OFF, /* the admin child has lost its control connection */
    LEAVING_REASONS
};

enum chaos_mode { CHAOS_EXIT, CHAOS_KILL, CHAOS_SEGV, CHAOS_ABORT, CHAOS_HANG, CHAOS_MODES };

struct message {
    enum message_type type;
    union {
        struct {
            uint64_t worker;
            uint32_t pid;
            uint32_t slot;
        } hello;
        struct {
            uint32_t listeners; /* how many it accepts on */
        } ready;
        struct {
            uint32_t request; /* chosen by the asker, repeated in the answer */
        } master_id;
        struct {
            uint32_t request;
            uint8_t uuid[MESSAGE_UUID_SIZE];
        } master_id_is;
        struct {
            uint32_t delay_ms; /* keep accepting this long */
            uint32_t idle_ms;  /* then wait this long for idle connections' next request */
            uint8_t last;      /* 1: no worker will follow, so take what the kernel has queued */
            uint8_t stopping;  /* 1: the whole instance stops, and health checks shall say so */
        } drain;
        struct {
            uint8_t reason; /* enum message_leaving_reason */
        } leaving;
        struct {
            uint8_t mode; /* enum chaos_mode */
            uint32_t after_ms;
            char client[MESSAGE_TEXT_SIZE]; /* who asked, as address_format() writes it */
        } chaos;
        struct {
            int fd; /* not in the frame: travels beside it (unix(7), SCM_RIGHTS) */
        } log;      /* of both kinds */
        struct {
            uint8_t level; /* enum log_level of base/log.h */
        } log_level;
    };
};

/*
 * Write the frame of a valid message into buf; returns its length in bytes.
 * The message is the program's own, so an impossible one is a bug (assert).
 */
size_t message_encode(const struct message *message, uint8_t buf[MESSAGE_SIZE]);

/*
 * Read one frame of len bytes. Returns 0 and fills *ret_message; or -EBADMSG
 * for anything but exactly one well-formed frame of a type that `sender` may
 * send: wrong magic or version, unknown type, bytes missing or left over, a
 * value outside its range, a text that is not terminated or has a NUL inside. A descriptor
 * is not in the frame: its field is -1 then.
 */
__attribute__((warn_unused_result)) int message_decode(const uint8_t *bytes, size_t len,
                                                       enum message_sender sender,
                                                       struct message *ret_message);

/* Whether a descriptor travels with messages of this type, in log.fd. */
bool message_has_descriptor(enum message_type type);

/* The name that logs and doc/protocol.md use, "MASTER_ID"; "?" for an unknown type. */
const char *message_name(enum message_type type);

/* "exit", "kill", "segv", "abort", "hang". */
const char *chaos_mode_name(enum chaos_mode mode);

#endif
