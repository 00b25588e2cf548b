/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * truth_life: identities that come and go. Short processes (fork and exec, fork alone, vfork,
 * posix_spawn, chains of execs, small trees of forks that orphan their children), threads (named
 * by themselves and by others, and one that execs while it is not the leader), and short TCP
 * connections (ended well, reset from either side, refused).
 *
 * The truth goes to --truth FILE, one JSON object a line, in no certain order:
 *   kind task: how, n, pid, tid, names (all that the thread had, in order), path and args (of the
 *     last exec, else null), exit: the code (-1: the thread did not end its process), begin_ns
 *     (before its parent made it), end_ns (just before its end); became (thread_exec): its tid
 *     is from then on this one
 *   kind conn: how, n, pid, tid, client, client_port, server, server_port, sent and received (by
 *     the client), error (errno of connect, or 0), begin_ns, end_ns (after both ends were closed)
 * One line on stdout counts them. The tasks named here are all that this program makes, but for
 * itself and the process that makes the connections ("life-conn").
 */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "truth.h"
#include "truth_conn.h"

#define LINKS 16
#define JOBS_MAX 64
#define NAMES_BYTES 256
#define FAILED 99 /* exit code of a child that could not do its part */

extern char **environ;

/* What is known of a task while it lives; handed on through exec as arguments. */
struct task {
	const char *how;
	long n;
	int64_t begin_ns;
	char names[NAMES_BYTES]; /* with commas */
	int exit_code;
	pid_t became;
	char **argv; /* NULL: never execed */
	const char *path;
};

enum how { FORK_EXEC, FORK_ONLY, VFORK_EXEC, SPAWN, THREAD_EXEC, THREADS, CHAIN, TREE, HOWS };

static const char *const how_names[HOWS] = { "fork_exec",   "fork_only", "vfork_exec", "spawn",
					     "thread_exec", "threads",	 "chain",      "tree" };
static const int how_lines[HOWS] = { 1, 1, 1, 1, 2, 4, 1, 3 }; /* tasks that each makes */

static int truth_fd = -1;
static char link_dir[PATH_MAX];

static void my_name(char name[16])
{
	prctl(PR_GET_NAME, name);
}

/* STEM-N, or STEM-N.PART, cut as the kernel would. */
static void label(char name[16], const char *stem, long n, int part)
{
	char text[64] = "";

	if (part < 0)
		snprintf(text, sizeof(text), "%s-%ld", stem, n);
	else
		snprintf(text, sizeof(text), "%s-%ld.%d", stem, n, part);
	memcpy(name, text, 15);
	name[15] = '\0';
}

static void rename_me(struct task *t, const char *name)
{
	char now[16];

	prctl(PR_SET_NAME, name);
	my_name(now);
	if (t->names[0])
		strncat(t->names, ",", sizeof(t->names) - strlen(t->names) - 1);
	strncat(t->names, now, sizeof(t->names) - strlen(t->names) - 1);
}

static struct task begin(enum how how, long n)
{
	struct task t = {
		.how = how_names[how], .n = n, .begin_ns = truth_now_ns(), .exit_code = (int)(n % 7)
	};

	my_name(t.names);
	return t;
}

static void write_names(FILE *f, const char *names)
{
	fputs("\"names\":[\"", f);
	for (; *names; names++) {
		if (*names == ',')
			fputs("\",\"", f);
		else
			fputc(*names, f);
	}
	fputs("\"]", f);
}

/* The line of a task, by itself, as late as it can. */
static void tell(const struct task *t)
{
	char *text;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	fprintf(f, "{\"kind\":\"task\",\"how\":\"%s\",\"n\":%ld,\"pid\":%d,\"tid\":%d,", t->how,
		t->n, (int)getpid(), (int)truth_tid());
	write_names(f, t->names);
	fputs(",\"path\":", f);
	if (t->path)
		truth_json_text(f, t->path);
	else
		fputs("null", f);
	fputs(",\"args\":", f);
	for (int i = 0; t->argv && t->argv[i]; i++) {
		fputc(i ? ',' : '[', f);
		truth_json_text(f, t->argv[i]);
	}
	fputs(t->argv ? "]" : "null", f);
	if (t->became)
		fprintf(f, ",\"became\":%d", (int)t->became);
	fprintf(f, ",\"exit\":%d,\"begin_ns\":%lld,\"end_ns\":%lld}\n", t->exit_code,
		(long long)t->begin_ns, (long long)truth_now_ns());
	fclose(f);
	/* one write to a file opened for appending: lines of many processes don't mix */
	if (write(truth_fd, text, bytes) != (ssize_t)bytes)
		_exit(FAILED);
	free(text);
}

