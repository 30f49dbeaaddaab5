# Folder src/cluster: the master, its slots, and how many there are.
libzombie_a_SOURCES += \
	%D%/access_file.c %D%/access_file.h \
	%D%/activated.c %D%/activated.h \
	%D%/balance.c %D%/balance.h \
	%D%/child.c %D%/child.h \
	%D%/chronicle.c %D%/chronicle.h \
	%D%/command_change.c \
	%D%/command_discover.c \
	%D%/command_drain.c \
	%D%/command_events.c \
	%D%/command_kill.c \
	%D%/command_logging.c \
	%D%/command_logs.c \
	%D%/command_restart.c \
	%D%/command_scale.c \
	%D%/command_slot.c %D%/command_slot.h \
	%D%/command_stop.c \
	%D%/command_tell.c \
	%D%/command_upstream.c \
	%D%/commands.c %D%/commands.h \
	%D%/control_link.c %D%/control_link.h \
	%D%/event_json.c %D%/event_json.h \
	%D%/generation.c %D%/generation.h \
	%D%/handover.c %D%/handover.h \
	%D%/hang.c %D%/hang.h \
	%D%/hear.c %D%/hear.h \
	%D%/journal.c %D%/journal.h \
	%D%/kill.c %D%/kill.h \
	%D%/launch.c %D%/launch.h \
	%D%/listener.c %D%/listener.h \
	%D%/listeners.c %D%/listeners.h \
	%D%/master.c %D%/master.h \
	%D%/master_state.h \
	%D%/obituary.c %D%/obituary.h \
	%D%/operation.c %D%/operation.h \
	%D%/orders.c %D%/orders.h \
	%D%/patrol.c %D%/patrol.h \
	%D%/preflight.c %D%/preflight.h \
	%D%/purpose.c %D%/purpose.h \
	%D%/reap.c %D%/reap.h \
	%D%/reconcile.c %D%/reconcile.h \
	%D%/recorder.c %D%/recorder.h \
	%D%/recycle.c %D%/recycle.h \
	%D%/recycling.c %D%/recycling.h \
	%D%/reload.c %D%/reload.h \
	%D%/reopen.c %D%/reopen.h \
	%D%/respawn.c %D%/respawn.h \
	%D%/role.c %D%/role.h \
	%D%/sample.c %D%/sample.h \
	%D%/share.c %D%/share.h \
	%D%/sharing.c %D%/sharing.h \
	%D%/signals.c %D%/signals.h \
	%D%/slot.c %D%/slot.h \
	%D%/spawn.c %D%/spawn.h \
	%D%/state.c %D%/state.h \
	%D%/state_claim.c %D%/state_claim.h \
	%D%/state_decode.c \
	%D%/state_member.h \
	%D%/status.c %D%/status.h \
	%D%/status_process.c %D%/status_process.h \
	%D%/status_registry.c %D%/status_registry.h \
	%D%/status_upstream.c %D%/status_upstream.h \
	%D%/stop.c %D%/stop.h \
	%D%/strength.c %D%/strength.h \
	%D%/succession.c %D%/succession.h \
	%D%/support.c %D%/support.h \
	%D%/table.c %D%/table.h \
	%D%/tally.c %D%/tally.h \
	%D%/upgrade.c %D%/upgrade.h \
	%D%/writer.c %D%/writer.h
