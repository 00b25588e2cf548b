/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the truth_*.c programs share. Each does a known piece of work and prints what it did as
 * one JSON object on one line of stdout: what a recorder must find, from the program's own
 * results, never from an expectation. Times are CLOCK_BOOTTIME ns, the recorder's clock.
 *
 * --hold: the program prints "ready PID", waits for a line on stdin (or its end), works, prints
 * its truth, and waits for another line before it exits; so a recorder can be started and asked
 * for a dump while all that the truth names still lives.
 */
#ifndef FR_TRUTH_H
#define FR_TRUTH_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define TRUTH_SKIP 77 /* exit code: this machine can't do what the program needs */

struct truth_opt {
	const char *name;  /* without the dashes; NULL ends the table */
	long *number;	   /* takes a number of at least min, */
	const char **text; /* or a text, */
	bool *flag;	   /* or nothing: exactly one of the three is set */
	long min;
	const char *help;
};

static const char *truth_name = "truth";
static bool truth_hold;

static inline void truth_end(int code)
{
	fflush(NULL);
	_exit(code);
}

__attribute__((format(printf, 1, 2), noreturn)) static inline void truth_die(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", truth_name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	fflush(NULL);
	_exit(1);
}

/* A call that must not fail, as the truth would be worthless. */
static inline long truth_must(long result, const char *what)
{
	if (result < 0)
		truth_die("%s failed: %s", what, strerror(errno));
	return result;
}

static inline int64_t truth_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static inline void truth_sleep_ms(long ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

static inline pid_t truth_tid(void)
{
	return (pid_t)syscall(SYS_gettid);
}

static inline void truth_usage(const char *about, const struct truth_opt *opts)
{
	printf("usage: %s [options]\n%s\n", truth_name, about);
	for (; opts->name; opts++) {
		const char *arg = opts->number ? " N" : opts->text ? " TEXT" : "";
		int pad = 22 - (int)(strlen(opts->name) + strlen(arg));

		printf("  --%s%s%*s%s", opts->name, arg, pad > 0 ? pad : 1, "", opts->help);
		if (opts->number)
			printf(" (%ld)", *opts->number);
		putchar('\n');
	}
	printf("  --hold                  print \"ready PID\" and wait for a line on stdin before,"
	       " and for one more after\n");
}

static inline void truth_wrong_use(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s: %s; see --help\n", truth_name, what, why);
	_exit(2);
}

/* Sets one option; returns how many of the arguments it took. */
static inline int truth_option(const struct truth_opt *o, const char *arg, const char *value)
{
	char *rest;

	if (o->flag) {
		*o->flag = true;
		return 1;
	}
	if (!value)
		truth_wrong_use(arg, "needs a value");
	if (o->text) {
		*o->text = value;
		return 2;
	}
	errno = 0;
	*o->number = strtol(value, &rest, 10);
	if (errno || *rest || rest == value || *o->number < o->min)
		truth_wrong_use(arg, "needs a whole number that is not too small");
	return 2;
}

static inline void truth_options(int argc, char **argv, const char *about,
				 const struct truth_opt *opts)
{
	const char *slash = strrchr(argv[0], '/');
	int i = 1;

	truth_name = slash ? slash + 1 : argv[0];
	while (i < argc) {
		const struct truth_opt *o = opts;

		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			truth_usage(about, opts);
			truth_end(0);
		}
		if (!strcmp(argv[i], "--hold")) {
			truth_hold = true;
			i++;
			continue;
		}
		while (o->name && (strncmp(argv[i], "--", 2) || strcmp(argv[i] + 2, o->name)))
			o++;
		if (!o->name)
			truth_wrong_use(argv[i], "unknown option");
		i += truth_option(o, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
	}
}

static inline void truth_wait_line(void)
{
	char c;

	/* not stdio: it would read ahead, and the second wait is another line */
	while (read(0, &c, 1) == 1 && c != '\n')
		;
}

/* Before the work. */
static inline void truth_ready(void)
{
	if (!truth_hold)
		return;
	printf("ready %d\n", (int)getpid());
	fflush(stdout);
	truth_wait_line();
}

/* After the truth was printed. */
static inline void truth_done(void)
{
	fflush(stdout);
	if (ferror(stdout))
		truth_die("the truth could not be written to stdout");
	if (truth_hold)
		truth_wait_line();
}

static inline void truth_json_text(FILE *f, const char *s)
{
	fputc('"', f);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			fprintf(f, "\\%c", c);
		else if (c < 0x20 || c > 0x7e)
			fprintf(f, "\\u%04x", c);
		else
			fputc(c, f);
	}
	fputc('"', f);
}

static inline void truth_json_hex(FILE *f, const void *data, size_t bytes)
{
	const unsigned char *p = data;

	fputc('"', f);
	for (size_t i = 0; i < bytes; i++)
		fprintf(f, "%02x", p[i]);
	fputc('"', f);
}

/* Reads a small file of /proc into buf, as a string; false when it is gone. */
static inline bool truth_read_file(const char *path, char *buf, size_t buf_bytes)
{
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return false;
	n = fread(buf, 1, buf_bytes - 1, f);
	buf[n] = '\0';
	fclose(f);
	return n > 0;
}

/* Scheduling counters of one thread of this process, from the kernel. */
struct truth_sched {
	int64_t voluntary_cnt;
	int64_t preempted_cnt;
	int64_t on_cpu_ns;
	int64_t run_delay_ns;
	int64_t stints_cnt; /* times it was put on a CPU */
	char state;	    /* S, R, .. */
};

static inline struct truth_sched truth_sched_of(pid_t tid)
{
	struct truth_sched s = { .voluntary_cnt = -1 };
	char path[64], text[4096], *at;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", (int)tid);
	if (!truth_read_file(path, text, sizeof(text)))
		truth_die("%s cannot be read: %s", path, strerror(errno));
	at = strstr(text, "State:\t");
	if (at)
		s.state = at[7];
	at = strstr(text, "\nvoluntary_ctxt_switches:");
	if (at)
		s.voluntary_cnt = strtoll(at + 25, NULL, 10);
	at = strstr(text, "\nnonvoluntary_ctxt_switches:");
	if (at)
		s.preempted_cnt = strtoll(at + 28, NULL, 10);
	if (s.voluntary_cnt < 0)
		truth_die("%s has no voluntary_ctxt_switches", path);
	snprintf(path, sizeof(path), "/proc/self/task/%d/schedstat", (int)tid);
	if (truth_read_file(path, text, sizeof(text))) {
		char *rest = text;

		s.on_cpu_ns = strtoll(rest, &rest, 10);
		s.run_delay_ns = strtoll(rest, &rest, 10);
		s.stints_cnt = strtoll(rest, &rest, 10);
	}
	return s;
}

/*
 * Waits until another thread has gone to sleep and its switch is counted: asleep, and the same
 * counters twice, 2 ms apart. The caller knows that nobody wakes it.
 */
static inline struct truth_sched truth_settle(pid_t tid)
{
	struct truth_sched last = truth_sched_of(tid), now;

	for (int i = 0; i < 5000; i++) {
		truth_sleep_ms(2);
		now = truth_sched_of(tid);
		if (now.state == 'S' && last.state == 'S' &&
		    now.voluntary_cnt == last.voluntary_cnt &&
		    now.preempted_cnt == last.preempted_cnt && now.stints_cnt == last.stints_cnt)
			return now;
		last = now;
	}
	truth_die("thread %d did not come to rest within 10 s", (int)tid);
}

#endif
