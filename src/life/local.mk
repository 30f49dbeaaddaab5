# Folder src/life: what every child of the master does, whatever its role.
libzombie_a_SOURCES += \
	%D%/crew.c %D%/crew.h \
	%D%/life.c %D%/life.h \
	%D%/orphan.c %D%/orphan.h
