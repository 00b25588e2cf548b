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
#include "trigger_reason.h"

#define NS_PER_DAY 86400000000000ull
#define NS_PER_S 1000000000ull

int fr_triggers_init(struct fr_triggers *t, const struct fr_recorder *rec)
{
	void *page = mmap(NULL, sizeof(struct fr_join), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return -errno;
	*t = (struct fr_triggers){
		.rec = rec, .join = page, .result_fd = -1, .start = fr_dumper_start
	};
	return fr_gates_map(rec, &t->gates);
}

void fr_triggers_arm(struct fr_triggers *t)
{
	uint64_t last_told_ns[FR_TRIGGER_CNT];

	for (int kind = 0; kind < FR_TRIGGER_CNT; kind++)
		last_told_ns[kind] = t->kinds[kind].last_told_ns;
	fr_gates_set(t->gates, &t->rec->config, last_told_ns);
}

void fr_triggers_done(struct fr_triggers *t)
{
	if (t->join)
		munmap(t->join, sizeof(*t->join));
	fr_gates_unmap(t->gates);
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
	struct fr_dump_job job = { .join = t->join, .triggers = t };
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
	t->current = *info;
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
	if (!fr_config_trigger_on(&t->rec->config, kind)) {
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

/* When this trigger may make a dump again, though it may not now. */
static uint64_t allowed_again_ns(const struct fr_triggers *t, enum fr_trigger_kind kind,
				 const struct fr_trigger_info *info)
{
	struct fr_trigger_rule rule = fr_config_rule(&t->rec->config, kind);
	const struct fr_trigger_state *s = &t->kinds[kind];

	if (rule.max_per_day && s->day_cnt >= rule.max_per_day)
		return info->boot_ns + NS_PER_DAY - info->unix_ns % NS_PER_DAY;
	return s->last_dump_ns + rule.cooldown_ns;
}

/* A notice has closed its gate for the length of a cool-down, also if it is told of in another's
 * dump: one storm of two kinds makes one dump. Where no dump came of it, the next cause is told as
 * soon as it may make one. */
static void set_gate(struct fr_triggers *t, enum fr_trigger_kind kind,
		     const struct fr_trigger_info *info, enum fr_outcome outcome)
{
	uint64_t soonest_ns = info->boot_ns + FR_GATE_LEAST_NS, again_ns;

	switch (outcome) {
	case FR_OUTCOME_STARTED:
	case FR_OUTCOME_JOINED:
	case FR_OUTCOME_QUEUED:
	case FR_OUTCOME_CNT:
		return;
	case FR_OUTCOME_SUPPRESSED:
		again_ns = allowed_again_ns(t, kind, info);
		fr_gate_open_at(t->gates, kind, again_ns > soonest_ns ? again_ns : soonest_ns);
		return;
	case FR_OUTCOME_FAILED:
		fr_gate_open_at(t->gates, kind, info->boot_ns + NS_PER_S);
		return;
	}
}

/* info: all but name and number. */
static enum fr_outcome fire(struct fr_triggers *t, enum fr_trigger_kind kind,
			    struct fr_trigger_info *info, uint64_t *ret_number, char *why,
			    size_t why_bytes)
{
	struct fr_trigger_state *s = &t->kinds[kind];
	enum fr_outcome outcome;

	snprintf(info->name, sizeof(info->name), "%s", fr_trigger_name(kind));
	snprintf(why, why_bytes, "%s", "");
	outcome = decide(t, kind, info, ret_number, why, why_bytes);
	s->outcomes[outcome]++;
	if (outcome == FR_OUTCOME_STARTED || outcome == FR_OUTCOME_QUEUED) {
		s->last_dump_ns = info->boot_ns;
		s->day_cnt++;
	}
	if (outcome != FR_OUTCOME_SUPPRESSED && outcome != FR_OUTCOME_FAILED)
		s->last_told_ns = info->boot_ns;
	set_gate(t, kind, info, outcome);
	fr_info("trigger %s %s%s%s", info->name, fr_outcome_name(outcome), why[0] ? ": " : "", why);
	return outcome;
}

static struct fr_clock_pair time_now(const struct fr_triggers *t)
{
	struct fr_clock_pair now = { 0 };

	if (t->rec->probes)
		fr_clock_pair(t->rec->probes, FR_CLOCK_TRIGGER, &now);
	return now;
}

enum fr_outcome fr_triggers_fire(struct fr_triggers *t, enum fr_trigger_kind kind,
				 const char *reason, uint32_t sender_pid, uint64_t *ret_number,
				 char *why, size_t why_bytes)
{
	struct fr_clock_pair now = time_now(t);
	struct fr_trigger_info info = { .boot_ns = now.boot_ns,
					.unix_ns = now.unix_ns,
					.sender_pid = sender_pid };

	snprintf(info.reason, sizeof(info.reason), "%s", reason);
	return fire(t, kind, &info, ret_number, why, why_bytes);
}

enum fr_outcome fr_triggers_cause(struct fr_triggers *t, const struct fr_notice_trigger *n,
				  uint64_t *ret_number)
{
	struct fr_clock_pair now = time_now(t);
	struct fr_trigger_info info = { .boot_ns = n->time_ns,
					.unix_ns = now.unix_ns - (now.boot_ns - n->time_ns),
					.tgid = n->tgid,
					.tid = n->tid,
					.sock_id = n->sock_id,
					.goid = n->goid };
	int kind = fr_gate_kind(n->gate);
	char why[200];

	if (kind < 0)
		return FR_OUTCOME_FAILED;
	fr_trigger_reason(n, info.reason, sizeof(info.reason));
	fr_info("seen: %s: %s", fr_trigger_name((enum fr_trigger_kind)kind), info.reason);
	return fire(t, (enum fr_trigger_kind)kind, &info, ret_number, why, sizeof(why));
}

/* ---- counts ------------------------------------------------------------------------------ */

/* Without a gate, what was fired; with one, what the probes saw. */
uint64_t fr_triggers_seen(const struct fr_triggers *t, enum fr_trigger_kind kind)
{
	uint64_t cnt = 0;

	if (t->gates && fr_gate_of(kind) >= 0)
		return fr_gate_seen(t->gates, kind);
	for (int outcome = 0; outcome < FR_OUTCOME_CNT; outcome++)
		cnt += t->kinds[kind].outcomes[outcome];
	return cnt;
}

uint64_t fr_triggers_suppressed(const struct fr_triggers *t, enum fr_trigger_kind kind)
{
	/* told is read first: what is seen in between must not make it negative */
	uint64_t told = fr_gate_told(t->gates, kind);

	return t->kinds[kind].outcomes[FR_OUTCOME_SUPPRESSED] + fr_gate_seen(t->gates, kind) - told;
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
