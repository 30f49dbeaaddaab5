# Folder src/http: from accepted sockets to answers; handlers/ holds one handler a file.
libzombie_a_SOURCES += \
	%D%/absence.c %D%/absence.h \
	%D%/access_log.c %D%/access_log.h \
	%D%/account.c %D%/account.h \
	%D%/attributes.c %D%/attributes.h \
	%D%/authority.c %D%/authority.h \
	%D%/chunk.c %D%/chunk.h \
	%D%/conditional.c %D%/conditional.h \
	%D%/connection.c %D%/connection.h \
	%D%/crowd.c %D%/crowd.h \
	%D%/deadline.c %D%/deadline.h \
	%D%/dispatch.c %D%/dispatch.h \
	%D%/drain.c %D%/drain.h \
	%D%/escape.c %D%/escape.h \
	%D%/exchange.c %D%/exchange.h \
	%D%/exclusive.c %D%/exclusive.h \
	%D%/fields.c %D%/fields.h \
	%D%/handlers/files.c \
	%D%/handlers/files_folder.c %D%/handlers/files_folder.h \
	%D%/handlers/files_listing.c %D%/handlers/files_listing.h \
	%D%/handlers/files_open.c %D%/handlers/files_open.h \
	%D%/handlers/files_path.c %D%/handlers/files_path.h \
	%D%/handlers/files_ranges.c %D%/handlers/files_ranges.h \
	%D%/handlers/files_send.c %D%/handlers/files_send.h \
	%D%/handlers/files_types.c %D%/handlers/files_types.h \
	%D%/handlers/files_variant.c %D%/handlers/files_variant.h \
	%D%/handlers/handler.c %D%/handlers/handler.h \
	%D%/handlers/health.c \
	%D%/handlers/identity.c \
	%D%/handlers/identity_page.c %D%/handlers/identity_page.h \
	%D%/handlers/json.c \
	%D%/handlers/json_type.c %D%/handlers/json_type.h \
	%D%/handlers/not_found.c \
	%D%/handlers/redirect.c \
	%D%/handlers/redirect_target.c %D%/handlers/redirect_target.h \
	%D%/handlers/text.c \
	%D%/handlers/worker_killer.c \
	%D%/head.c %D%/head.h \
	%D%/head_field.c %D%/head_field.h \
	%D%/head_line.c %D%/head_line.h \
	%D%/healthcheck.c %D%/healthcheck.h \
	%D%/http_date.c %D%/http_date.h \
	%D%/identity.h \
	%D%/intake.c %D%/intake.h \
	%D%/limits.c %D%/limits.h \
	%D%/lines.c %D%/lines.h \
	%D%/linger.c %D%/linger.h \
	%D%/listener.c %D%/listener.h \
	%D%/mime.c %D%/mime.h \
	%D%/mime_types.c %D%/mime_types.h \
	%D%/negotiate.c %D%/negotiate.h \
	%D%/networks.c %D%/networks.h \
	%D%/octets.c %D%/octets.h \
	%D%/output.c %D%/output.h \
	%D%/probe.c %D%/probe.h \
	%D%/probe_target.c \
	%D%/query.c %D%/query.h \
	%D%/range.c %D%/range.h \
	%D%/reply.c %D%/reply.h \
	%D%/reply_head.c %D%/reply_head.h \
	%D%/request.c %D%/request.h \
	%D%/request_state.h \
	%D%/router.c %D%/router.h \
	%D%/server.c %D%/server.h \
	%D%/server_state.h \
	%D%/slice.h \
	%D%/trace_context.c %D%/trace_context.h
