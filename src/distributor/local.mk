# Folder src/distributor: the program that is the middle of a star of nodes.
libzombie_a_SOURCES += \
	%D%/arguments.c %D%/arguments.h \
	%D%/ask.c %D%/ask.h \
	%D%/broadcast.c %D%/broadcast.h \
	%D%/control_socket.c %D%/control_socket.h \
	%D%/delivery.c %D%/delivery.h \
	%D%/distributor.c %D%/distributor.h \
	%D%/distributor_state.h \
	%D%/door.c %D%/door.h \
	%D%/laggards.c %D%/laggards.h \
	%D%/run.c %D%/run.h \
	%D%/snapshot.c %D%/snapshot.h \
	%D%/status.c %D%/status.h \
	%D%/table.c %D%/table.h \
	%D%/visitor.c %D%/visitor.h

sbin_PROGRAMS += %D%/zombie-distributor
%C%_zombie_distributor_SOURCES = %D%/main.c
%C%_zombie_distributor_LDADD = $(zombie_libs)
%C%_zombie_distributor_LDFLAGS = $(program_ldflags)