static _Noreturn void leave(const struct task *t)
{
	tell(t);
	_exit(t->exit_code);
}

/* ---- programs run by exec ------------------------------------------------------------------ */

/* Room for what one exec needs, so that a child of vfork needs no memory of its own. */
struct exec_args {
	char path[PATH_MAX + 32], argv0[32], n[24], fd[12], begin[24], names[NAMES_BYTES + 32];
	char *argv[10];
};

/* As truth_life runs itself again: ARGV0 --child HOW N FD BEGIN NAMES PATH more.. */
static void prepare(struct exec_args *a, const struct task *t, int link, const char *how)
{
	snprintf(a->path, sizeof(a->path), "%s/%s%x", link_dir,
		 link == LINKS - 1 ? "life-with-a-long-name-" : "life-", link);
	snprintf(a->argv0, sizeof(a->argv0), "argv0-of-%ld", t->n);
	snprintf(a->n, sizeof(a->n), "%ld", t->n);
	snprintf(a->fd, sizeof(a->fd), "%d", truth_fd);
	snprintf(a->begin, sizeof(a->begin), "%lld", (long long)t->begin_ns);
	snprintf(a->names, sizeof(a->names), "%s", t->names);
	a->argv[0] = a->argv0;
	a->argv[1] = (char *)(uintptr_t) "--child";
	a->argv[2] = (char *)(uintptr_t)how;
	a->argv[3] = a->n;
	a->argv[4] = a->fd;
	a->argv[5] = a->begin;
	a->argv[6] = a->names;
	a->argv[7] = a->path;
	a->argv[8] = (char *)(uintptr_t) "--token=of-no-secret";
	a->argv[9] = NULL;
}

static _Noreturn void exec_link(struct task *t, int link, const char *how)
{
	struct exec_args a;

	prepare(&a, t, link, how);
	execv(a.path, a.argv);
	_exit(FAILED);
}

/* The other side of exec: main of a child. */
static _Noreturn void run_child(char **argv)
{
	struct task t = { .how = argv[2],
			  .n = strtol(argv[3], NULL, 10),
			  .argv = argv,
			  .path = argv[7],
			  .begin_ns = strtoll(argv[5], NULL, 10) };
	char name[16];
	char *slash;

	truth_fd = (int)strtol(argv[4], NULL, 10);
	t.exit_code = (int)(t.n % 7);
	snprintf(t.names, sizeof(t.names), "%s,", argv[6]);
	my_name(name);
	strncat(t.names, name, sizeof(t.names) - strlen(t.names) - 1);
	if (!strcmp(t.how, how_names[CHAIN]) && strlen(argv[6]) < 60) {
		snprintf(link_dir, sizeof(link_dir), "%s", t.path);
		slash = strrchr(link_dir, '/');
		if (!slash)
			_exit(FAILED);
		*slash = '\0';
		label(name, "chain", t.n, -1);
		rename_me(&t, name);
		exec_link(&t, (int)(t.n + (long)strlen(argv[6])) % LINKS, t.how);
	}
	leave(&t);
}

/* ---- ways to make tasks -------------------------------------------------------------------- */

static pid_t fork_exec(enum how how, long n)
{
	struct task t = begin(how, n);
	pid_t pid = fork();

	if (!pid)
		exec_link(&t, (int)(n % LINKS), t.how);
	return pid;
}

static pid_t fork_only(long n)
{
	struct task t = begin(FORK_ONLY, n);
	pid_t pid = fork();
	char name[16];

	if (pid)
		return pid;
	for (int i = 0; i < (int)(n / HOWS % 3); i++) { /* none, one, or two renames */
		label(name, "fork", n, i);
		rename_me(&t, name);
	}
	leave(&t);
}

static pid_t vfork_exec(long n)
{
	static struct exec_args a; /* shared with the child until it execs */
	struct task t = begin(VFORK_EXEC, n);
	pid_t pid;

	prepare(&a, &t, (int)(n % LINKS), t.how);
	pid = vfork();
	if (!pid) {
		execv(a.path, a.argv);
		_exit(FAILED);
	}
	return pid;
}

