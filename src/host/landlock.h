/*
 * A process that cannot write files any more: Landlock (landlock(7)), which
 * takes no privilege.
 */
#ifndef ZOMBIE_HOST_LANDLOCK_H
#define ZOMBIE_HOST_LANDLOCK_H

/* Which version of Landlock this kernel has; or -ENOSYS, -EOPNOTSUPP: none. */
__attribute__((warn_unused_result)) int landlock_version(void);

/*
 * Forbid the calling thread, and all children it will have, to write, create,
 * remove, rename, link or truncate any file, and to bind a TCP port; but for files in
 * the folder `writable` (NULL: none; one that cannot be opened is none). Reading,
 * executing, connecting, signals, and all that is open already stay as they
 * are. So does the kernel: it writes no core file for such a process, though
 * a core_pattern(5) with a pipe works. There is no way back. Needs "no new
 * privileges" (PR_SET_NO_NEW_PRIVS(2const)).
 *
 * Returns the version of the kernel's Landlock, from 1; or -errno, and nothing
 * is restricted: -ENOSYS or -EOPNOTSUPP without Landlock, -EPERM without "no
 * new privileges".
 */
__attribute__((warn_unused_result)) int landlock_restrict(const char *writable);

/* For the log: what that version restricts, "files read-only, no TCP bind". */
const char *landlock_describe(int version);

#endif
