/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs what on_dump and on_dump_endpoint say, after each dump, outside the daemon: a process forked
 * before there is anything in the daemon to inherit (no map, no link, no descriptor), without
 * capabilities, which knows its commands from the start: what the daemon tells it is only which
 * dump.
 *
 *	daemon ──(job: which dump, why)──▶ launcher ──clone, exec──▶ command, in a group of its own
 *	       ◀─(begin and outcome of each command)──┘
 *
 * A command is the launcher's sibling, not its child: probes know what is the recorder's own by
 * looking two parents up (fr_is_self() in bpf/lib/filter.bpf.h), and so they see the daemon above
 * what a script runs as well. The daemon waits for it, then, after the launcher has told its end.
 *
 * 1. One command at a time; FR_LAUNCH_QUEUE_MAX jobs wait; what comes beyond is counted as dropped.
 * 2. A command has on_dump_timeout; what is left of its group when it ends, or is ended, is killed.
 * 3. For each command of each job there is one outcome: done, failed, or dropped.
 * 4. When the daemon is gone, however it went, so are launcher and command.
 */
#ifndef FR_RECORDER_LAUNCHER_H
#define FR_RECORDER_LAUNCHER_H

#include <stdbool.h>
#include <sys/types.h>

#include "config.h"
#include "loop.h"

#define FR_LAUNCH_QUEUE_MAX 8

/* Messages of the socket between the two; each is one datagram. */
struct fr_launch_job {
	char name[256];	  /* of the dump, in the dump directory */
	char trigger[32]; /* as in fr_trigger_info */
	char reason[256];
};

enum fr_launch_how {
	FR_LAUNCH_EXITED,    /* code = status */
	FR_LAUNCH_SIGNALLED, /* code = signal */
	FR_LAUNCH_TIMED_OUT,
	FR_LAUNCH_NOT_STARTED, /* code = errno */
	FR_LAUNCH_DROPPED,     /* the queue was full */
	FR_LAUNCH_BEGUN,       /* no outcome: pid runs now */
	FR_LAUNCH_ENDED,       /* the daemon finds out how, from pid */
};

struct fr_launch_outcome {
	uint32_t how;	/* enum fr_launch_how */
	uint32_t sends; /* 1 = on_dump_endpoint, 0 = on_dump */
	int32_t code;
	int32_t pid;
	uint64_t took_ns;
	char name[256];
	char text[300]; /* the last line that it printed */
};

struct fr_launcher {
	pid_t pid;		/* 0 = none */
	int fd;			/* -1 = none, or gone */
	uint32_t commands_cnt;	/* of each job: 1 or 2 */
	uint32_t under_way_cnt; /* commands without an outcome yet */
	pid_t command_pid;	/* the one that runs, 0 = none that we know of */
	uint64_t done_cnt, failed_cnt, dropped_cnt;
	char last[400]; /* of the last outcome, for people; "" = none yet */
	struct fr_loop *loop;
	void (*on_idle)(void *ctx);
	void *ctx;
};

/*
 * Forks the launcher if the configuration asks for one; *ret is fit for all others either way.
 * forget: called in it, to free what only the daemon needs. 0, or a negative errno after a message.
 */
int fr_launcher_start(const struct fr_config *config, void (*forget)(void),
		      struct fr_launcher *ret);
/* on_idle: after the last outcome that was waited for. */
int fr_launcher_watch(struct fr_launcher *l, struct fr_loop *loop, void (*on_idle)(void *ctx),
		      void *ctx);
static inline bool fr_launcher_on(const struct fr_launcher *l)
{
	return l->pid > 0;
}
static inline bool fr_launcher_busy(const struct fr_launcher *l)
{
	return l->under_way_cnt > 0;
}
void fr_launcher_run(struct fr_launcher *l, const struct fr_launch_job *job);
/* After SIGCHLD. */
void fr_launcher_reap(struct fr_launcher *l);
/* In a child of the daemon: lets go of the socket. */
void fr_launcher_forked(struct fr_launcher *l);
/* Ends it and whatever it runs. Also for one that was never started (all zero but fd -1). */
void fr_launcher_done(struct fr_launcher *l);

/* launcher_child.c: the process itself. */
_Noreturn void fr_launcher_child(const struct fr_config *config, int daemon_fd, pid_t daemon_pid);

#endif
