# Unit tests: cmocka, one group a program, table-driven, no sleeping.
# A new test_x.c needs its line here and nothing else.
if HAVE_CMOCKA
UNIT_TESTS += \
	%D%/test_access_file \
	%D%/test_access_format \
	%D%/test_access_log \
	%D%/test_account \
	%D%/test_activation \
	%D%/test_address \
	%D%/test_admin_crew \
	%D%/test_admin_discovery \
	%D%/test_admin_events \
	%D%/test_admin_metrics \
	%D%/test_admin_order \
	%D%/test_admin_reach \
	%D%/test_admin_site \
	%D%/test_args \
	%D%/test_attacks \
	%D%/test_attributes \
	%D%/test_balancer \
	%D%/test_balancer_crowd \
	%D%/test_balancer_found \
	%D%/test_balancer_garbage \
	%D%/test_balancer_upstreams \
	%D%/test_base64 \
	%D%/test_bytes \
	%D%/test_cache \
	%D%/test_cgroup \
	%D%/test_cgroup_meter \
	%D%/test_cgroup_path \
	%D%/test_channel \
	%D%/test_channel_full \
	%D%/test_chaos_options \
	%D%/test_chaos_plan \
	%D%/test_chaos_report \
	%D%/test_chaos_response \
	%D%/test_chaos_spread \
	%D%/test_chaos_strength \
	%D%/test_chaos_target \
	%D%/test_choice \
	%D%/test_chunk \
	%D%/test_clock \
	%D%/test_command_upstream \
	%D%/test_commands \
	%D%/test_commands_values \
	%D%/test_conditional \
	%D%/test_conf_dump \
	%D%/test_conf_file \
	%D%/test_conf_layers \
	%D%/test_conf_lists \
	%D%/test_conf_registry \
	%D%/test_conf_routes \
	%D%/test_conf_upstreams \
	%D%/test_conf_upstreams_layers \
	%D%/test_conf_values \
	%D%/test_conf_watch \
	%D%/test_consul_wire \
	%D%/test_control_client \
	%D%/test_control_line \
	%D%/test_control_listen \
	%D%/test_control_peer \
	%D%/test_control_request \
	%D%/test_control_server \
	%D%/test_cpu_affinity \
	%D%/test_cpu_count \
	%D%/test_crowd \
	%D%/test_deadline \
	%D%/test_directory \
	%D%/test_discovery \
	%D%/test_discovery_leave \
	%D%/test_distributor_table \
	%D%/test_distributor_wire \
	%D%/test_driver_distributor \
	%D%/test_endpoint \
	%D%/test_escape \
	%D%/test_etcd_members \
	%D%/test_etcd_wire \
	%D%/test_eureka_wire \
	%D%/test_event_json \
	%D%/test_failover \
	%D%/test_files_listing \
	%D%/test_files_open \
	%D%/test_files_path \
	%D%/test_files_send \
	%D%/test_forward_head \
	%D%/test_forwarded \
	%D%/test_frame \
	%D%/test_hang \
	%D%/test_head \
	%D%/test_herald_check \
	%D%/test_herald_check_http \
	%D%/test_herald_hosts \
	%D%/test_herald_names \
	%D%/test_herald_resolver \
	%D%/test_hop_by_hop \
	%D%/test_http_client \
	%D%/test_http_client_calls \
	%D%/test_http_client_names \
	%D%/test_http_date \
	%D%/test_inquiry \
	%D%/test_journal \
	%D%/test_json \
	%D%/test_json_type \
	%D%/test_landlock \
	%D%/test_limits \
	%D%/test_list \
	%D%/test_log_keep \
	%D%/test_log_line \
	%D%/test_log_ring \
	%D%/test_log_ring_writers \
	%D%/test_lookups \
	%D%/test_memory \
	%D%/test_message \
	%D%/test_mime \
	%D%/test_negotiate \
	%D%/test_network \
	%D%/test_notify \
	%D%/test_number \
	%D%/test_output \
	%D%/test_pattern \
	%D%/test_payload \
	%D%/test_peer \
	%D%/test_percent \
	%D%/test_pidfile \
	%D%/test_probe \
	%D%/test_process_usage \
	%D%/test_purpose \
	%D%/test_query \
	%D%/test_range \
	%D%/test_read_body \
	%D%/test_read_body_limits \
	%D%/test_recorder \
	%D%/test_recycle \
	%D%/test_redirect \
	%D%/test_registration \
	%D%/test_registry_url \
	%D%/test_reply_head \
	%D%/test_reply_passed \
	%D%/test_respawn \
	%D%/test_response \
	%D%/test_response_refused \
	%D%/test_rest \
	%D%/test_role \
	%D%/test_router \
	%D%/test_router_pieces \
	%D%/test_sample \
	%D%/test_scoreboard \
	%D%/test_scoreboard_counts \
	%D%/test_selection \
	%D%/test_share \
	%D%/test_slot \
	%D%/test_state \
	%D%/test_state_refused \
	%D%/test_stream \
	%D%/test_suspend \
	%D%/test_tally \
	%D%/test_text \
	%D%/test_trace_context \
	%D%/test_traits \
	%D%/test_upstream \
	%D%/test_utf8 \
	%D%/test_zombiectl_arguments \
	%D%/test_zombiectl_discovery \
	%D%/test_zombiectl_grid \
	%D%/test_zombiectl_human \
	%D%/test_zombiectl_operand \
	%D%/test_zombiectl_upstream \
	%D%/test_zombiectl_view \
	%D%/test_zombiectl_visible \
	%D%/test_zookeeper_wire
