# Folder src/host: what the machine, and whoever starts us, give and ask.
libzombie_a_SOURCES += \
	%D%/activation.c %D%/activation.h \
	%D%/cgroup.c %D%/cgroup.h \
	%D%/cgroup_meter.c %D%/cgroup_meter.h \
	%D%/cgroup_path.c %D%/cgroup_path.h \
	%D%/cgroup_walk.c %D%/cgroup_walk.h \
	%D%/cpu_affinity.c %D%/cpu_affinity.h \
	%D%/cpu_count.c %D%/cpu_count.h \
	%D%/daemon.c %D%/daemon.h \
	%D%/descriptors.c %D%/descriptors.h \
	%D%/identity.c %D%/identity.h \
	%D%/landlock.c %D%/landlock.h \
	%D%/memory.c %D%/memory.h \
	%D%/name_servers.c %D%/name_servers.h \
	%D%/notify.c %D%/notify.h \
	%D%/oom_score.c %D%/oom_score.h \
	%D%/pidfile.c %D%/pidfile.h \
	%D%/process_usage.c %D%/process_usage.h \
	%D%/unix_socket.c %D%/unix_socket.h
