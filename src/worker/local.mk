# Folder src/worker: the role that serves.
libzombie_a_SOURCES += \
	%D%/chaos.c %D%/chaos.h \
	%D%/handlers.c %D%/handlers.h \
	%D%/worker.c %D%/worker.h
