# Folder src/cluster: the master, its slots, and how many there are.
libzombie_a_SOURCES += \
	%D%/child.c %D%/child.h \
	%D%/hear.c %D%/hear.h \
	%D%/kill.c %D%/kill.h \
	%D%/listener.c %D%/listener.h \
	%D%/master.c %D%/master.h \
	%D%/master_state.h \
	%D%/obituary.c %D%/obituary.h \
	%D%/reap.c %D%/reap.h \
	%D%/reconcile.c %D%/reconcile.h \
	%D%/respawn.c %D%/respawn.h \
	%D%/signals.c %D%/signals.h \
	%D%/slot.c %D%/slot.h \
	%D%/spawn.c %D%/spawn.h \
	%D%/stop.c %D%/stop.h \
	%D%/table.c %D%/table.h
