# Folder src/conf: from argv, environment and files to one checked configuration.
libzombie_a_SOURCES += \
	%D%/args.c %D%/args.h \
	%D%/assignments.c %D%/assignments.h \
	%D%/builtin.c \
	%D%/check.c \
	%D%/check_distributor.c \
	%D%/check_registry.c %D%/check_registry.h \
	%D%/check_watch.c %D%/check_watch.h \
	%D%/conf.c %D%/conf.h \
	%D%/dump.c \
	%D%/endpoint.c %D%/endpoint.h \
	%D%/environment.c \
	%D%/fail.c %D%/fail.h \
	%D%/file.c \
	%D%/grammar.c %D%/grammar.h \
	%D%/host_name.c %D%/host_name.h \
	%D%/list.c %D%/list.h \
	%D%/load.c %D%/load.h \
	%D%/option.h \
	%D%/options.c \
	%D%/override.c \
	%D%/pattern.c %D%/pattern.h \
	%D%/read.c %D%/read.h \
	%D%/registry.c %D%/registry.h \
	%D%/registry_resolve.c %D%/registry_resolve.h \
	%D%/registry_url.c %D%/registry_url.h \
	%D%/resolve.c %D%/resolve.h \
	%D%/routes.c %D%/routes.h \
	%D%/scan.c %D%/scan.h \
	%D%/schema.c %D%/schema.h \
	%D%/signal_name.c %D%/signal_name.h \
	%D%/size.c %D%/size.h \
	%D%/source.h \
	%D%/spelling.c %D%/spelling.h \
	%D%/upstream.c %D%/upstream.h \
	%D%/upstreams.c %D%/upstreams.h \
	%D%/url.c %D%/url.h \
	%D%/value.c %D%/value.h \
	%D%/value_list.c %D%/value_list.h \
	%D%/version.c %D%/version.h