if HAVE_OPENSSL
UNIT_TESTS += %D%/test_tls_client
endif
endif

# The tests of control groups share their fixture.
%C%_test_cgroup_SOURCES = %D%/test_cgroup.c %D%/cgroup_fixture.c
%C%_test_cgroup_meter_SOURCES = %D%/test_cgroup_meter.c %D%/cgroup_fixture.c

# So do those of the balancer.
%C%_test_admin_metrics_SOURCES = %D%/test_admin_metrics.c %D%/balancer_fixture.c
%C%_test_balancer_SOURCES = %D%/test_balancer.c %D%/balancer_fixture.c
%C%_test_balancer_crowd_SOURCES = %D%/test_balancer_crowd.c %D%/balancer_fixture.c
%C%_test_balancer_found_SOURCES = %D%/test_balancer_found.c %D%/balancer_fixture.c
%C%_test_herald_names_SOURCES = %D%/test_herald_names.c %D%/balancer_fixture.c
%C%_test_balancer_garbage_SOURCES = %D%/test_balancer_garbage.c %D%/balancer_fixture.c
%C%_test_balancer_upstreams_SOURCES = %D%/test_balancer_upstreams.c %D%/balancer_fixture.c
%C%_test_choice_SOURCES = %D%/test_choice.c %D%/choice_fixture.c
%C%_test_peer_SOURCES = %D%/test_peer.c %D%/choice_fixture.c

# So do those of registries that are spoken to over HTTP.
%C%_test_consul_wire_SOURCES = %D%/test_consul_wire.c %D%/wire_fixture.c
%C%_test_eureka_wire_SOURCES = %D%/test_eureka_wire.c %D%/wire_fixture.c
noinst_HEADERS += %D%/wire_fixture.h

# So do those of orders.
%C%_test_command_upstream_SOURCES = %D%/test_command_upstream.c %D%/commands_fixture.c \
	%D%/balancer_fixture.c
%C%_test_commands_SOURCES = %D%/test_commands.c %D%/commands_fixture.c
%C%_test_commands_values_SOURCES = %D%/test_commands_values.c %D%/commands_fixture.c

# So do those of the configuration.
%C%_test_conf_dump_SOURCES = %D%/test_conf_dump.c %D%/conf_fixture.c
%C%_test_conf_file_SOURCES = %D%/test_conf_file.c %D%/conf_fixture.c
%C%_test_conf_layers_SOURCES = %D%/test_conf_layers.c %D%/conf_fixture.c
%C%_test_conf_registry_SOURCES = %D%/test_conf_registry.c %D%/conf_fixture.c
%C%_test_conf_routes_SOURCES = %D%/test_conf_routes.c %D%/conf_fixture.c
%C%_test_conf_upstreams_SOURCES = %D%/test_conf_upstreams.c %D%/conf_fixture.c
%C%_test_conf_upstreams_layers_SOURCES = %D%/test_conf_upstreams_layers.c %D%/conf_fixture.c
%C%_test_conf_values_SOURCES = %D%/test_conf_values.c %D%/conf_fixture.c
%C%_test_conf_watch_SOURCES = %D%/test_conf_watch.c %D%/conf_fixture.c

# So do those of the control socket.
%C%_test_control_client_SOURCES = %D%/test_control_client.c %D%/control_fixture.c
%C%_test_control_listen_SOURCES = %D%/test_control_listen.c %D%/control_fixture.c
%C%_test_control_server_SOURCES = %D%/test_control_server.c %D%/control_fixture.c

# So do those of the driver for Distributors.
%C%_test_driver_distributor_SOURCES = %D%/test_driver_distributor.c %D%/distributor_fixture.c
noinst_HEADERS += %D%/distributor_fixture.h
noinst_HEADERS += %D%/discovery_fixture.h

