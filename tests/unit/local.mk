# Unit tests: cmocka, one group a program, table-driven, no sleeping.
# A new test_x.c needs its line here and nothing else.
if HAVE_CMOCKA
UNIT_TESTS += \
	%D%/test_address \
	%D%/test_args \
	%D%/test_cgroup \
	%D%/test_cgroup_path \
	%D%/test_conf \
	%D%/test_cpu_count \
	%D%/test_network \
	%D%/test_number
endif

noinst_HEADERS += %D%/cgroup_text.h
