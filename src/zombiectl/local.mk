# Folder src/zombiectl: the program that shows a server and steers it.
libzombie_a_SOURCES += \
	%D%/arguments.c %D%/arguments.h \
	%D%/canvas.c %D%/canvas.h \
	%D%/chaos.c %D%/chaos.h \
	%D%/chaos_killer.c %D%/chaos_killer.h \
	%D%/chaos_load.c %D%/chaos_load.h \
	%D%/chaos_options.c %D%/chaos_options.h \
	%D%/chaos_plan.c %D%/chaos_plan.h \
	%D%/chaos_probe.c %D%/chaos_probe.h \
	%D%/chaos_report.c %D%/chaos_report.h \
	%D%/chaos_response.c %D%/chaos_response.h \
	%D%/chaos_run.c %D%/chaos_run.h \
	%D%/chaos_spread.c %D%/chaos_spread.h \
	%D%/chaos_strength.c %D%/chaos_strength.h \
	%D%/chaos_tally.c %D%/chaos_tally.h \
	%D%/chaos_target.c %D%/chaos_target.h \
	%D%/commands.c %D%/commands.h \
	%D%/discover.c \
	%D%/follow.c \
	%D%/grid.c %D%/grid.h \
	%D%/help.c %D%/help.h \
	%D%/human.c %D%/human.h \
	%D%/member.c %D%/member.h \
	%D%/nearest.c %D%/nearest.h \
	%D%/operand.c %D%/operand.h \
	%D%/orders.c %D%/orders.h \
	%D%/questions.c \
	%D%/say.c %D%/say.h \
	%D%/screen.c %D%/screen.h \
	%D%/talk.c %D%/talk.h \
	%D%/terminal.c %D%/terminal.h \
	%D%/top.c \
	%D%/upgrade.c \
	%D%/upstream.c \
	%D%/view_discovery.c %D%/view_discovery.h \
	%D%/view_event.c %D%/view_event.h \
	%D%/view_status.c %D%/view_status.h \
	%D%/view_upstream.c %D%/view_upstream.h \
	%D%/visible.c %D%/visible.h \
	%D%/zombiectl.h

sbin_PROGRAMS += %D%/zombiectl
%C%_zombiectl_SOURCES = %D%/main.c
%C%_zombiectl_LDADD = $(zombie_libs)
%C%_zombiectl_LDFLAGS = $(program_ldflags)

bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = completions/zombiectl.bash
zshcompletiondir = $(datadir)/zsh/site-functions
dist_zshcompletion_DATA = completions/_zombiectl
