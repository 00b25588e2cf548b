/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * truth_signals: children that end in every way a process can: by a fault of their own, by
 * signals from outside, by exit codes; and some that a careless recorder would report wrongly (a
 * signal that is handled, ignored, or blocked at exit; a fault in a thread that is not the
 * leader). They leave no core file, whatever core_pattern says.
 *
 * The truth: "children", in order, each with how, pid, tid (the thread that got the signal), comm,
 * signal (0: none ended it), core (true: the signal's default action dumps core), code (of
 * its exit), status (as wait gave it), begin_ns, end_ns.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "truth.h"

struct death {
	const char *how;
	void (*run)(void);
	int sig;   /* the signal expected to end it, 0: none */
	bool core; /* its default action dumps core */
	int code;  /* exit code expected */
};

/* Where a child tells which of its threads is to die; shared memory, one for all. */
static volatile pid_t *doomed_tid;
static long repeat_cnt = 1;

/* A sanitizer would report it instead of letting it die. */
__attribute__((no_sanitize("undefined", "address"))) static void by_null(void)
{
	*(volatile int *)(uintptr_t)(getpid() & 0) = 1;
}

static void by_file_end(void)
{
	int file = (int)truth_must(syscall(SYS_memfd_create, "short", 1u), "memfd_create");
	volatile char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);

	if (p != MAP_FAILED)
		*p = 1; /* the file has no such page */
}

static void by_raise(int sig)
{
	raise(sig);
}

static void by_abort(void)
{
	abort();
}

static void by_fpe(void)
{
	by_raise(SIGFPE);
}

static void by_ill(void)
{
	__builtin_trap(); /* an undefined instruction on x86 and arm64 */
}

static void by_trap(void)
{
	by_raise(SIGTRAP);
}

static void by_sys(void)
{
	by_raise(SIGSYS);
}

static void by_quit(void)
{
	by_raise(SIGQUIT);
}

static void by_term(void)
{
	by_raise(SIGTERM);
}

static void by_pipe(void)
{
	int fd[2];

	if (pipe(fd) || close(fd[0]) || write(fd[1], "x", 1) < 0)
		_exit(99);
}

static void by_parent(void) /* SIGKILL and SIGSEGV from the parent */
{
	pause();
}

static void by_exit_0(void)
{
	_exit(0);
}

static void by_exit_3(void)
{
	_exit(3);
}

static void by_exit_255(void)
{
	_exit(255);
}

static void *thread_null(void *arg)
{
	(void)arg;
	prctl(PR_SET_NAME, "sig-thread");
	*doomed_tid = truth_tid();
	by_null();
	return NULL;
}

static void by_thread(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, thread_null, NULL))
		_exit(99);
	pthread_join(t, NULL);
	_exit(98);
}

static void *thread_exit(void *arg)
{
	(void)arg;
	_exit(7); /* exit_group: ends the sleeping leader, too */
}

static void by_thread_exit(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, thread_exit, NULL))
		_exit(99);
	for (;;)
		pause();
}

static void on_signal(int sig)
{
	_exit(40 + (sig == SIGSEGV));
}

static void by_handled(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGSEGV, &sa, NULL);
	by_null();
}

static void by_ignored(void)
{
	struct sigaction sa = { .sa_handler = SIG_IGN };

	sigaction(SIGQUIT, &sa, NULL);
	raise(SIGQUIT);
	_exit(42);
}

static void by_blocked(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGABRT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGABRT);
	_exit(43); /* it stays pending, and nothing dies of it */
}

