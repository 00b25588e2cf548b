/* SPDX-License-Identifier: BSD-2-Clause */
#include "trigger.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "formats/base/cli.h"
#include "formats/base/log.h"

#define NS_PER_DAY 86400000000000ull

int fr_triggers_init(struct fr_triggers *t, const struct fr_recorder *rec)
{
	void *page = mmap(NULL, sizeof(struct fr_join), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return -errno;
	*t = (struct fr_triggers){
		.rec = rec, .join = page, .result_fd = -1, .start = fr_dumper_start
	};
	return 0;
}

void fr_triggers_done(struct fr_triggers *t)
{
	if (t->join)
		munmap(t->join, sizeof(*t->join));
	if (t->result_fd >= 0)
		close(t->result_fd);
	*t = (struct fr_triggers){ .result_fd = -1 };
}

const char *fr_outcome_name(enum fr_outcome outcome)
{
	static const char *const names[] = {
		[FR_OUTCOME_STARTED] = "started", [FR_OUTCOME_JOINED] = "joined",
		[FR_OUTCOME_QUEUED] = "queued",	  [FR_OUTCOME_SUPPRESSED] = "suppressed",
		[FR_OUTCOME_FAILED] = "failed",
	};

	return outcome < FR_OUTCOME_CNT ? names[outcome] : "unknown";
}

/* ---- limits ------------------------------------------------------------------------------ */

/* May this one make a dump? If not, why gets the reason. */
static bool within_limits(struct fr_triggers *t, enum fr_trigger_kind kind,
			  const struct fr_trigger_info *info, char *why, size_t why_bytes)
{
	struct fr_trigger_rule rule = fr_config_rule(&t->rec->config, kind);
	struct fr_trigger_state *s = &t->kinds[kind];
	uint64_t day = info->unix_ns / NS_PER_DAY;
	char left[32];

	if (s->day != day) {
		s->day = day;
		s->day_cnt = 0;
	}
	if (s->last_dump_ns && info->boot_ns - s->last_dump_ns < rule.cooldown_ns) {
		snprintf(why, why_bytes, "trigger %s cools down for another %s", info->name,
			 fr_format_duration(rule.cooldown_ns - (info->boot_ns - s->last_dump_ns),
					    left, sizeof(left)));
		return false;
	}
	if (rule.max_per_day && s->day_cnt >= rule.max_per_day) {
		snprintf(why, why_bytes, "trigger %s has made its %llu dumps of today", info->name,
			 (unsigned long long)rule.max_per_day);
		return false;
	}
	return true;
}

/* ---- one dump ---------------------------------------------------------------------------- */

static pid_t *stuck_place(struct fr_triggers *t)
{
	for (int i = 0; i < FR_DUMPERS_STUCK_MAX; i++)
		if (!t->stuck[i])
			return &t->stuck[i];
	return NULL;
}

static int start_dump(struct fr_triggers *t, struct fr_trigger_info *info)
{
	struct fr_dump_job job = { .join = t->join };
	pid_t pid = -EBUSY; /* too many hang already */

	info->number = t->number + 1;
	info->post_window_ns = t->rec->config.post_window_ns;
	job.trigger = *info;
	if (stuck_place(t))
		pid = t->start(t->rec, &job, &t->result_fd);
	if (pid < 0) {
		t->failed_cnt++;
		t->result_fd = -1;
		fr_err("trigger %s: cannot start the dumper: %s; recording goes on", info->name,
		       pid == -EBUSY ? "too many of them hang" : strerror((int)-pid));
		return (int)pid;
	}
	t->number = info->number;
	t->dumper_pid = pid;
	t->killed = false;
	t->last_unix_ns = info->unix_ns;
	return 0;
}

/* The queued trigger and those that joined it, once the dumper is free. */
static void start_queued(struct fr_triggers *t)
{
	struct fr_meta_trigger joined = { 0 };
	uint32_t more;

	if (!t->queued)
		return;
	t->queued = false;
	fr_join_close(&t->next_join, &joined);
	fr_join_reset(t->join);
	for (uint32_t i = 0; i < joined.joined_cnt; i++)
		fr_join_add(t->join, &joined.joined[i]);
	for (more = 0; more < joined.joined_more; more++)
		fr_join_add(t->join, &joined.joined[0]); /* past the list: only counted */
	if (!start_dump(t, &t->next))
		return;
	/* nobody is left to try again: those who wait are told */
	t->last = (struct fr_dump_result){ .error = -EAGAIN };
	snprintf(t->last.text, sizeof(t->last.text), "the dumper could not be started");
	if (t->on_done)
		t->on_done(t->ctx, t->number + 1, &t->last);
}

static enum fr_outcome while_busy(struct fr_triggers *t, enum fr_trigger_kind kind,
				  const struct fr_trigger_info *info, uint64_t *ret_number,
				  char *why, size_t why_bytes)
{
	if (fr_join_add(t->join, info)) {
		*ret_number = t->number;
		return FR_OUTCOME_JOINED;
	}
	*ret_number = t->number + 1;
	if (t->queued) {
		fr_join_add(&t->next_join, info);
		return FR_OUTCOME_JOINED;
	}
	if (!within_limits(t, kind, info, why, why_bytes))
		return FR_OUTCOME_SUPPRESSED;
	t->queued = true;
	t->next = *info;
	fr_join_reset(&t->next_join);
	return FR_OUTCOME_QUEUED;
}

static enum fr_outcome decide(struct fr_triggers *t, enum fr_trigger_kind kind,
			      struct fr_trigger_info *info, uint64_t *ret_number, char *why,
			      size_t why_bytes)
{
	if (!t->rec->config.triggers[kind].enabled) {
		snprintf(why, why_bytes, "trigger %s is switched off", info->name);
		return FR_OUTCOME_SUPPRESSED;
	}
	if (fr_triggers_busy(t))
		return while_busy(t, kind, info, ret_number, why, why_bytes);
	if (!within_limits(t, kind, info, why, why_bytes))
		return FR_OUTCOME_SUPPRESSED;
	fr_join_reset(t->join);
	if (start_dump(t, info)) {
		snprintf(why, why_bytes, "the dumper could not be started");
		return FR_OUTCOME_FAILED;
	}
	*ret_number = t->number;
	return FR_OUTCOME_STARTED;
}

enum fr_outcome fr_triggers_fire(struct fr_triggers *t, enum fr_trigger_kind kind,
				 const char *reason, uint32_t sender_pid, uint64_t *ret_number,
				 char *why, size_t why_bytes)
{
	struct fr_trigger_info info = { .sender_pid = sender_pid };
	struct fr_clock_pair now = { 0 };
	struct fr_trigger_state *s = &t->kinds[kind];
	enum fr_outcome outcome;

	if (t->rec->probes)
		fr_clock_pair(t->rec->probes, FR_CLOCK_TRIGGER, &now);
	info.boot_ns = now.boot_ns;
	info.unix_ns = now.unix_ns;
	snprintf(info.name, sizeof(info.name), "%s", fr_trigger_name(kind));
	snprintf(info.reason, sizeof(info.reason), "%s", reason);
	snprintf(why, why_bytes, "%s", "");
	outcome = decide(t, kind, &info, ret_number, why, why_bytes);
	s->outcomes[outcome]++;
	if (outcome == FR_OUTCOME_STARTED || outcome == FR_OUTCOME_QUEUED) {
		s->last_dump_ns = info.boot_ns;
		s->day_cnt++;
	}
	fr_info("trigger %s %s%s%s", info.name, fr_outcome_name(outcome), why[0] ? ": " : "", why);
	return outcome;
}

/* ---- its end ----------------------------------------------------------------------------- */

static void read_result(struct fr_triggers *t, int status, struct fr_dump_result *ret)
{
	ssize_t n = read(t->result_fd, ret, sizeof(*ret));

	ret->text[sizeof(ret->text) - 1] = 0;
	ret->name[sizeof(ret->name) - 1] = 0;
	if (n == (ssize_t)sizeof(*ret) && (ret->error || ret->name[0]))
		return;
	*ret = (struct fr_dump_result){ .error = -EIO };
	if (WIFSIGNALED(status))
		snprintf(ret->text, sizeof(ret->text), "the dumper was ended by signal %d (%s)",
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(ret->text, sizeof(ret->text),
			 "the dumper ended with status %d and no result", WEXITSTATUS(status));
}

static void tell_result(struct fr_triggers *t, const struct fr_dump_result *r)
{
	char size[32], time[32];

	if (r->error) {
		t->failed_cnt++;
		fr_err("dump %llu failed: %s; recording goes on", (unsigned long long)t->number,
		       r->text[0] ? r->text : strerror(-r->error));
		return;
	}
	t->done_cnt++;
	t->stored_bytes += r->stored_bytes;
	fr_info("dump %llu: %s/%s, %s, %llu records, common window %s%s%s",
		(unsigned long long)t->number, t->rec->config.dump_dir, r->name,
		fr_format_size(r->stored_bytes, size, sizeof(size)), (unsigned long long)r->records,
		fr_format_duration(r->window_ns, time, sizeof(time)), r->text[0] ? ", " : "",
		r->text);
}

static void end_dump(struct fr_triggers *t)
{
	close(t->result_fd);
	t->result_fd = -1;
	t->dumper_pid = 0;
	tell_result(t, &t->last);
	if (t->on_done)
		t->on_done(t->ctx, t->number, &t->last);
	start_queued(t);
}

void fr_triggers_reap(struct fr_triggers *t)
{
	int status;

	for (int i = 0; i < FR_DUMPERS_STUCK_MAX; i++)
		if (t->stuck[i] && waitpid(t->stuck[i], NULL, WNOHANG) == t->stuck[i])
			t->stuck[i] = 0;
	if (!fr_triggers_busy(t) || waitpid(t->dumper_pid, &status, WNOHANG) != t->dumper_pid)
		return;
	read_result(t, status, &t->last);
	end_dump(t);
}

void fr_triggers_abandon(struct fr_triggers *t)
{
	if (!fr_triggers_busy(t))
		return;
	*stuck_place(t) = t->dumper_pid; /* there was one when it was started */
	t->last = (struct fr_dump_result){ .error = -ETIMEDOUT };
	snprintf(t->last.text, sizeof(t->last.text),
		 "the dumper (process %d) hangs and cannot be ended; look at the disk of %.300s",
		 (int)t->dumper_pid, t->rec->config.dump_dir);
	end_dump(t);
}

void fr_triggers_kill(struct fr_triggers *t)
{
	if (!fr_triggers_busy(t))
		return;
	fr_err("dump %llu takes too long: ending the dumper; its file stays incomplete",
	       (unsigned long long)t->number);
	t->killed = true;
	kill(t->dumper_pid, SIGKILL);
}