static pid_t spawn(long n)
{
	static struct exec_args a;
	struct task t = begin(SPAWN, n);
	pid_t pid = -1;

	prepare(&a, &t, (int)(n % LINKS), t.how);
	errno = posix_spawn(&pid, a.path, NULL, NULL, a.argv, environ);
	return errno ? -1 : pid;
}

/* A thread that is not the leader execs: it takes over the leader's tid. */
struct exec_thread {
	struct task self, leader;
};

static void *exec_in_thread(void *arg)
{
	struct exec_thread *x = arg;
	char name[16];

	label(name, "texec", x->self.n, -1);
	rename_me(&x->self, name);
	x->self.became = getpid();
	x->self.exit_code = -1;
	tell(&x->self);
	exec_link(&x->leader, (int)(x->self.n % LINKS), x->leader.how);
}

static pid_t thread_exec(long n)
{
	struct exec_thread x = { .leader = begin(THREAD_EXEC, n) };
	pid_t pid = fork();
	pthread_t thread;

	if (pid)
		return pid;
	x.self = begin(THREAD_EXEC, n);
	if (pthread_create(&thread, NULL, exec_in_thread, &x))
		_exit(FAILED);
	for (;;)
		pause();
}

static void *named_thread(void *arg)
{
	struct task *t = arg;
	char name[16];

	label(name, "thr", t->n, t->exit_code);
	rename_me(t, name);
	t->exit_code = -1;
	tell(t);
	return NULL;
}

static void *waiting_thread(void *arg)
{
	struct task *t = arg;
	char name[16], now[16];

	/* its name is given to it by the leader, through /proc */
	label(name, "given", t->n, -1);
	do {
		sched_yield();
		my_name(now);
	} while (strcmp(now, name));
	strncat(t->names, ",", sizeof(t->names) - strlen(t->names) - 1);
	strncat(t->names, now, sizeof(t->names) - strlen(t->names) - 1);
	t->exit_code = -1;
	tell(t);
	return NULL;
}

static pid_t threads(long n)
{
	struct task leader = begin(THREADS, n), t[3];
	pid_t pid = fork();
	pthread_t id[3];
	char name[16];

	if (pid)
		return pid;
	for (int i = 0; i < 3; i++) {
		t[i] = begin(THREADS, n);
		t[i].exit_code = i;
		if (pthread_create(&id[i], NULL, i == 2 ? waiting_thread : named_thread, &t[i]))
			_exit(FAILED);
	}
	label(name, "given", n, -1);
	if (pthread_setname_np(id[2], name))
		_exit(FAILED);
	for (int i = 0; i < 3; i++)
		pthread_join(id[i], NULL);
	leave(&leader);
}

/* Child, grandchild and great-grandchild; each ends before the one it made. */
static pid_t tree(long n, int depth)
{
	struct task t = begin(TREE, n);
	int gone[2];
	pid_t pid;
	char name[16], c;

	if (pipe2(gone, O_CLOEXEC))
		return -1;
	pid = fork();
	close(gone[pid ? 0 : 1]);
	if (pid) {
		/* the parent's end closes with it (at once when it is not of the tree) */
		if (depth == 0)
			close(gone[1]);
		return pid;
	}
	label(name, "tree", n, depth);
	rename_me(&t, name);
	if (read(gone[0], &c, 1) != 0 || (depth < 2 && tree(n, depth + 1) < 0))
		_exit(FAILED);
	leave(&t);
}

