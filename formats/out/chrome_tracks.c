/* SPDX-License-Identifier: BSD-2-Clause */
/* Chrome trace: which track a thread or CPU has, and what it is called. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "chrome_internal.h"

#define FIRST_AGAIN 2u	 /* k of the second thread with a tid: 1 << 22 is where our own ids lie */
#define LAST_AGAIN 1022u /* more than that share the last one: ids end at 2^32 */

static struct fr_chrome_who *grow_who(struct fr_chrome *ch, uint32_t who)
{
	uint32_t cnt = fr_names_who_cnt(ch->c->session->names), old = ch->who_cnt;
	struct fr_chrome_who *bigger;

	if (who < old)
		return &ch->who[who];
	/* room for unnamed ones that come later, so that this is rare */
	cnt += cnt / 8 + 64;
	bigger = aligned_alloc(64, cnt * sizeof(*bigger));
	if (!bigger) {
		ch->c->err = -ENOMEM;
		return NULL;
	}
	if (old)
		memcpy(bigger, ch->who, old * sizeof(*bigger));
	memset(bigger + old, 0, (cnt - old) * sizeof(*bigger));
	free(ch->who);
	ch->who = bigger;
	ch->who_cnt = cnt;
	return &bigger[who];
}

/* The id under which a thread is shown: its own, unless another one was shown under that. */
static uint32_t shown_id(struct fr_chrome *ch, uint32_t tid)
{
	uint32_t before = 0, k;

	(void)fr_map_get(&ch->incarnations, tid, &before);
	if (fr_map_put(&ch->incarnations, tid, before + 1))
		ch->c->err = -ENOMEM;
	if (!before)
		return tid;
	k = before - 1 + FIRST_AGAIN;
	return (tid & (uint32_t)FR_TID_MASK) | (k < LAST_AGAIN ? k : LAST_AGAIN) << FR_TID_BITS;
}

static void assign_tid(struct fr_chrome *ch, uint32_t who)
{
	struct fr_chrome_who *cw = &ch->who[who];

	if (!cw->tid)
		cw->tid = shown_id(ch, fr_names_who(ch->c->session->names, who)->tid);
}

static void introduce(struct fr_chrome *ch, uint32_t who)
{
	struct fr_chrome_who *cw;
	uint32_t leader;
	char *p;

	ch->who[who].state = FR_CHROME_HIDDEN;
	if (!fr_filter_thread(ch->c, who))
		return;
	leader = fr_sink_leader(ch->c, who); /* may add names, and move ch->who */
	if (!grow_who(ch, leader))
		return;
	assign_tid(ch, who);
	assign_tid(ch, leader);
	cw = &ch->who[who];
	cw->pid = ch->who[leader].tid;
	ch->who[leader].as_process = true;
	cw->as_thread = true;
	p = fr_put_u32(cw->ids, cw->pid);
	p = fr_put_lit(p, ",\"tid\":");
	p = fr_put_u32(p, cw->tid);
	cw->ids_len = (uint8_t)(p - cw->ids);
	cw->state = FR_CHROME_SHOWN;
}

struct fr_chrome_who *fr_chrome_who(struct fr_chrome *ch, uint32_t who)
{
	struct fr_chrome_who *cw = who < ch->who_cnt ? &ch->who[who] : grow_who(ch, who);

	if (!cw)
		return NULL;
	if (cw->state == FR_CHROME_NEW)
		introduce(ch, who);
	cw = &ch->who[who];
	return cw->state == FR_CHROME_SHOWN ? cw : NULL;
}

struct fr_chrome_cpu *fr_chrome_cpu(struct fr_chrome *ch, uint16_t cpu)
{
	struct fr_chrome_cpu *bigger, *cc;
	uint32_t cnt = cpu + 1u;
	char *p;

	if (cpu < ch->cpu_cnt)
		return &ch->cpus[cpu];
	bigger = realloc(ch->cpus, cnt * sizeof(*bigger));
	if (!bigger) {
		ch->c->err = -ENOMEM;
		return NULL;
	}
	ch->cpus = bigger;
	for (; ch->cpu_cnt < cnt; ch->cpu_cnt++) {
		cc = &bigger[ch->cpu_cnt];
		memset(cc, 0, sizeof(*cc));
		p = fr_put_lit(cc->prefix, "\"pid\":4194304,\"tid\":");
		p = fr_put_u32(p, FR_CHROME_TID_CPU + ch->cpu_cnt);
		p = fr_put_lit(p, ",\"ts\":");
		cc->prefix_len = (uint8_t)(p - cc->prefix);
	}
	return &bigger[cpu];
}

/* ---- names ---------------------------------------------------------------------------------- */

void fr_chrome_name_track(struct fr_chrome *ch, uint32_t pid, uint32_t tid, const char *name)
{
	struct fr_json j;

	fr_buf_add_str(&ch->scratch, ",\n");
	j = fr_json_on(&ch->scratch);
	fr_json_object(&j);
	fr_json_kv_str(&j, "ph", "M");
	fr_json_kv_str(&j, "name", tid ? "thread_name" : "process_name");
	fr_json_kv_u64(&j, "pid", pid);
	if (tid)
		fr_json_kv_u64(&j, "tid", tid);
	fr_json_key(&j, "args");
	fr_json_object(&j);
	fr_json_kv_str(&j, "name", name);
	fr_json_object_end(&j);
	fr_json_object_end(&j);
	fr_out_add_buf(ch->out, &ch->scratch);
}

