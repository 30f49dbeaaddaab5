# Folder src/proxy: requests that go to servers of upstreams: which one, how, and what becomes of it.
libzombie_a_SOURCES += \
	%D%/backend.c %D%/backend.h \
	%D%/balancer.c %D%/balancer.h \
	%D%/balancer_apply.c \
	%D%/balancer_lock.c \
	%D%/balancer_members.c %D%/balancer_members.h \
	%D%/balancer_state.h \
	%D%/balancer_view.c \
	%D%/choice.c %D%/choice.h \
	%D%/failover.c %D%/failover.h \
	%D%/forward.c %D%/forward.h \
	%D%/forward_answer.c \
	%D%/forward_attempt.c \
	%D%/forward_fail.c \
	%D%/forward_head.c \
	%D%/forward_send.c \
	%D%/forward_state.h \
	%D%/forwarded.c %D%/forwarded.h \
	%D%/handler.c \
	%D%/hop_by_hop.c %D%/hop_by_hop.h \
	%D%/peer.c %D%/peer.h \
	%D%/proxy.c %D%/proxy.h \
	%D%/proxy_log.c %D%/proxy_log.h \
	%D%/proxy_state.h \
	%D%/response.c %D%/response.h \
	%D%/upstream.c %D%/upstream.h