static const struct death deaths[] = {
	{ "segv", by_null, SIGSEGV, true, 0 },
	{ "bus", by_file_end, SIGBUS, true, 0 },
	{ "abort", by_abort, SIGABRT, true, 0 },
	{ "ill", by_ill, SIGILL, true, 0 },
	{ "fpe", by_fpe, SIGFPE, true, 0 },
	{ "trap", by_trap, SIGTRAP, true, 0 },
	{ "sys", by_sys, SIGSYS, true, 0 },
	{ "quit", by_quit, SIGQUIT, true, 0 },
	{ "segv_thread", by_thread, SIGSEGV, true, 0 },
	{ "segv_sent", by_parent, SIGSEGV, true, 0 },
	{ "kill", by_parent, SIGKILL, false, 0 },
	{ "term", by_term, SIGTERM, false, 0 },
	{ "pipe", by_pipe, SIGPIPE, false, 0 },
	{ "exit_0", by_exit_0, 0, false, 0 },
	{ "exit_3", by_exit_3, 0, false, 3 },
	{ "exit_255", by_exit_255, 0, false, 255 },
	{ "thread_exit", by_thread_exit, 0, false, 7 },
	{ "segv_handled", by_handled, 0, false, 41 },
	{ "quit_ignored", by_ignored, 0, false, 42 },
	{ "abort_blocked", by_blocked, 0, false, 43 },
};

#define DEATH_CNT (sizeof(deaths) / sizeof(deaths[0]))

static _Noreturn void child(const struct death *d)
{
	char name[16];
	const struct sigaction by_default = { .sa_handler = SIG_DFL };
	struct rlimit none = { 0, 0 };

	snprintf(name, sizeof(name), "sig-%s", d->how);
	prctl(PR_SET_NAME, name);
	for (int sig = 1; sig < 32; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			sigaction(sig, &by_default, NULL); /* whatever was inherited */
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0); /* a core_pattern with a pipe doesn't ask for the limit */
	*doomed_tid = truth_tid();
	d->run();
	_exit(97);
}

static void check(const struct death *d, int status)
{
	bool right = d->sig ? WIFSIGNALED(status) && WTERMSIG(status) == d->sig
			    : WIFEXITED(status) && WEXITSTATUS(status) == d->code;

	if (!right)
		truth_die("the child \"%s\" ended with status 0x%x", d->how, (unsigned int)status);
}

static void run(const struct death *d, FILE *f, bool first)
{
	int64_t begin_ns = truth_now_ns();
	const char *comm = d->run == by_thread ? "sig-thread" : NULL;
	int status, wait_ms = 5000;
	pid_t pid;

	*doomed_tid = 0;
	fflush(NULL);
	pid = (pid_t)truth_must(fork(), "fork");
	if (!pid)
		child(d);
	while (d->run == by_parent && !*doomed_tid && wait_ms--)
		truth_sleep_ms(1);
	if (d->run == by_parent)
		truth_must(kill(pid, d->sig), "kill");
	if (waitpid(pid, &status, 0) != pid)
		truth_die("waitpid: %s", strerror(errno));
	check(d, status);
	fprintf(f, "%s{\"how\":\"%s\",\"pid\":%d,\"tid\":%d,\"comm\":\"%s%.11s\",\"signal\":%d,",
		first ? "" : ",", d->how, (int)pid, (int)*doomed_tid, comm ? "" : "sig-",
		comm ? comm : d->how, d->sig);
	fprintf(f, "\"core\":%s,\"code\":%d,\"status\":%d,\"begin_ns\":%lld,\"end_ns\":%lld}",
		d->core ? "true" : "false", d->code, status, (long long)begin_ns,
		(long long)truth_now_ns());
}

int main(int argc, char **argv)
{
	const struct truth_opt opts[] = {
		{ .name = "repeat", .number = &repeat_cnt, .min = 1, .help = "times all of it" },
		{ 0 },
	};
	char *text;
	size_t text_bytes;
	FILE *f;

	truth_options(argc, argv, "Children that die in every way.", opts);
	doomed_tid = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (doomed_tid == MAP_FAILED)
		truth_die("no memory to be had: %s", strerror(errno));
	f = open_memstream(&text, &text_bytes);
	truth_ready();
	for (long i = 0; i < repeat_cnt; i++)
		for (size_t d = 0; d < DEATH_CNT; d++)
			run(&deaths[d], f, i + (long)d == 0);
	fclose(f);
	printf("{\"program\":\"truth_signals\",\"pid\":%d,\"children\":[%s]}\n", (int)getpid(),
	       text);
	free(text);
	truth_done();
	return 0;
}