# So do those of handlers.
%C%_test_json_SOURCES = %D%/test_json.c %D%/handler_fixture.c
%C%_test_redirect_SOURCES = %D%/test_redirect.c %D%/handler_fixture.c
%C%_test_text_SOURCES = %D%/test_text.c %D%/handler_fixture.c

# So do those of the admin site, where a timer is cut short.
%C%_test_admin_discovery_SOURCES = %D%/test_admin_discovery.c %D%/admin_fixture.c
%C%_test_admin_discovery_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=event_add
%C%_test_admin_events_SOURCES = %D%/test_admin_events.c %D%/admin_fixture.c
%C%_test_admin_events_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=event_add
%C%_test_admin_site_SOURCES = %D%/test_admin_site.c %D%/admin_fixture.c
%C%_test_admin_site_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=event_add

# So do those of the serialised state.
%C%_test_state_SOURCES = %D%/test_state.c %D%/state_fixture.c
%C%_test_state_refused_SOURCES = %D%/test_state_refused.c %D%/state_fixture.c

# Those of HTTP clients, the server they ask.
client_fixture = %D%/http_client_fixture.c %D%/http_peer_fixture.c
noinst_HEADERS += %D%/certificate_fixture.h %D%/http_client_fixture.h %D%/http_peer_fixture.h
%C%_test_http_client_SOURCES = %D%/test_http_client.c $(client_fixture)
%C%_test_http_client_calls_SOURCES = %D%/test_http_client_calls.c $(client_fixture)
%C%_test_http_client_names_SOURCES = %D%/test_http_client_names.c $(client_fixture)
%C%_test_tls_client_SOURCES = %D%/test_tls_client.c %D%/certificate_fixture.c $(client_fixture)

# Those of what needs a whole server, theirs.
server_fixture = %D%/server_fixture.c %D%/conf_fixture.c
%C%_test_account_SOURCES = %D%/test_account.c $(server_fixture)
%C%_test_account_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_now_ms,--wrap=clock_now_us
%C%_test_deadline_SOURCES = %D%/test_deadline.c $(server_fixture)
%C%_test_deadline_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_now_ms,--wrap=clock_now_us
%C%_test_forward_head_SOURCES = %D%/test_forward_head.c $(server_fixture)
body_fixture = %D%/body_fixture.c $(server_fixture)
noinst_HEADERS += %D%/body_fixture.h
body_wraps = -Wl,--wrap=clock_now_ms,--wrap=clock_now_us,--wrap=dispatch_streams,--wrap=request_wait
%C%_test_read_body_SOURCES = %D%/test_read_body.c $(body_fixture)
%C%_test_read_body_LDFLAGS = $(AM_LDFLAGS) $(body_wraps)
%C%_test_read_body_limits_SOURCES = %D%/test_read_body_limits.c $(body_fixture)
%C%_test_read_body_limits_LDFLAGS = $(AM_LDFLAGS) $(body_wraps)
%C%_test_reply_passed_SOURCES = %D%/test_reply_passed.c $(server_fixture)
%C%_test_reply_passed_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=request_wait
%C%_test_stream_SOURCES = %D%/test_stream.c $(server_fixture)
%C%_test_suspend_SOURCES = %D%/test_suspend.c $(server_fixture)
%C%_test_suspend_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=request_wait

# Tests in which memory is short, or that move the clock.
%C%_test_bytes_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=realloc
%C%_test_discovery_SOURCES = %D%/test_discovery.c %D%/discovery_fixture.c
%C%_test_discovery_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=driver_of
%C%_test_discovery_leave_SOURCES = %D%/test_discovery_leave.c %D%/discovery_fixture.c
%C%_test_discovery_leave_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=driver_of
%C%_test_limits_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_now_ms
%C%_test_output_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=realloc
%C%_test_reply_head_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=realloc,--wrap=time

# Tests that stand in for what they ask: the control server, the host.
%C%_test_commands_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=control_fail,--wrap=control_succeed
%C%_test_command_upstream_LDFLAGS = $(%C%_test_commands_LDFLAGS)
%C%_test_commands_values_LDFLAGS = $(%C%_test_commands_LDFLAGS)
%C%_test_purpose_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=control_path_default,--wrap=control_path_make_folder
%C%_test_rest_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_now_ms,--wrap=event_add \
	-Wl,--wrap=conf_registry_user,--wrap=conf_registry_password \
	-Wl,--wrap=http_client_new,--wrap=http_client_send,--wrap=http_client_free
%C%_test_sample_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=process_usage_read

noinst_HEADERS += %D%/admin_fixture.h %D%/balancer_fixture.h %D%/cgroup_fixture.h %D%/cgroup_text.h \
	%D%/choice_fixture.h %D%/commands_fixture.h %D%/conf_fixture.h %D%/control_fixture.h \
	%D%/handler_fixture.h %D%/server_fixture.h %D%/state_fixture.h
