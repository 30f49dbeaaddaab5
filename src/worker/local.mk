# Folder src/worker: the role that serves.
libzombie_a_SOURCES += \
	%D%/chaos.c %D%/chaos.h \
	%D%/worker.c %D%/worker.h
