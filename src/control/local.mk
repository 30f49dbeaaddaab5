# Folder src/control: both sides of the control socket.
libzombie_a_SOURCES += \
	%D%/accept.c \
	%D%/answer.c %D%/answer.h \
	%D%/client.c %D%/client.h \
	%D%/connection.c %D%/connection.h \
	%D%/inquiry.c %D%/inquiry.h \
	%D%/line.c %D%/line.h \
	%D%/path.c %D%/path.h \
	%D%/peer.c %D%/peer.h \
	%D%/request.c %D%/request.h \
	%D%/request_line.c %D%/request_line.h \
	%D%/server.c %D%/server.h %D%/server_state.h \
	%D%/text.c %D%/text.h
