/* SPDX-License-Identifier: BSD-2-Clause */
/* Chrome trace: what threads do, on their tracks and on the CPUs' tracks. The hot path. */
#include <errno.h>

#include "../events/event.h"
#include "chrome_internal.h"

/* "pid":1,"tid":2,"ts": . Copies a fixed, small number of bytes (cheap) of which some count. */
static inline char *put_who(char *p, const struct fr_chrome_who *cw)
{
	p = fr_put_lit(p, "\"pid\":");
	memcpy(p, cw->ids, sizeof(cw->ids));
	return fr_put_lit(p + cw->ids_len, ",\"ts\":");
}

static inline char *put_cpu(char *p, const struct fr_chrome_cpu *cc)
{
	memcpy(p, cc->prefix, sizeof(cc->prefix));
	return p + cc->prefix_len;
}

static inline char *put_num(char *p, const struct fr_chrome_num *n)
{
	memcpy(p, n->text, sizeof(n->text));
	return p + n->len;
}

static inline void render(struct fr_chrome_num *n, uint64_t ns)
{
	n->len = (uint32_t)(fr_put_us3(n->text, ns) - n->text);
}

static inline uint64_t clip(const struct fr_chrome *ch, uint64_t t)
{
	if (t < ch->c->from_ns)
		return ch->c->from_ns;
	return t > ch->c->to_ns ? ch->c->to_ns : t;
}

/* A stint with its times clipped to the range. */
struct shown_stint {
	const struct fr_stint *s;
	const struct fr_chrome_who *cw;
	uint64_t off_ns, ready_ns, from_ns, to_ns;
	struct fr_chrome_num from, dur;
	bool ran; /* some of it lies inside the range */
};

/* ---- states (ph T) -------------------------------------------------------------------------- */

static char *put_state(char *p, const struct fr_chrome_who *cw, const char *name, size_t name_len,
		       uint64_t ts, uint64_t dur)
{
	p = fr_put_lit(p, ",\n{\"ph\":\"T\",\"name\":\"");
	p = fr_put_bytes(p, name, name_len);
	p = fr_put_lit(p, "\",");
	p = put_who(p, cw);
	p = fr_put_us3(p, ts);
	p = fr_put_lit(p, ",\"dur\":");
	p = fr_put_us3(p, dur);
	*p++ = '}';
	return p;
}

/* How it waited, before it ran: asleep, then runnable. */
static char *put_waits(char *p, const struct fr_chrome *ch, const struct shown_stint *x)
{
	const struct fr_stint *s = x->s;
	char letter[1];

	if (s->off_ns && x->ready_ns > x->off_ns) {
		letter[0] = fr_task_state_letter(s->off_state);
		p = put_state(p, x->cw, letter, 1, fr_chrome_ts(ch, x->off_ns),
			      x->ready_ns - x->off_ns);
	}
	if (s->ready_ns && x->from_ns > x->ready_ns)
		p = put_state(p, x->cw, s->off_preempted ? "R+" : "R", s->off_preempted ? 2 : 1,
			      fr_chrome_ts(ch, x->ready_ns), x->from_ns - x->ready_ns);
	return p;
}

/* ---- slices --------------------------------------------------------------------------------- */

static char *put_cpu_arg(char *p, const struct fr_stint *s)
{
	p = fr_put_lit(p, ",\"args\":{\"cpu\":");
	p = fr_put_u32(p, s->cpu);
	if (__builtin_expect(s->from_unseen, 0))
		p = fr_put_lit(p, ",\"began_earlier\":true");
	if (__builtin_expect(s->to_unseen, 0))
		p = fr_put_lit(p, ",\"went_on\":true");
	return fr_put_lit(p, "}}");
}

static char *put_running(char *p, const struct shown_stint *x, const char *head, size_t head_len)
{
	p = fr_put_bytes(p, head, head_len);
	p = put_who(p, x->cw);
	p = put_num(p, &x->from);
	p = fr_put_lit(p, ",\"dur\":");
	p = put_num(p, &x->dur);
	return put_cpu_arg(p, x->s);
}

