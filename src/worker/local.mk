# Folder src/worker: the life of a worker process.
libzombie_a_SOURCES += \
	%D%/chaos.c %D%/chaos.h \
	%D%/orphan.c %D%/orphan.h \
	%D%/worker.c %D%/worker.h
