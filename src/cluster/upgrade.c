#include "config.h"

#include "cluster/upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "cluster/child.h"
#include "cluster/chronicle.h"
#include "cluster/handover.h"
#include "cluster/kill.h"
#include "cluster/launch.h"
#include "cluster/master_state.h"
#include "cluster/preflight.h"
#include "cluster/signals.h"
#include "cluster/state.h"
#include "conf/conf.h"
#include "conf/load.h"
#include "ipc/scoreboard.h"

/* How much of what a trial says goes to the log. */
#define REPORT_SIZE 1024

/* ... and of why it is none, which may quote it. */
#define WHY_SIZE (REPORT_SIZE + 128)

bool upgrade_is_active(const struct master *master)
{
    return master->upgrade.pid != 0 || master->upgrade.passed;
}

static void refuse(struct master *master, const char *why)
{
    struct outcome *outcome = &master->upgraded;
    log_error("upgrade refused: %s; nothing has changed, version " PACKAGE_VERSION " goes on", why);
    outcome->number = master->trials;
    outcome->succeeded = false;
    snprintf(outcome->text, sizeof outcome->text, "%s; version " PACKAGE_VERSION " goes on", why);
    scoreboard_count(master->scoreboard, SCOREBOARD_UPGRADES_FAILED);
    chronicle(master, JOURNAL_UPGRADE_FAILED, NULL, "%s", why);
}

static void refuse_for(struct master *master, const char *what, const char *which, int err)
{
    char why[REPORT_SIZE];
    snprintf(why, sizeof why, "cannot %s %s: %s", what, which, strerror(-err));
    refuse(master, why);
}

/* A text in a file without a name. Returns the descriptor or -errno. */
static int write_memfd(const char *name, const char *text, size_t len)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    errno = EIO; /* for a short write */
    if (write(fd, text, len) == (ssize_t)len && lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    int err = -errno;
    close(fd);
    return err;
}

/* The configuration in force, should the files be invalid when the new program reads them. */
static int write_configuration(const struct conf *conf)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    int err = out != NULL ? conf_save(conf, out) : -ENOMEM;
    if (out != NULL && fclose(out) != 0)
        err = -ENOMEM;
    int fd = err == 0 ? write_memfd("zombie-configuration", text, len) : err;
    free(text);
    return fd;
}

static int write_state(const struct state *state)
{
    char *text;
    int err = state_encode(state, HANDOVER_LAYOUTS, &text);
    if (err != 0)
        return err;
    int fd = write_memfd("zombie-state", text, strlen(text));
    free(text);
    return fd;
}

/* What is handed over, with the configuration. Returns 0 or -errno. */
static int collect(const struct master *master, struct state *ret_state)
{
    int fd = write_configuration(master->conf);
    int err = fd < 0 ? fd : handover_collect(master, ret_state);
    if (err == 0)
        ret_state->configuration_fd = fd;
    else if (fd >= 0)
        close(fd);
    return err;
}

static void drop(struct state *state)
{
    close(state->configuration_fd);
    state_clear(state);
}

/* Point the environment at the state, go where the command line is valid, and become the program.
 */
static int execute(const struct launch *launch, char *const *argv, int state_fd)
{
    char text[16];
    snprintf(text, sizeof text, "%d", state_fd);
    if (fcntl(state_fd, F_SETFD, 0) != 0 || setenv(LAUNCH_STATE_VARIABLE, text, 1) != 0)
        return -errno;
    launch_enter_folder(launch);
    execv(launch->program, argv);
    int err = -errno;
    unsetenv(LAUNCH_STATE_VARIABLE);
    return err;
}

/* The command line of the start, with one word more. NULL: out of memory. */
static char **make_trial_argv(char *const *argv)
{
    static char word[] = "--preflight";
    size_t n = 0;
    while (argv[n] != NULL)
        n++;
    char **copy = calloc(n + 2, sizeof *copy);
    if (copy == NULL)
        return NULL;
    copy[0] = argv[0];
    copy[1] = word;
    for (size_t i = 1; i < n; i++)
        copy[i + 1] = argv[i];
    return copy;
}

/* The child's side: what it says on standard error is the report. */
static _Noreturn void try(const struct master *master, const struct state *state, int state_fd,
                          int report_fd)
{
    const struct launch *launch = master->launch;
    char **argv = make_trial_argv(launch->argv);
    setpgid(0, 0);
    child_reset_signals();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != master->pid)
        _exit(EX_OSERR);
    dup2(report_fd, STDOUT_FILENO);
    dup2(report_fd, STDERR_FILENO);
    handover_keep_descriptors(state, true);
    int err = argv != NULL ? execute(launch, argv, state_fd) : -ENOMEM;
    dprintf(STDERR_FILENO, "cannot execute %s: %s\n", launch->program, strerror(-err));
    _exit(EX_OSERR);
}