static char *put_flow_end(char *p, const struct shown_stint *x)
{
	p = fr_put_lit(p,
		       ",\n{\"ph\":\"f\",\"bp\":\"e\",\"name\":\"wake\",\"cat\":\"sched\",\"id\":");
	p = fr_put_u64(p, x->s->flow);
	*p++ = ',';
	p = put_who(p, x->cw);
	p = put_num(p, &x->from);
	*p++ = '}';
	return p;
}

/* Strange characters only get so long: keeps what is whole. */
static void cut_name(struct fr_chrome *ch, const char comm[FR_COMM_BYTES])
{
	for (size_t cut = 0; cut < FR_COMM_BYTES; cut++) {
		fr_buf_clear(&ch->name_buf);
		fr_json_escape(&ch->name_buf, comm, cut);
		if (ch->name_buf.len_bytes > sizeof(ch->odd_name))
			break;
		ch->odd_name_len = (uint8_t)ch->name_buf.len_bytes;
		if (ch->odd_name_len)
			memcpy(ch->odd_name, ch->name_buf.data, ch->odd_name_len);
	}
}

/* The thread's name as part of a JSON string: comm if nothing of it needs to be escaped, else made
 * each time. */
static void refresh_name(struct fr_chrome *ch, struct fr_chrome_who *cw, const struct fr_thread *th)
{
	size_t comm_len = strnlen(th->comm, sizeof(th->comm));

	memcpy(cw->comm, th->comm, sizeof(cw->comm));
	fr_buf_clear(&ch->name_buf);
	if (comm_len)
		fr_json_escape(&ch->name_buf, th->comm, comm_len);
	else
		fr_buf_printf(&ch->name_buf, "tid %u", th->tid);
	cw->name_len = FR_CHROME_NAME_ODD;
	if (ch->name_buf.len_bytes > sizeof(ch->odd_name)) {
		cut_name(ch, th->comm);
	} else if (ch->name_buf.len_bytes) {
		ch->odd_name_len = (uint8_t)ch->name_buf.len_bytes;
		memcpy(ch->odd_name, ch->name_buf.data, ch->odd_name_len);
		if (comm_len == ch->odd_name_len && !memcmp(ch->odd_name, th->comm, comm_len))
			cw->name_len = (uint8_t)comm_len;
	}
	fr_buf_clear(&ch->name_buf);
}

static inline char *put_name(char *p, const struct fr_chrome *ch, const struct fr_chrome_who *cw)
{
	if (__builtin_expect(cw->name_len == FR_CHROME_NAME_ODD, 0))
		return fr_put_bytes(p, ch->odd_name, ch->odd_name_len);
	memcpy(p, cw->comm, sizeof(cw->comm));
	return p + cw->name_len;
}

static inline bool same_comm(const char a[FR_COMM_BYTES], const char b[FR_COMM_BYTES])
{
	return !memcmp(a, b, FR_COMM_BYTES);
}

static char *put_cpu_slice(char *p, struct fr_chrome *ch, struct fr_chrome_cpu *cc,
			   const struct shown_stint *x)
{
	const struct fr_stint *s = x->s;
	uint64_t from_ns = clip(ch, s->cpu_from_ns < s->to_ns ? s->cpu_from_ns : s->to_ns);

	cc->used = true;
	p = fr_put_lit(p, ",\n{\"ph\":\"X\",\"cat\":\"sched\",\"name\":\"");
	p = put_name(p, ch, x->cw);
	p = fr_put_lit(p, "\",");
	p = put_cpu(p, cc);
	if (__builtin_expect(x->ran && from_ns == x->from_ns, 1)) {
		p = put_num(p, &x->from);
		p = fr_put_lit(p, ",\"dur\":");
		p = put_num(p, &x->dur);
	} else {
		p = fr_put_us3(p, fr_chrome_ts(ch, from_ns));
		p = fr_put_lit(p, ",\"dur\":");
		p = fr_put_us3(p, x->to_ns - from_ns);
	}
	p = fr_put_lit(p, ",\"args\":{\"tid\":");
	p = fr_put_u32(p, s->thread->tid);
	return fr_put_lit(p, "}}");
}

