/*
 * Memory that this process and its children share, and that a program executed
 * in its place can map again: a memfd, sealed against a change of its size.
 */
#ifndef ZOMBIE_BASE_SHARED_MEMORY_H
#define ZOMBIE_BASE_SHARED_MEMORY_H

#include <stddef.h>

struct shared_memory {
    int fd; /* -1: it has none to hand over */
    size_t size;
    void *at; /* of a page; NULL: there is none */
};

/*
 * Map `size` bytes of zeros in a memfd (memfd_create(2)) of that name, which only
 * /proc shows; or in anonymous memory where there can be no memfd, as when
 * RLIMIT_FSIZE is small. Returns 0 or -errno.
 */
__attribute__((warn_unused_result)) int shared_memory_new(const char *name, size_t size,
                                                          struct shared_memory *ret_memory);

/*
 * Map the `size` bytes that fd is. On success fd belongs to the memory and is
 * closed on exec. Returns 0; or -EBADF when it has another size, or -errno, and
 * fd is untouched.
 */
__attribute__((warn_unused_result)) int shared_memory_adopt(int fd, size_t size,
                                                            struct shared_memory *ret_memory);

/* Unmap and close. The memory lives on in processes that have it mapped. */
void shared_memory_clear(struct shared_memory *memory);

#endif