void fr_chrome_sort_track(struct fr_chrome *ch, uint32_t pid, uint32_t tid, int32_t index)
{
	fr_buf_printf(&ch->scratch, ",\n{\"ph\":\"M\",\"name\":\"%s_sort_index\",\"pid\":%u",
		      tid ? "thread" : "process", pid);
	if (tid)
		fr_buf_printf(&ch->scratch, ",\"tid\":%u", tid);
	fr_buf_printf(&ch->scratch, ",\"args\":{\"sort_index\":%d}}", index);
	fr_out_add_buf(ch->out, &ch->scratch);
}

/* comm is cut at 15 bytes; the executable's name may have the rest of it. */
static void full_name(const struct fr_names *n, uint32_t who, char *buf, size_t buf_bytes)
{
	const struct fr_process *p = fr_names_process_of(n, who);
	const struct fr_who *w = fr_names_who(n, who);
	size_t len = strnlen(w->comm, FR_COMM_BYTES), base_len = 0;
	const uint8_t *base = NULL;

	if (p && p->exe.len_bytes) {
		base = memrchr(p->exe.data, '/', p->exe.len_bytes);
		base = base ? base + 1 : p->exe.data;
		base_len = (size_t)(p->exe.data + p->exe.len_bytes - base);
	}
	if (len == FR_COMM_BYTES - 1 && base_len > len && !memcmp(base, w->comm, len))
		snprintf(buf, buf_bytes, "%.*s", (int)(base_len < 200 ? base_len : 200),
			 (const char *)base);
	else
		snprintf(buf, buf_bytes, "%.16s", w->comm);
}

static void name_who(struct fr_chrome *ch, uint32_t who)
{
	const struct fr_names *n = ch->c->session->names;
	const struct fr_who *w = fr_names_who(n, who);
	const struct fr_chrome_who *cw = &ch->who[who];
	char name[256], text[320];
	const char *again = cw->tid != w->tid ? " again" : "";

	full_name(n, who, name, sizeof(name));
	if (cw->as_process) {
		if (!w->named)
			snprintf(text, sizeof(text), "pid %u%s (unnamed)", w->tid, again);
		else if (cw->tid != w->tid)
			snprintf(text, sizeof(text), "%s (pid %u again)", name, w->tid);
		else
			snprintf(text, sizeof(text), "%s", name);
		fr_chrome_name_track(ch, cw->tid, 0, text);
	}
	if (cw->as_thread) {
		if (!w->named)
			snprintf(text, sizeof(text), "tid %u%s (unnamed)", w->tid, again);
		else if (cw->tid != w->tid)
			snprintf(text, sizeof(text), "%.16s (tid %u again)", w->comm, w->tid);
		else
			snprintf(text, sizeof(text), "%.16s", w->comm);
		fr_chrome_name_track(ch, cw->pid, cw->tid, text);
	}
}

static void name_cpus(struct fr_chrome *ch)
{
	char text[32];

	for (uint32_t cpu = 0; cpu < ch->cpu_cnt; cpu++) {
		if (!ch->cpus[cpu].used)
			continue;
		snprintf(text, sizeof(text), "CPU %u", cpu);
		fr_chrome_name_track(ch, FR_CHROME_CPUS, FR_CHROME_TID_CPU + cpu, text);
		fr_chrome_sort_track(ch, FR_CHROME_CPUS, FR_CHROME_TID_CPU + cpu, (int32_t)cpu);
	}
}

static void name_recorder(struct fr_chrome *ch)
{
	bool any = ch->triggers_used || ch->families_used || ch->others_used;
	char text[32];

	if (ch->triggers_used)
		fr_chrome_name_track(ch, FR_CHROME_RECORDER, FR_CHROME_TID_TRIGGERS, "triggers");
	if (ch->families_used)
		fr_chrome_name_track(ch, FR_CHROME_RECORDER, FR_CHROME_TID_FAMILIES, "families");
	if (ch->others_used)
		fr_chrome_name_track(ch, FR_CHROME_RECORDER, FR_CHROME_TID_OTHERS, "other events");
	for (uint32_t cpu = 0; cpu < ch->cpu_cnt; cpu++) {
		if (!ch->cpus[cpu].lost)
			continue;
		any = true;
		snprintf(text, sizeof(text), "lost on CPU %u", cpu);
		fr_chrome_name_track(ch, FR_CHROME_RECORDER, FR_CHROME_TID_LOSS + cpu, text);
		fr_chrome_sort_track(ch, FR_CHROME_RECORDER, FR_CHROME_TID_LOSS + cpu,
				     (int32_t)cpu + 1);
	}
	if (!any)
		return;
	fr_chrome_name_track(ch, FR_CHROME_RECORDER, 0, "flightrec");
	fr_chrome_sort_track(ch, FR_CHROME_RECORDER, 0, -3);
}

static void name_net(struct fr_chrome *ch)
{
	if (ch->sockets_used)
		fr_chrome_name_track(ch, FR_CHROME_NET, FR_CHROME_TID_SOCKETS, "sockets");
	if (ch->tcp_used)
		fr_chrome_name_track(ch, FR_CHROME_NET, FR_CHROME_TID_TCP, "TCP trouble");
	if (!ch->sockets_used && !ch->tcp_used)
		return;
	fr_chrome_name_track(ch, FR_CHROME_NET, 0, "network");
	fr_chrome_sort_track(ch, FR_CHROME_NET, 0, -1);
}

void fr_chrome_name_tracks(struct fr_chrome *ch)
{
	fr_chrome_sort_track(ch, FR_CHROME_CPUS, 0, -4);
	name_cpus(ch);
	name_recorder(ch);
	fr_chrome_disks_name(ch);
	name_net(ch);
	for (uint32_t who = 0; who < ch->who_cnt; who++)
		if (ch->who[who].as_thread || ch->who[who].as_process)
			name_who(ch, who);
}
