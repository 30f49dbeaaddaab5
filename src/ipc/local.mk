# Folder src/ipc: frames, the channel of a worker, the scoreboard.
libzombie_a_SOURCES += \
	%D%/channel.c %D%/channel.h \
	%D%/event_log.c %D%/event_log.h \
	%D%/message.c %D%/message.h \
	%D%/scoreboard.c %D%/scoreboard.h \
	%D%/scoreboard_instance.c \
	%D%/scoreboard_slot.c \
	%D%/scoreboard_state.h
