# Folder src/admin: the HTTP site for those who watch and steer.
libzombie_a_SOURCES += \
	%D%/admin.c %D%/admin.h \
	%D%/answer.c %D%/answer.h \
	%D%/discovery.c \
	%D%/event_ring.c %D%/event_ring.h \
	%D%/events.c \
	%D%/feed.c %D%/feed.h \
	%D%/guard.c %D%/guard.h \
	%D%/hub.c %D%/hub.h \
	%D%/metrics.c \
	%D%/metrics_registry.c %D%/metrics_registry.h \
	%D%/metrics_report.c %D%/metrics_report.h \
	%D%/metrics_text.c %D%/metrics_text.h \
	%D%/metrics_upstreams.c %D%/metrics_upstreams.h \
	%D%/order.c \
	%D%/order_body.c %D%/order_body.h \
	%D%/page.c %D%/page_html.h \
	%D%/probes.c \
	%D%/pulse.c %D%/pulse.h \
	%D%/reach.c %D%/reach.h \
	%D%/site.c %D%/site.h %D%/site_state.h \
	%D%/status.c

# The live page as a part of the program.
nodist_libzombie_a_SOURCES = %D%/page_html.c
CLEANFILES = %D%/page_html.c
EXTRA_DIST += %D%/page.html build-aux/embed

%D%/page_html.c: $(top_srcdir)/%D%/page.html $(top_srcdir)/build-aux/embed
	$(AM_V_at)$(MKDIR_P) %D%
	$(AM_V_GEN)$(SHELL) $(top_srcdir)/build-aux/embed $(top_srcdir)/%D%/page.html page_html \
		>$@.new && mv -f $@.new $@
