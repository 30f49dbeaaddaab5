# Folder src/host: what the machine, and whoever starts us, give and ask.
libzombie_a_SOURCES += \
	%D%/cgroup.c %D%/cgroup.h \
	%D%/cgroup_path.c %D%/cgroup_path.h \
	%D%/cpu_affinity.c %D%/cpu_affinity.h \
	%D%/cpu_count.c %D%/cpu_count.h \
	%D%/daemon.c %D%/daemon.h \
	%D%/descriptors.c %D%/descriptors.h \
	%D%/pidfile.c %D%/pidfile.h