void fr_chrome_release_cpu(struct fr_chrome *ch, uint16_t cpu)
{
	if (cpu < ch->cpu_cnt && ch->cpus[cpu].held.len_bytes)
		fr_out_add_buf(ch->out, &ch->cpus[cpu].held);
}

static const char head_x[] = ",\n{\"ph\":\"X\",\"name\":\"Running\",\"cat\":\"sched\",";
static const char head_t[] = ",\n{\"ph\":\"T\",\"name\":\"Running\",";

/* Everything about one stint. */
static void put_stint(struct fr_chrome *ch, const struct fr_stint *s)
{
	struct fr_chrome_who *cw;
	struct fr_chrome_cpu *cc;
	struct shown_stint x;
	char *p;

	if (s->to_ns < ch->c->from_ns || s->from_ns > ch->c->to_ns)
		return;
	cw = fr_chrome_who(ch, s->thread->who);
	if (!cw)
		return;
	if (!same_comm(cw->comm, s->thread->comm) || !cw->name_len ||
	    cw->name_len == FR_CHROME_NAME_ODD)
		refresh_name(ch, cw, s->thread);
	x = (struct shown_stint){ .s = s, .cw = cw, .ran = s->ran };
	x.from_ns = clip(ch, s->from_ns);
	x.to_ns = clip(ch, s->to_ns);
	x.ready_ns = s->ready_ns ? clip(ch, s->ready_ns) : x.from_ns;
	x.off_ns = s->off_ns ? clip(ch, s->off_ns) : x.ready_ns;
	p = fr_out_reserve(ch->out, 6 * FR_CHROME_OBJECT_MAX);
	p = put_waits(p, ch, &x);
	if (s->ran) {
		render(&x.from, fr_chrome_ts(ch, x.from_ns));
		render(&x.dur, x.to_ns - x.from_ns);
		p = put_running(p, &x, head_t, sizeof(head_t) - 1);
		p = put_running(p, &x, head_x, sizeof(head_x) - 1);
		/* where it began is not known: before the arrow does, for all that one can tell */
		if (s->flow && !s->from_unseen && s->from_ns >= ch->c->from_ns)
			p = put_flow_end(p, &x);
	}
	cc = s->on_cpu_track ? fr_chrome_cpu(ch, s->cpu) : NULL;
	if (cc)
		p = put_cpu_slice(p, ch, cc, &x);
	fr_out_advance(ch->out, p);
}

void fr_chrome_stints(struct fr_chrome *ch, const struct fr_step *step)
{
	for (uint32_t i = 0; i < step->stint_cnt; i++) {
		put_stint(ch, &step->stints[i]);
		fr_chrome_release_cpu(ch, step->stints[i].cpu);
	}
}

/* ---- what happens to threads ---------------------------------------------------------------- */

static void show_until(struct fr_chrome *ch, struct fr_thread *th, uint64_t at_ns)
{
	struct fr_stint s;

	if (!fr_threads_stint_until(ch->c->threads, th, at_ns, &s))
		return;
	s.on_cpu_track = false; /* the CPU's own slice goes on */
	put_stint(ch, &s);
	if (s.ran)
		fr_chrome_release_cpu(ch, th->cpu);
	fr_threads_shown(th, at_ns);
}

