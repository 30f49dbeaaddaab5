# Fuzz targets. Each fuzz_x.c with its corpus/x/ is built twice: as replay_x,
# which `make check` runs over the corpus, and with --enable-fuzzing as fuzz_x.

REPLAY_TESTS += %D%/replay_cgroup
%C%_replay_cgroup_SOURCES = %D%/replay.c %D%/fuzz_cgroup.c

REPLAY_TESTS += %D%/replay_conf
%C%_replay_conf_SOURCES = %D%/replay.c %D%/fuzz_conf.c

if FUZZING
noinst_PROGRAMS += %D%/fuzz_cgroup
%C%_fuzz_cgroup_LDFLAGS = $(link_libfuzzer)
noinst_PROGRAMS += %D%/fuzz_conf
%C%_fuzz_conf_LDFLAGS = $(link_libfuzzer)
endif
