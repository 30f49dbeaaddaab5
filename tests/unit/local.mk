# Unit tests: cmocka, one group a program, table-driven, no sleeping.
# A new test_x.c needs its line here and nothing else.
if HAVE_CMOCKA
UNIT_TESTS += \
	%D%/test_activation \
	%D%/test_address \
	%D%/test_args \
	%D%/test_cgroup \
	%D%/test_cgroup_meter \
	%D%/test_cgroup_path \
	%D%/test_channel \
	%D%/test_clock \
	%D%/test_conf_dump \
	%D%/test_conf_file \
	%D%/test_conf_layers \
	%D%/test_conf_values \
	%D%/test_cpu_affinity \
	%D%/test_cpu_count \
	%D%/test_hang \
	%D%/test_landlock \
	%D%/test_log_line \
	%D%/test_memory \
	%D%/test_message \
	%D%/test_negotiate \
	%D%/test_network \
	%D%/test_notify \
	%D%/test_number \
	%D%/test_pidfile \
	%D%/test_recorder \
	%D%/test_recycle \
	%D%/test_respawn \
	%D%/test_router \
	%D%/test_scoreboard \
	%D%/test_slot \
	%D%/test_state \
	%D%/test_state_refused \
	%D%/test_target \
	%D%/test_utf8
endif

# The tests of control groups share their fixture.
%C%_test_cgroup_SOURCES = %D%/test_cgroup.c %D%/cgroup_fixture.c
%C%_test_cgroup_meter_SOURCES = %D%/test_cgroup_meter.c %D%/cgroup_fixture.c

# So do those of the configuration.
%C%_test_conf_dump_SOURCES = %D%/test_conf_dump.c %D%/conf_fixture.c
%C%_test_conf_file_SOURCES = %D%/test_conf_file.c %D%/conf_fixture.c
%C%_test_conf_layers_SOURCES = %D%/test_conf_layers.c %D%/conf_fixture.c
%C%_test_conf_values_SOURCES = %D%/test_conf_values.c %D%/conf_fixture.c

# So do those of the serialised state.
%C%_test_state_SOURCES = %D%/test_state.c %D%/state_fixture.c
%C%_test_state_refused_SOURCES = %D%/test_state_refused.c %D%/state_fixture.c

noinst_HEADERS += %D%/cgroup_fixture.h %D%/cgroup_text.h %D%/conf_fixture.h %D%/state_fixture.h
