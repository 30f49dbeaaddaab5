# Folder src/cluster: the master, its slots, and how many there are.
libzombie_a_SOURCES += \
	%D%/cgroup.c %D%/cgroup.h \
	%D%/cgroup_path.c %D%/cgroup_path.h \
	%D%/child.c %D%/child.h \
	%D%/cpu_affinity.c %D%/cpu_affinity.h \
	%D%/cpu_count.c %D%/cpu_count.h \
	%D%/daemon.c %D%/daemon.h \
	%D%/descriptors.c %D%/descriptors.h \
	%D%/hear.c %D%/hear.h \
	%D%/kill.c %D%/kill.h \
	%D%/listener.c %D%/listener.h \
	%D%/master.c %D%/master.h \
	%D%/master_state.h \
	%D%/obituary.c %D%/obituary.h \
	%D%/pidfile.c %D%/pidfile.h \
	%D%/reap.c %D%/reap.h \
	%D%/reconcile.c %D%/reconcile.h \
	%D%/respawn.c %D%/respawn.h \
	%D%/signals.c %D%/signals.h \
	%D%/slot.c %D%/slot.h \
	%D%/spawn.c %D%/spawn.h \
	%D%/stop.c %D%/stop.h \
	%D%/table.c %D%/table.h \
	%D%/version.c %D%/version.h
