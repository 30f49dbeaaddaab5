# Fuzz targets. Each fuzz_x.c with its corpus/x/ is built twice: as replay_x,
# which `make check` runs over the corpus, and with --enable-fuzzing as fuzz_x.

REPLAY_TESTS += %D%/replay_cgroup
%C%_replay_cgroup_SOURCES = %D%/replay.c %D%/fuzz_cgroup.c

REPLAY_TESTS += %D%/replay_conf
%C%_replay_conf_SOURCES = %D%/replay.c %D%/fuzz_conf.c

REPLAY_TESTS += %D%/replay_log_line
%C%_replay_log_line_SOURCES = %D%/replay.c %D%/fuzz_log_line.c

REPLAY_TESTS += %D%/replay_message
%C%_replay_message_SOURCES = %D%/replay.c %D%/fuzz_message.c

REPLAY_TESTS += %D%/replay_negotiate
%C%_replay_negotiate_SOURCES = %D%/replay.c %D%/fuzz_negotiate.c

REPLAY_TESTS += %D%/replay_state
%C%_replay_state_SOURCES = %D%/replay.c %D%/fuzz_state.c

REPLAY_TESTS += %D%/replay_target
%C%_replay_target_SOURCES = %D%/replay.c %D%/fuzz_target.c

if FUZZING
noinst_PROGRAMS += %D%/fuzz_cgroup
%C%_fuzz_cgroup_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_conf
%C%_fuzz_conf_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_log_line
%C%_fuzz_log_line_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_message
%C%_fuzz_message_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_negotiate
%C%_fuzz_negotiate_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_state
%C%_fuzz_state_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_target
%C%_fuzz_target_LDFLAGS = $(link_libfuzzer)
endif
