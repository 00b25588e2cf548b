/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "formats/base/buf.h"
#include "formats/base/now.h"
#include "launcher.h"
#include "on_dump.h"

#define GRACE_NS 2000000000ull /* between asking a command to end and killing it */
#define USUAL_DESCRIPTORS 1024

struct command {
	struct fr_words words;
	char path[PATH_MAX];
	bool sends;
};

struct child {
	const struct fr_config *config;
	int daemon_fd;
	int signal_fd;
	struct command commands[2]; /* of each job, in this order */
	uint32_t command_cnt;

	struct fr_launch_job queue[FR_LAUNCH_QUEUE_MAX];
	uint32_t first, cnt; /* places of the queue that are taken; the first one is at work */
	uint32_t at;	     /* which of its commands */

	pid_t daemon_pid;
	pid_t pid; /* of the command that runs, and of its group; 0 = none */
	int pid_fd;
	int output_fd;
	uint64_t began_ns, deadline_ns;
	bool ending; /* its time is over, and it was asked to end */
	bool late;
	/* the last line printed: a newline only counts when something comes behind it */
	char line[sizeof(((struct fr_launch_outcome *)0)->text)];
	size_t line_bytes;
	bool line_over;
};

/* ---- what it may and holds --------------------------------------------------------------- */

/* With no capability and no_new_privs, a program that is run gets none either, though it runs as
 * root. */
static void drop_privileges(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_capset, &head, none))
		_exit(1); /* the daemon tells that we have ended */
}

/* The log, a terminal, the caller that waits for readiness: not ours. */
static void drop_descriptors(struct child *c)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0 || dup2(null_fd, 2) < 0)
		_exit(1);
	if (c->daemon_fd != 3 && dup3(c->daemon_fd, 3, O_CLOEXEC) != 3)
		_exit(1);
	c->daemon_fd = 3;
	if (close_range(4, ~0u, 0))
		_exit(1);
}

static void open_signals(struct child *c)
{
	sigset_t mask;

	sigfillset(&mask);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGTERM);
	c->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (c->signal_fd < 0)
		_exit(1);
}

static void make_commands(struct child *c)
{
	const struct fr_config *config = c->config;
	struct command *cmd;
	char err[256];

	if (config->on_dump_endpoint[0]) {
		cmd = &c->commands[c->command_cnt++];
		cmd->sends = true;
		if (fr_program_tool(cmd->path, err, sizeof(err)))
			_exit(1);
	}
	if (config->on_dump[0]) {
		cmd = &c->commands[c->command_cnt++];
		if (fr_words_split(config->on_dump, &cmd->words, err, sizeof(err)) ||
		    fr_program_find(cmd->words.argv[0], cmd->path, err, sizeof(err)))
			_exit(1);
	}
}

/* ---- a command begins -------------------------------------------------------------------- */

static void set_environment(const struct child *c, const struct fr_launch_job *job,
			    const char *dump, bool sends)
{
	static const char *const not_for_it[] = { "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC",
						  "LISTEN_FDS",	   "LISTEN_PID",   "JOURNAL_STREAM",
						  "LISTEN_FDNAMES" };

	for (size_t i = 0; i < sizeof(not_for_it) / sizeof(*not_for_it); i++)
		unsetenv(not_for_it[i]);
	setenv("PATH", FR_ON_DUMP_PATH, 1);
	setenv("FLIGHTREC_DUMP", dump, 1);
	setenv("FLIGHTREC_TRIGGER", job->trigger, 1);
	setenv("FLIGHTREC_REASON", job->reason, 1);
	if (!sends)
		return;
	/* by the environment: a command line, everybody can read */
	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c->config->on_dump_endpoint, 1);
	unsetenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
	unsetenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT");
}

/* What the daemon set for itself goes back to what a program expects. */
static void become_ordinary(const struct child *c, int output_fd)
{
	struct sigaction usual = { .sa_handler = SIG_DFL };
	const uint64_t kernel_usual[4] = { 0 }; /* handler, flags, restorer, mask */
	struct rlimit limit;
	sigset_t none;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* with the daemon: that is the parent */
	if (getppid() != c->daemon_pid)
		_exit(126);
	for (int sig = 1; sig < NSIG; sig++) /* a shell's background job ignores SIGINT, say */
		sigaction(sig, &usual, NULL);
	for (int sig = 32; sig < SIGRTMIN; sig++) /* libc keeps its hands on these */
		syscall(SYS_rt_sigaction, sig, &kernel_usual, NULL, sizeof(uint64_t));
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_max > USUAL_DESCRIPTORS) {
		limit.rlim_cur = USUAL_DESCRIPTORS;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	umask(077);
	if (chdir("/") || dup2(output_fd, 1) < 0 || dup2(output_fd, 2) < 0)
		_exit(126);
}

