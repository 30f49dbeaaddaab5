# Fuzz targets. Each fuzz_x.c with its corpus/x/ is built twice: as replay_x,
# which `make check` runs over the corpus, and with --enable-fuzzing as fuzz_x.

REPLAY_TESTS += %D%/replay_access_format
%C%_replay_access_format_SOURCES = %D%/replay.c %D%/fuzz_access_format.c

REPLAY_TESTS += %D%/replay_cache
%C%_replay_cache_SOURCES = %D%/replay.c %D%/fuzz_cache.c

REPLAY_TESTS += %D%/replay_cgroup
%C%_replay_cgroup_SOURCES = %D%/replay.c %D%/fuzz_cgroup.c

REPLAY_TESTS += %D%/replay_chaos_response
%C%_replay_chaos_response_SOURCES = %D%/replay.c %D%/fuzz_chaos_response.c

REPLAY_TESTS += %D%/replay_chunk
%C%_replay_chunk_SOURCES = %D%/replay.c %D%/fuzz_chunk.c

REPLAY_TESTS += %D%/replay_conf
%C%_replay_conf_SOURCES = %D%/replay.c %D%/fuzz_conf.c

REPLAY_TESTS += %D%/replay_consul
%C%_replay_consul_SOURCES = %D%/replay.c %D%/fuzz_consul.c

REPLAY_TESTS += %D%/replay_control
%C%_replay_control_SOURCES = %D%/replay.c %D%/fuzz_control.c

REPLAY_TESTS += %D%/replay_distributor
%C%_replay_distributor_SOURCES = %D%/replay.c %D%/fuzz_distributor.c

REPLAY_TESTS += %D%/replay_eureka
%C%_replay_eureka_SOURCES = %D%/replay.c %D%/fuzz_eureka.c

REPLAY_TESTS += %D%/replay_frame
%C%_replay_frame_SOURCES = %D%/replay.c %D%/fuzz_frame.c
REPLAY_TESTS += %D%/replay_etcd
%C%_replay_etcd_SOURCES = %D%/replay.c %D%/fuzz_etcd.c

REPLAY_TESTS += %D%/replay_head
%C%_replay_head_SOURCES = %D%/replay.c %D%/fuzz_head.c

REPLAY_TESTS += %D%/replay_http_date
%C%_replay_http_date_SOURCES = %D%/replay.c %D%/fuzz_http_date.c

REPLAY_TESTS += %D%/replay_log_line
%C%_replay_log_line_SOURCES = %D%/replay.c %D%/fuzz_log_line.c

REPLAY_TESTS += %D%/replay_message
%C%_replay_message_SOURCES = %D%/replay.c %D%/fuzz_message.c

REPLAY_TESTS += %D%/replay_negotiate
%C%_replay_negotiate_SOURCES = %D%/replay.c %D%/fuzz_negotiate.c

REPLAY_TESTS += %D%/replay_order_body
%C%_replay_order_body_SOURCES = %D%/replay.c %D%/fuzz_order_body.c

REPLAY_TESTS += %D%/replay_pattern
%C%_replay_pattern_SOURCES = %D%/replay.c %D%/fuzz_pattern.c

REPLAY_TESTS += %D%/replay_payload
%C%_replay_payload_SOURCES = %D%/replay.c %D%/fuzz_payload.c

REPLAY_TESTS += %D%/replay_query
%C%_replay_query_SOURCES = %D%/replay.c %D%/fuzz_query.c

REPLAY_TESTS += %D%/replay_range
%C%_replay_range_SOURCES = %D%/replay.c %D%/fuzz_range.c

REPLAY_TESTS += %D%/replay_registry_url
%C%_replay_registry_url_SOURCES = %D%/replay.c %D%/fuzz_registry_url.c

REPLAY_TESTS += %D%/replay_response
%C%_replay_response_SOURCES = %D%/replay.c %D%/fuzz_response.c

REPLAY_TESTS += %D%/replay_state
%C%_replay_state_SOURCES = %D%/replay.c %D%/fuzz_state.c

REPLAY_TESTS += %D%/replay_trace_context
%C%_replay_trace_context_SOURCES = %D%/replay.c %D%/fuzz_trace_context.c

REPLAY_TESTS += %D%/replay_url
%C%_replay_url_SOURCES = %D%/replay.c %D%/fuzz_url.c

REPLAY_TESTS += %D%/replay_zookeeper_wire
%C%_replay_zookeeper_wire_SOURCES = %D%/replay.c %D%/fuzz_zookeeper_wire.c

if FUZZING
noinst_PROGRAMS += %D%/fuzz_access_format
%C%_fuzz_access_format_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_cache
%C%_fuzz_cache_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_cgroup
%C%_fuzz_cgroup_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_chaos_response
%C%_fuzz_chaos_response_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_chunk
%C%_fuzz_chunk_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_conf
%C%_fuzz_conf_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_consul
%C%_fuzz_consul_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_control
%C%_fuzz_control_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_distributor
%C%_fuzz_distributor_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_eureka
%C%_fuzz_eureka_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_frame
%C%_fuzz_frame_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_etcd
%C%_fuzz_etcd_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_head
%C%_fuzz_head_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_http_date
%C%_fuzz_http_date_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_log_line
%C%_fuzz_log_line_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_message
%C%_fuzz_message_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_negotiate
%C%_fuzz_negotiate_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_order_body
%C%_fuzz_order_body_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_pattern
%C%_fuzz_pattern_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_payload
%C%_fuzz_payload_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_query
%C%_fuzz_query_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_range
%C%_fuzz_range_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_registry_url
%C%_fuzz_registry_url_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_response
%C%_fuzz_response_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_state
%C%_fuzz_state_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_trace_context
%C%_fuzz_trace_context_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_url
%C%_fuzz_url_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_zookeeper_wire
%C%_fuzz_zookeeper_wire_LDFLAGS = $(link_libfuzzer)
endif
