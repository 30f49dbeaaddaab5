# Folder src/http: evhttp set-up, limits, routes; handlers/ holds one handler a file.
libzombie_a_SOURCES += \
	%D%/connection.c %D%/connection.h \
	%D%/drain.c %D%/drain.h \
	%D%/exclusive.c %D%/exclusive.h \
	%D%/handlers/handler.h \
	%D%/handlers/health.c \
	%D%/handlers/identity.c \
	%D%/handlers/identity_page.c %D%/handlers/identity_page.h \
	%D%/handlers/not_found.c \
	%D%/handlers/table.c \
	%D%/handlers/text.c \
	%D%/handlers/worker_killer.c \
	%D%/identity.h \
	%D%/listener.c %D%/listener.h \
	%D%/negotiate.c %D%/negotiate.h \
	%D%/reply.c %D%/reply.h \
	%D%/request.c %D%/request.h \
	%D%/request_state.h \
	%D%/router.c %D%/router.h \
	%D%/server.c %D%/server.h \
	%D%/server_state.h \
	%D%/target.c %D%/target.h