static _Noreturn void run_command(const struct child *c, const struct fr_launch_job *job,
				  struct command *cmd, int output_fd)
{
	char dump[PATH_MAX + sizeof(job->name)], patience[32];
	/* it must give up in time to say so */
	unsigned long long patience_ms = c->config->on_dump_timeout_ns / 2000000u;
	char *send_argv[] = {
		(char *)"flightrec", (char *)"convert",	    dump,     (char *)"--endpoint",
		(char *)"env",	     (char *)"--retry-for", patience, NULL
	};

	snprintf(dump, sizeof(dump), "%s/%s", c->config->dump_dir, job->name);
	snprintf(patience, sizeof(patience), "%llums", patience_ms);
	become_ordinary(c, output_fd);
	set_environment(c, job, dump, cmd->sends);
	execv(cmd->path, cmd->sends ? send_argv : cmd->words.argv);
	dprintf(2, "cannot run %s: %s\n", cmd->path, strerror(errno));
	_exit(127);
}

static void report(struct child *c, const struct fr_launch_job *job, const struct command *cmd,
		   enum fr_launch_how how, int code)
{
	struct fr_launch_outcome o = { .how = how, .sends = cmd->sends, .code = code };
	bool ran = how == FR_LAUNCH_ENDED || how == FR_LAUNCH_TIMED_OUT;
	struct pollfd p = { .fd = c->daemon_fd, .events = POLLOUT };

	memcpy(o.name, job->name, sizeof(o.name));
	o.pid = ran || how == FR_LAUNCH_BEGUN ? c->pid : 0;
	if (ran) {
		o.took_ns = fr_now_ns() - c->began_ns;
		memcpy(o.text, c->line, c->line_bytes);
	}
	/* a daemon that does not read for so long hangs: nobody waits for this then */
	if (poll(&p, 1, 10000) > 0)
		(void)send(c->daemon_fd, &o, sizeof(o), MSG_NOSIGNAL);
}

/* fork(), but the child is the daemon's. */
static pid_t clone_sibling(int *ret_pid_fd)
{
	return (pid_t)syscall(SYS_clone, CLONE_PARENT | CLONE_PIDFD | SIGCHLD, 0, ret_pid_fd, 0, 0);
}

static int start_command(struct child *c)
{
	const struct fr_launch_job *job = &c->queue[c->first];
	int fds[2], err;
	pid_t pid;

	c->began_ns = fr_now_ns();
	c->deadline_ns = c->began_ns + c->config->on_dump_timeout_ns;
	c->ending = c->late = c->line_over = false;
	c->line_bytes = 0;
	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	pid = clone_sibling(&c->pid_fd);
	if (!pid)
		run_command(c, job, &c->commands[c->at], fds[1]);
	err = pid < 0 ? -errno : 0;
	close(fds[1]);
	if (err) {
		close(fds[0]);
		return err;
	}
	setpgid(pid, pid); /* whoever of the two comes first */
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	c->pid = pid;
	c->output_fd = fds[0];
	report(c, job, &c->commands[c->at], FR_LAUNCH_BEGUN, 0);
	return 0;
}

/* The next command that can be started; those that cannot are told of. */
static void go_on(struct child *c)
{
	int err;

	while (!c->pid && c->cnt) {
		if (c->at == c->command_cnt) {
			c->at = 0;
			c->first = (c->first + 1) % FR_LAUNCH_QUEUE_MAX;
			c->cnt--;
			continue;
		}
		err = start_command(c);
		if (err)
			report(c, &c->queue[c->first], &c->commands[c->at++], FR_LAUNCH_NOT_STARTED,
			       -err);
	}
}

/* ---- it prints and ends ------------------------------------------------------------------ */

static void take_output(struct child *c)
{
	char part[4096];
	ssize_t n = read(c->output_fd, part, sizeof(part));

	for (ssize_t i = 0; i < n; i++) {
		if (part[i] == '\n' || part[i] == '\r') {
			c->line_over = true;
			continue;
		}
		if (c->line_over)
			c->line_bytes = 0;
		c->line_over = false;
		if (c->line_bytes + 1 < sizeof(c->line)) /* it goes into a log: no control bytes */
			c->line[c->line_bytes++] = (unsigned char)part[i] < ' ' || part[i] == 0x7f
							   ? ' '
							   : part[i];
	}
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	close(c->output_fd);
	c->output_fd = -1;
}