/* A file of fixed size: a program that prints without end shall not fill the memory. */
static int make_report(void)
{
    int fd = memfd_create("zombie-preflight", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd >= 0 && (ftruncate(fd, REPORT_SIZE) != 0 ||
                    fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

static void start_trial(struct master *master, const struct state *state, int64_t now_ms)
{
    int state_fd = write_state(state);
    int report_fd = make_report();
    pid_t pid = state_fd >= 0 && report_fd >= 0 ? fork() : -1;
    if (pid == 0)
        try(master, state, state_fd, report_fd);
    if (state_fd >= 0)
        close(state_fd);
    if (pid > 0) {
        setpgid(pid, pid); /* the child does the same: whoever is first */
        master->upgrade = (struct upgrade){
            .pid = pid,
            .report_fd = report_fd,
            .deadline_ms = now_ms + master->conf->instance.boot_timeout_ms,
        };
        return;
    }
    refuse_for(master, "begin", "a trial", state_fd < 0 ? state_fd : -errno);
    if (report_fd >= 0)
        close(report_fd);
}

void upgrade_begin(struct master *master, int64_t now_ms)
{
    struct state state;
    master->trials++;
    if (master->launch->program == NULL) {
        refuse(master, "the path of the program is not known");
        return;
    }
    int err = collect(master, &state);
    if (err != 0) {
        refuse_for(master, "gather", "the state", err);
        return;
    }
    log_info("upgrading: trying %s", master->launch->program);
    start_trial(master, &state, now_ms);
    drop(&state);
}

/* What the trial said, as one line. */
static void read_report(int fd, char report[REPORT_SIZE])
{
    ssize_t len = pread(fd, report, REPORT_SIZE - 1, 0);
    report[len > 0 ? len : 0] = '\0';
    len = (ssize_t)strlen(report);
    for (len--; len >= 0 && (report[len] == '\n' || report[len] == ' '); len--)
        report[len] = '\0';
}

static void describe_failure(const struct upgrade *upgrade, int wait_status, const char *report,
                             char why[WHY_SIZE])
{
    char name[KILL_SIGNAL_SIZE];
    kill_signal_name(WTERMSIG(wait_status), name);
    if (upgrade->expired)
        snprintf(why, WHY_SIZE, "the new program did not answer in time");
    else if (WIFSIGNALED(wait_status))
        snprintf(why, WHY_SIZE, "the new program was killed by %s%s%s", name,
                 report[0] != '\0' ? ", it said: " : "", report);
    else if (wait_status == 0)
        snprintf(why, WHY_SIZE, "that is no zombie-server which can take over");
    else if (report[0] != '\0' && strcmp(report, PREFLIGHT_PASSED) != 0)
        snprintf(why, WHY_SIZE, "%s", report);
    else
        snprintf(why, WHY_SIZE, "the new program exited with status %d", WEXITSTATUS(wait_status));
}

void upgrade_judge(struct master *master, int wait_status)
{
    char why[WHY_SIZE];
    struct upgrade *upgrade = &master->upgrade;
    char report[REPORT_SIZE];
    read_report(upgrade->report_fd, report);
    bool passed = wait_status == 0 && strcmp(report, PREFLIGHT_PASSED) == 0;
    if (!passed && master->phase == MASTER_RUNNING) {
        describe_failure(upgrade, wait_status, report, why);
        refuse(master, why);
    }
    close(upgrade->report_fd);
    *upgrade = (struct upgrade){.passed = passed && master->phase == MASTER_RUNNING};
}

/* Returns only if it fails. */
static void become(struct master *master)
{
    struct state state;
    int err = collect(master, &state);
    if (err != 0) {
        refuse_for(master, "gather", "the state", err);
        return;
    }
    int fd = write_state(&state);
    err = fd < 0 ? fd : 0;
    char *here = getcwd(NULL, 0);
    if (err == 0) {
        signals_raise(master->waiting & ~(unsigned)WANT_RELOAD); /* that follows anyway */
        master->waiting = 0;
        log_info("upgrading: executing %s", master->launch->program);
        handover_keep_descriptors(&state, true);
        err = execute(master->launch, master->launch->argv, fd);
        handover_keep_descriptors(&state, false);
        launch_leave_folder(master->launch, here);
        close(fd);
    }
    free(here);
    drop(&state);
    if (fd < 0)
        refuse_for(master, "write", "the state", err);
    else
        refuse_for(master, "execute", master->launch->program, err);
}

/* With its children; and by itself, should it have left its group. */
static void kill_trial(const struct upgrade *upgrade)
{
    kill(-upgrade->pid, SIGKILL);
    kill(upgrade->pid, SIGKILL);
}

void upgrade_step(struct master *master, int64_t now_ms)
{
    struct upgrade *upgrade = &master->upgrade;
    if (upgrade->pid != 0 && now_ms >= upgrade->deadline_ms) {
        upgrade->expired = true;
        upgrade->deadline_ms = INT64_MAX;
        kill_trial(upgrade);
    }
    if (upgrade->passed) {
        upgrade->passed = false;
        become(master);
    }
}

void upgrade_cancel(struct master *master)
{
    if (master->upgrade.pid != 0)
        kill_trial(&master->upgrade);
    master->upgrade.passed = false;
}
