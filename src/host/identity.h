/*
 * Becoming somebody else: the user, the groups and the root folder of this process.
 */
#ifndef ZOMBIE_HOST_IDENTITY_H
#define ZOMBIE_HOST_IDENTITY_H

/*
 * Take on the groups of that user and group, the root folder, the group and the user, each by
 * name and "" for the one that is. A user brings all its groups along; the group named
 * takes the place of the user's own. Returns 0; -ENOENT when there is no such name; or
 * -errno, and the process is then maybe half changed and should end.
 */
__attribute__((warn_unused_result)) int identity_change(const char *user, const char *group,
                                                        const char *root);

#endif
