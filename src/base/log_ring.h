/*
 * The last lines of the log of all processes, in memory that they share: who
 * asks for them need not know where the log goes, nor be able to read it there.
 * Many writers, none of which waits for another, and any of which may be killed
 * in the middle of a line: that line is lost, and no other.
 */
#ifndef ZOMBIE_BASE_LOG_RING_H
#define ZOMBIE_BASE_LOG_RING_H

#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

/* How many lines are kept. */
#define LOG_RING_LINES 512

/* Room for a line and for a role, terminating NUL included. */
#define LOG_RING_TEXT_SIZE 977
#define LOG_RING_ROLE_SIZE 8

/* To write a line takes microseconds: one that takes longer than this has lost its writer. */
#define LOG_RING_PATIENCE_MS 200

struct log_ring;

struct log_ring_entry {
    uint64_t ticket; /* its number; they go up by one, from 0 */
    uint64_t id;     /* of the worker that wrote it; 0: the master */
    uint64_t about;  /* the worker that the master speaks of; 0: none in particular */
    enum log_level level;
    char role[LOG_RING_ROLE_SIZE];
    size_t len;
    char text[LOG_RING_TEXT_SIZE]; /* one line without its newline, of UTF-8 without controls */
};

/* Make an empty one, in memory as shared_memory_new() finds it. Returns 0 or -errno. */
__attribute__((warn_unused_result)) int log_ring_new(struct log_ring **ret_ring);

/*
 * Map the one that fd is: a master has handed it to the program that takes its
 * place. On success fd belongs to the ring and is closed on exec. Returns 0; or
 * -EBADF when it is none or one of another layout, or -errno, and fd is untouched.
 */
__attribute__((warn_unused_result)) int log_ring_adopt(int fd, struct log_ring **ret_ring);

/* The descriptor of its memory, which stays the ring's; -1: it has none to hand over. */
int log_ring_fd(const struct log_ring *ring);

/* Unmap and close; NULL is fine. The memory lives on in processes that have it mapped. */
void log_ring_free(struct log_ring *ring);

/*
 * Add a line of `len` bytes, with or without the newline at its end, by the process
 * of that role and id, about that worker (0: none in particular). What is too
 * long is cut between two characters and ends in "...". Never waits and cannot
 * fail: the line of a process that others overtook by a whole ring is dropped.
 */
void log_ring_add(struct log_ring *ring, const char *role, uint64_t id, uint64_t about,
                  enum log_level level, const char *line, size_t len);

/* The ticket that the next line will have, and that of the oldest line which may still be there. */
uint64_t log_ring_next(const struct log_ring *ring);
uint64_t log_ring_oldest(const struct log_ring *ring);

/*
 * Read the line with this ticket. Returns 0; -EAGAIN when it is not there yet, is being
 * written, or was being written when its writer died; or -ESTALE when it is lost,
 * and then *ret_entry has only `ticket`: of the oldest line to go on with.
 */
__attribute__((warn_unused_result)) int log_ring_read(const struct log_ring *ring, uint64_t ticket,
                                                      struct log_ring_entry *ret_entry);

/* One reader that goes from line to line, beginning with `ticket`. */
struct log_ring_reader {
    uint64_t ticket;
    int64_t patience_ms; /* for a line that is being written: LOG_RING_PATIENCE_MS; 0: none */
    uint64_t lost;       /* lines that were lost to this reader so far */
    int64_t waits_ms;    /* since when it waits for this line; 0: it does not */
};

/*
 * Read the next line that there is and go on to the one after it. Lines that are
 * lost are counted and passed over, and so is one that has not become whole for
 * as long as the reader has patience: its writer died. now_ms is CLOCK_MONOTONIC,
 * above 0. Returns 0, or -EAGAIN when there is none for now.
 */
__attribute__((warn_unused_result)) int log_ring_follow(const struct log_ring *ring,
                                                        struct log_ring_reader *reader,
                                                        int64_t now_ms,
                                                        struct log_ring_entry *ret_entry);

#endif