static void end_command(struct child *c)
{
	/* before the daemon waits for it: until then its group cannot be another's */
	kill(-c->pid, SIGKILL);
	close(c->pid_fd);
	for (int i = 0; i < 64 && c->output_fd >= 0; i++) { /* what it printed last */
		struct pollfd p = { .fd = c->output_fd, .events = POLLIN };

		if (poll(&p, 1, 0) <= 0)
			break;
		take_output(c);
	}
	if (c->output_fd >= 0)
		close(c->output_fd);
	c->output_fd = -1;
	report(c, &c->queue[c->first], &c->commands[c->at],
	       c->late ? FR_LAUNCH_TIMED_OUT : FR_LAUNCH_ENDED, 0);
	c->pid = 0;
	c->pid_fd = -1;
	c->at++;
}

static void check_deadline(struct child *c)
{
	uint64_t now_ns = fr_now_ns();

	if (!c->pid || now_ns < c->deadline_ns)
		return;
	kill(-c->pid, c->ending ? SIGKILL : SIGTERM);
	c->late = c->ending = true;
	c->deadline_ns = now_ns + GRACE_NS;
}

/* ---- the loop ---------------------------------------------------------------------------- */

static _Noreturn void end(const struct child *c)
{
	if (c->pid) {
		kill(c->pid, SIGKILL); /* it may have no group of its own yet */
		kill(-c->pid, SIGKILL);
	}
	_exit(0);
}

/* A name in the dump directory, not a way out of it. */
static bool is_sound(struct fr_launch_job *job)
{
	job->trigger[sizeof(job->trigger) - 1] = 0;
	job->reason[sizeof(job->reason) - 1] = 0;
	return memchr(job->name, 0, sizeof(job->name)) && job->name[0] && job->name[0] != '.' &&
	       !strchr(job->name, '/');
}

static void take_job(struct child *c)
{
	struct fr_launch_job job;
	ssize_t n = recv(c->daemon_fd, &job, sizeof(job), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != (ssize_t)sizeof(job) || !is_sound(&job))
		end(c); /* the daemon is gone, or is not itself any more */
	if (c->cnt == FR_LAUNCH_QUEUE_MAX) {
		for (uint32_t i = 0; i < c->command_cnt; i++)
			report(c, &job, &c->commands[i], FR_LAUNCH_DROPPED, 0);
		return;
	}
	c->queue[(c->first + c->cnt++) % FR_LAUNCH_QUEUE_MAX] = job;
}

static void take_signal(const struct child *c)
{
	struct signalfd_siginfo si;

	if (read(c->signal_fd, &si, sizeof(si)) == (ssize_t)sizeof(si))
		end(c);
}

static int wait_ms(const struct child *c)
{
	uint64_t now_ns = fr_now_ns();

	if (!c->pid)
		return -1;
	return now_ns >= c->deadline_ns ? 0 : (int)((c->deadline_ns - now_ns) / 1000000u + 1);
}

_Noreturn void fr_launcher_child(const struct fr_config *config, int daemon_fd, pid_t daemon_pid)
{
	static struct child c; /* large */

	c = (struct child){ .config = config,
			    .daemon_fd = daemon_fd,
			    .daemon_pid = daemon_pid,
			    .pid_fd = -1,
			    .output_fd = -1 };
	setsid(); /* not the terminal's */
	prctl(PR_SET_NAME, "flightrecd-run");
	drop_descriptors(&c);
	open_signals(&c);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != daemon_pid)
		_exit(0);
	make_commands(&c);
	drop_privileges();
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = c.daemon_fd, .events = POLLIN },
			{ .fd = c.signal_fd, .events = POLLIN },
			{ .fd = c.output_fd, .events = POLLIN },
			{ .fd = c.pid_fd, .events = POLLIN },
		};

		if (poll(fds, 4, wait_ms(&c)) < 0 && errno != EINTR)
			end(&c);
		if (fds[2].revents && c.output_fd >= 0)
			take_output(&c);
		if (fds[1].revents)
			take_signal(&c);
		if (fds[3].revents && c.pid)
			end_command(&c);
		check_deadline(&c);
		if (fds[0].revents)
			take_job(&c);
		go_on(&c);
	}
}