static pid_t make(long n)
{
	enum how how = (enum how)(n % HOWS);

	switch (how) {
	case FORK_EXEC:
	case CHAIN:
		return fork_exec(how, n);
	case FORK_ONLY:
		return fork_only(n);
	case VFORK_EXEC:
		return vfork_exec(n);
	case SPAWN:
		return spawn(n);
	case THREAD_EXEC:
		return thread_exec(n);
	case THREADS:
		return threads(n);
	case TREE:
		return tree(n, 0);
	case HOWS:
		break;
	}
	return -1;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static void make_links(void)
{
	const char *tmp = getenv("TMPDIR");
	char self[PATH_MAX], path[PATH_MAX + 32];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	truth_must(n, "readlink of /proc/self/exe");
	self[n] = '\0';
	snprintf(link_dir, sizeof(link_dir), "%s/truth_life.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(link_dir))
		truth_die("cannot make the folder %s: %s; set TMPDIR", link_dir, strerror(errno));
	for (int i = 0; i < LINKS; i++) {
		snprintf(path, sizeof(path), "%s/%s%x", link_dir,
			 i == LINKS - 1 ? "life-with-a-long-name-" : "life-", i);
		truth_must(symlink(self, path), "symlink");
	}
}

static void remove_links(void)
{
	char path[PATH_MAX + 32];

	for (int i = 0; i < LINKS; i++) {
		snprintf(path, sizeof(path), "%s/%s%x", link_dir,
			 i == LINKS - 1 ? "life-with-a-long-name-" : "life-", i);
		unlink(path);
	}
	rmdir(link_dir);
}

/* Waits for one child, of whatever generation; returns its pid, 0 when there is none left. */
static pid_t reap(void)
{
	int status;
	pid_t pid = waitpid(-1, &status, 0);

	if (pid < 0 && errno == ECHILD)
		return 0;
	truth_must(pid, "waitpid");
	if (!WIFEXITED(status) || WEXITSTATUS(status) >= FAILED)
		truth_die("process %d ended with status 0x%x", (int)pid, (unsigned int)status);
	return pid;
}

/* Makes all processes, at most jobs of them at a time; returns the tasks that came of it. */
static long run_procs(long procs, long jobs)
{
	pid_t running[JOBS_MAX] = { 0 };
	long active = 0, tasks = 0;

	for (long n = 0; n < procs; n++) {
		long slot = 0;

		while (active == jobs) {
			pid_t pid = reap();

			for (slot = 0; slot < jobs; slot++)
				if (running[slot] == pid) {
					running[slot] = 0;
					active--;
					break;
				}
		}
		for (slot = 0; running[slot]; slot++)
			;
		running[slot] = (pid_t)truth_must(make(n), "making a process");
		active++;
		tasks += how_lines[n % HOWS];
	}
	return tasks;
}

static long count_lines(void)
{
	char text[65536];
	long lines = 0;
	ssize_t n;
	off_t at = 0;

	while ((n = pread(truth_fd, text, sizeof(text), at)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			lines += text[i] == '\n';
		at += n;
	}
	return lines;
}

static void pin(long cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		truth_die("cannot run on CPU %ld: %s; give another --cpu", cpu, strerror(errno));
}

int main(int argc, char **argv)
{
	static const char *file;
	static long procs = 40, conns = 50, jobs = 4, cpu = -1, tasks;
	const struct truth_opt opts[] = {
		{ .name = "truth", .text = &file, .help = "file for the truth (needed)" },
		{ .name = "procs", .number = &procs, .min = 0, .help = "processes to make" },
		{ .name = "conns", .number = &conns, .min = 0, .help = "connections to make" },
		{ .name = "jobs", .number = &jobs, .min = 1, .help = "processes at a time" },
		{ .name = "cpu", .number = &cpu, .min = 0, .help = "do all on one CPU; -1: any" },
		{ 0 },
	};
	int64_t begin_ns;

	if (argc >= 9 && !strcmp(argv[1], "--child"))
		run_child(argv);
	truth_options(argc, argv, "Makes processes, threads and connections that soon end.", opts);
	if (!file)
		truth_wrong_use("--truth", "is needed");
	if (jobs > JOBS_MAX)
		truth_wrong_use("--jobs", "at most 64");
	/* children write to it after an exec, too */
	truth_fd = open(file, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0644);
	if (truth_fd < 0)
		truth_die("cannot write %s: %s; give another --truth", file, strerror(errno));
	if (cpu >= 0)
		pin(cpu);
	make_links();
	truth_must(prctl(PR_SET_CHILD_SUBREAPER, 1), "prctl"); /* orphans of the trees */
	truth_ready();
	begin_ns = truth_now_ns();
	if (conns)
		truth_conn_start(truth_fd, conns);
	tasks = run_procs(procs, jobs);
	while (reap())
		;
	remove_links();
	if (count_lines() != tasks + conns)
		truth_die("%s has %ld lines instead of %ld", file, count_lines(), tasks + conns);
	printf("{\"program\":\"truth_life\",\"pid\":%d,\"truth\":", (int)getpid());
	truth_json_text(stdout, file);
	printf(",\"procs\":%ld,\"tasks\":%ld,\"conns\":%ld,\"begin_ns\":%lld,\"end_ns\":%lld}\n",
	       procs, tasks, conns, (long long)begin_ns, (long long)truth_now_ns());
	truth_done();
	return 0;
}
