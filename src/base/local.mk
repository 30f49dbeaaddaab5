# Folder src/base: log, time, text, numbers, addresses. Knows nothing of the rest.
libzombie_a_SOURCES += \
	%D%/access_format.c %D%/access_format.h \
	%D%/access_piece.c %D%/access_piece.h \
	%D%/address.c %D%/address.h \
	%D%/bytes.c %D%/bytes.h \
	%D%/clock.c %D%/clock.h \
	%D%/dice.c %D%/dice.h \
	%D%/hash.c %D%/hash.h \
	%D%/log.c %D%/log.h \
	%D%/log_line.c %D%/log_line.h \
	%D%/log_ring.c %D%/log_ring.h \
	%D%/network.c %D%/network.h \
	%D%/number.c %D%/number.h \
	%D%/percent.c %D%/percent.h \
	%D%/shared_memory.c %D%/shared_memory.h \
	%D%/utf8.c %D%/utf8.h
