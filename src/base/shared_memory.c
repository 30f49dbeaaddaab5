#include "config.h"

#include "base/shared_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* Returns the descriptor or -errno. */
static int make_memfd(const char *name, size_t size)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    if (ftruncate(fd, (off_t)size) != 0 || fcntl(fd, F_ADD_SEALS, SEALS) != 0) {
        int err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

/* fd -1: anonymous memory, which is as good, but for a handover. */
static int map(int fd, size_t size, struct shared_memory *ret_memory)
{
    int flags = fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED;
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (at == MAP_FAILED)
        return -errno;
    ret_memory->fd = fd;
    ret_memory->size = size;
    ret_memory->at = at;
    return 0;
}

int shared_memory_new(const char *name, size_t size, struct shared_memory *ret_memory)
{
    int fd = make_memfd(name, size);
    if (fd >= 0) {
        if (map(fd, size, ret_memory) == 0)
            return 0;
        close(fd);
    }
    return map(-1, size, ret_memory);
}

int shared_memory_adopt(int fd, size_t size, struct shared_memory *ret_memory)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || (size_t)status.st_size != size)
        return -EBADF;
    int err = map(fd, size, ret_memory);
    if (err == 0)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    return err;
}

void shared_memory_clear(struct shared_memory *memory)
{
    if (memory->at != NULL)
        munmap(memory->at, memory->size);
    if (memory->fd >= 0)
        close(memory->fd);
    *memory = (struct shared_memory){.fd = -1};
}
