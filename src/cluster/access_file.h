/*
 * The file that workers write the access log to: opened by the master, who has
 * the rights and sees the folders that workers may not.
 */
#ifndef ZOMBIE_CLUSTER_ACCESS_FILE_H
#define ZOMBIE_CLUSTER_ACCESS_FILE_H

struct conf_access_log;

/*
 * Open what access_log.target names: a file is created with mode 0640 and
 * appended to, and its descriptor closed on exec; a standard stream is itself.
 * *ret_fd is -1 when no access log is kept. Returns 0 or -errno.
 */
__attribute__((warn_unused_result)) int access_file_open(const struct conf_access_log *conf,
                                                         int *ret_fd);

/* Close what access_file_open() gave, unless it is a standard stream or -1. */
void access_file_close(int fd);

#endif