/* Room behind the slice of whoever runs on this CPU; cuts the slice when too much is held. */
static struct fr_chrome_cpu *hold(struct fr_chrome *ch, struct fr_thread *th, uint64_t time_ns,
				  size_t more_bytes)
{
	struct fr_chrome_cpu *cc = fr_chrome_cpu(ch, th->cpu);

	if (cc && cc->held.len_bytes && cc->held.len_bytes + more_bytes > ch->held_max_bytes)
		show_until(ch, th, time_ns);
	return cc;
}

void fr_chrome_on_thread(struct fr_chrome *ch, struct fr_thread *th, uint64_t time_ns,
			 struct fr_buf *text)
{
	struct fr_chrome_cpu *cc;

	if (th->run != FR_RUN_ON) {
		show_until(ch, th, time_ns);
		fr_out_add_buf(ch->out, text);
		return;
	}
	cc = hold(ch, th, time_ns, text->len_bytes);
	if (cc)
		fr_buf_add(&cc->held, text->data, text->len_bytes);
	if (!cc || cc->held.err)
		ch->c->err = -ENOMEM;
	fr_buf_clear(text);
}

/* An arrow from the slice of the waker to the next one of the woken thread. */
void fr_chrome_wake(struct fr_chrome *ch, const struct fr_merged *m, const struct fr_step *step)
{
	struct fr_thread *waker = step->waker;
	const struct fr_chrome_who *cw;
	struct fr_chrome_cpu *cc;
	char *start, *p;

	/* the arrow begins inside a slice, or nowhere */
	if (!waker || waker->run != FR_RUN_ON || waker->cpu != m->rec.cpu ||
	    waker->since_ns >= m->order_ns)
		return;
	if (!fr_chrome_who(ch, step->wakee->who))
		return;
	cw = fr_chrome_who(ch, waker->who);
	if (!cw)
		return;
	cc = hold(ch, waker, m->order_ns, FR_CHROME_OBJECT_MAX);
	if (!cc || waker->since_ns >= m->order_ns)
		return; /* its slice was just cut here */
	start = p = (char *)fr_buf_reserve(&cc->held, FR_CHROME_OBJECT_MAX);
	if (!p) {
		ch->c->err = -ENOMEM;
		return;
	}
	step->wakee->flow = ++ch->flow;
	p = fr_put_lit(p, ",\n{\"ph\":\"s\",\"name\":\"wake\",\"cat\":\"sched\",\"id\":");
	p = fr_put_u64(p, ch->flow);
	*p++ = ',';
	p = put_who(p, cw);
	p = fr_put_us3(p, fr_chrome_ts(ch, m->order_ns));
	*p++ = '}';
	cc->held.len_bytes += (size_t)(p - start);
}

/* ---- ends ----------------------------------------------------------------------------------- */

struct until {
	struct fr_chrome *ch;
	uint64_t at_ns;
};

static void settle(void *ctx, struct fr_thread *th)
{
	struct until *u = ctx;
	struct fr_stint s;

	if (th->run != FR_RUN_ON && fr_threads_stint_until(u->ch->c->threads, th, u->at_ns, &s))
		put_stint(u->ch, &s);
}

void fr_chrome_settle_all(struct fr_chrome *ch, uint64_t at_ns)
{
	struct until u = { ch, at_ns };

	if (at_ns >= ch->c->from_ns)
		fr_threads_each(ch->c->threads, settle, &u);
}

static void end_thread(void *ctx, struct fr_thread *th)
{
	struct until *u = ctx;
	struct fr_stint s;

	if (!fr_threads_stint_until(u->ch->c->threads, th, u->at_ns, &s))
		return;
	put_stint(u->ch, &s);
	if (s.ran)
		fr_chrome_release_cpu(u->ch, s.cpu);
}

void fr_chrome_end_threads(struct fr_chrome *ch)
{
	struct until u = { ch, ch->c->to_ns };

	fr_threads_each(ch->c->threads, end_thread, &u);
	for (uint32_t cpu = 0; cpu < ch->cpu_cnt; cpu++)
		fr_chrome_release_cpu(ch, (uint16_t)cpu);
}
