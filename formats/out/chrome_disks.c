/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chrome trace: requests to disks, as slices from issue to completion. Requests of a device are
 * under way at the same time: each takes the lowest lane that is free, so that slices on a lane
 * never overlap.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../events/event.h"
#include "chrome_internal.h"

#define UNDER_WAY_MAX 4096u /* more are shown from their completion alone */
#define LANES_MAX (2 * UNDER_WAY_MAX)
#define SAME_KEY_MAX 256 /* requests with one key are looked through up to here */
#define NONE UINT32_MAX

struct request {
	uint64_t sector; /* of what is left; moves on with partial completions */
	uint64_t issued_ns;
	uint32_t dev;
	uint32_t bytes;
	uint32_t left_bytes;
	uint32_t who; /* FR_WHO_NONE = nobody known */
	uint32_t lane;
	uint32_t next; /* with the same key, or free */
	uint8_t op;
};

struct lane {
	uint32_t dev;
	uint32_t number;   /* of its device, from 1 */
	uint64_t until_ns; /* end of its last slice */
	bool busy;
	bool used;
};

struct fr_chrome_disks {
	struct request *requests;
	uint32_t request_cnt, request_cap, free_list;
	struct fr_map by_key;
	struct lane *lanes;
	uint32_t lane_cnt, lane_cap;
};

int fr_chrome_disks_new(struct fr_chrome *ch)
{
	ch->disks = calloc(1, sizeof(*ch->disks));
	if (!ch->disks)
		return -ENOMEM;
	ch->disks->free_list = NONE;
	return 0;
}

void fr_chrome_disks_free(struct fr_chrome *ch)
{
	struct fr_chrome_disks *d = ch->disks;

	if (!d)
		return;
	fr_map_done(&d->by_key);
	free(d->requests);
	free(d->lanes);
	free(d);
	ch->disks = NULL;
}

/* ---- lanes ---------------------------------------------------------------------------------- */

/* The lowest lane of the device that is free since from_ns; NONE when there are too many. */
static uint32_t take_lane(struct fr_chrome *ch, uint32_t dev, uint64_t from_ns)
{
	struct fr_chrome_disks *d = ch->disks;
	uint32_t number = 1, cap;
	struct lane *bigger;

	for (uint32_t i = 0; i < d->lane_cnt; i++) {
		if (d->lanes[i].dev != dev)
			continue;
		if (!d->lanes[i].busy && d->lanes[i].until_ns <= from_ns)
			return i;
		number++;
	}
	if (d->lane_cnt == LANES_MAX)
		return NONE;
	if (d->lane_cnt == d->lane_cap) {
		cap = d->lane_cap ? d->lane_cap * 2 : 16;
		bigger = realloc(d->lanes, cap * sizeof(*bigger));
		if (!bigger) {
			ch->c->err = -ENOMEM;
			return NONE;
		}
		d->lanes = bigger;
		d->lane_cap = cap;
	}
	d->lanes[d->lane_cnt] = (struct lane){ .dev = dev, .number = number };
	return d->lane_cnt++;
}

static bool wanted(const struct fr_chrome *ch, const struct request *r)
{
	if (!fr_filter_on(ch->c))
		return true;
	return r->who != FR_WHO_NONE && fr_filter_thread(ch->c, r->who);
}

static void put_slice(struct fr_chrome *ch, const struct request *r, uint64_t to_ns,
		      const struct fr_block_complete *e)
{
	struct lane *l = &ch->disks->lanes[r->lane];
	uint64_t from_ns = r->issued_ns < ch->c->from_ns ? ch->c->from_ns : r->issued_ns;
	char dev[24];
	struct fr_json j;

	l->busy = false;
	l->until_ns = to_ns;
	if (to_ns > ch->c->to_ns)
		to_ns = ch->c->to_ns;
	if (from_ns > to_ns || !wanted(ch, r))
		return;
	l->used = true;
	snprintf(dev, sizeof(dev), "%u:%u", r->dev >> 20, r->dev & 0xfffff);
	j = fr_chrome_open(ch, &ch->scratch, "X", fr_block_op_name(r->op), "block");
	fr_chrome_where(&j, FR_CHROME_DISKS, FR_CHROME_TID_DISK + r->lane);
	fr_chrome_when(&j, "ts", fr_chrome_ts(ch, from_ns));
	fr_chrome_when(&j, "dur", to_ns - from_ns);
	fr_json_key(&j, "args");
	fr_json_object(&j);
	fr_json_kv_str(&j, "device", dev);
	fr_json_kv_u64_str(&j, "sector", r->sector - (r->bytes - r->left_bytes) / 512);
	fr_json_kv_u64(&j, "bytes", r->bytes);
	if (r->who != FR_WHO_NONE)
		fr_json_kv_u64(&j, "tid", fr_names_who(ch->c->session->names, r->who)->tid);
	if (e && !(e->flags & FR_BLOCK_LATENCY_UNKNOWN))
		fr_json_kv_u64(&j, "latency_ns", e->latency_ns);
	if (e && e->error)
		fr_json_kv_str(&j, "error", fr_errno_name(-e->error));
	if (!e)
		fr_json_kv_bool(&j, "unfinished", true);
	fr_json_object_end(&j);
	fr_json_object_end(&j);
	fr_out_add_buf(ch->out, &ch->scratch);
}

/* ---- requests under way --------------------------------------------------------------------- */

static uint64_t key_of(uint32_t dev, uint64_t sector, uint8_t op)
{
	return (sector * 256 + op) ^ (uint64_t)dev << 40;
}

static bool is_it(const struct request *r, uint32_t dev, uint64_t sector, uint8_t op)
{
	return r->dev == dev && r->sector == sector && r->op == op;
}

/* Takes the oldest request with this key out of the table: its index, or NONE. */
static uint32_t take_request(struct fr_chrome_disks *d, uint32_t dev, uint64_t sector, uint8_t op)
{
	uint64_t key = key_of(dev, sector, op);
	uint32_t first, i, before = NONE, hit = NONE, hit_before = NONE, cnt = 0;

	if (!fr_map_get(&d->by_key, key, &first))
		return NONE;
	/* newest first: the last match is the oldest */
	for (i = first; i != NONE && cnt < SAME_KEY_MAX;
	     before = i, i = d->requests[i].next, cnt++) {
		if (is_it(&d->requests[i], dev, sector, op)) {
			hit = i;
			hit_before = before;
		}
	}
	if (hit == NONE)
		return NONE;
	if (hit_before != NONE)
		d->requests[hit_before].next = d->requests[hit].next;
	else if (d->requests[hit].next != NONE)
		(void)fr_map_put(&d->by_key, key, d->requests[hit].next); /* replaces: no growth */
	else
		fr_map_del(&d->by_key, key);
	return hit;
}

static void file_request(struct fr_chrome *ch, uint32_t i)
{
	struct fr_chrome_disks *d = ch->disks;
	struct request *r = &d->requests[i];
	uint64_t key = key_of(r->dev, r->sector, r->op);

	r->next = NONE;
	(void)fr_map_get(&d->by_key, key, &r->next);
	if (fr_map_put(&d->by_key, key, i))
		ch->c->err = -ENOMEM;
}

static void free_request(struct fr_chrome_disks *d, uint32_t i)
{
	d->requests[i].lane = NONE;
	d->requests[i].next = d->free_list;
	d->free_list = i;
}

static uint32_t new_request(struct fr_chrome *ch)
{
	struct fr_chrome_disks *d = ch->disks;
	struct request *bigger;
	uint32_t i = d->free_list, cap;

	if (i != NONE) {
		d->free_list = d->requests[i].next;
		return i;
	}
	if (d->request_cnt == UNDER_WAY_MAX)
		return NONE;
	if (d->request_cnt == d->request_cap) {
		cap = d->request_cap ? d->request_cap * 2 : 64;
		bigger = realloc(d->requests, cap * sizeof(*bigger));
		if (!bigger) {
			ch->c->err = -ENOMEM;
			return NONE;
		}
		d->requests = bigger;
		d->request_cap = cap;
	}
	return d->request_cnt++;
}

static void issue(struct fr_chrome *ch, const struct fr_merged *m)
{
	struct fr_block_issue e;
	struct fr_thread *th;
	uint32_t lane, i;

	memcpy(&e, m->rec.data, sizeof(e));
	i = new_request(ch);
	if (i == NONE)
		return;
	lane = take_lane(ch, e.dev, m->order_ns);
	if (lane == NONE) {
		free_request(ch->disks, i);
		return;
	}
	th = fr_threads_get(ch->c->threads, e.tid, m->order_ns);
	ch->disks->lanes[lane].busy = true;
	ch->disks->requests[i] = (struct request){
		.sector = e.sector,
		.issued_ns = m->order_ns,
		.dev = e.dev,
		.bytes = e.bytes,
		.left_bytes = e.bytes,
		.who = th ? th->who : FR_WHO_NONE,
		.lane = lane,
		.op = e.op,
	};
	file_request(ch, i);
}

/* Its issue was not seen: the latency says when that was. */
static void complete_alone(struct fr_chrome *ch, const struct fr_merged *m,
			   const struct fr_block_complete *e)
{
	struct request r = {
		.sector = e->sector,
		.issued_ns = m->order_ns,
		.dev = e->dev,
		.bytes = e->bytes,
		.left_bytes = e->bytes,
		.who = FR_WHO_NONE,
		.op = e->op,
	};

	if (!(e->flags & FR_BLOCK_LATENCY_UNKNOWN) && e->latency_ns < m->order_ns)
		r.issued_ns -= e->latency_ns;
	r.lane = take_lane(ch, e->dev, r.issued_ns);
	if (r.lane != NONE)
		put_slice(ch, &r, m->order_ns, e);
	else
		ch->disks_not_shown++;
}

static void complete(struct fr_chrome *ch, const struct fr_merged *m)
{
	struct fr_block_complete e;
	struct request *r;
	uint32_t i;

	memcpy(&e, m->rec.data, sizeof(e));
	i = take_request(ch->disks, e.dev, e.sector, e.op);
	if (i == NONE) {
		complete_alone(ch, m, &e);
		return;
	}
	r = &ch->disks->requests[i];
	if (e.bytes < r->left_bytes && !e.error) {
		/* a part of it is done, the rest goes on */
		r->left_bytes -= e.bytes;
		r->sector += e.bytes / 512;
		file_request(ch, i);
		return;
	}
	put_slice(ch, r, m->order_ns, &e);
	free_request(ch->disks, i);
}

void fr_chrome_disk(struct fr_chrome *ch, const struct fr_merged *m)
{
	if (m->rec.kind == FR_EV_BLOCK_ISSUE)
		issue(ch, m);
	else
		complete(ch, m);
}

void fr_chrome_disks_end(struct fr_chrome *ch)
{
	struct fr_chrome_disks *d = ch->disks;

	for (uint32_t i = 0; i < d->request_cnt; i++)
		if (d->requests[i].lane != NONE)
			put_slice(ch, &d->requests[i], ch->c->to_ns, NULL);
}

void fr_chrome_disks_name(struct fr_chrome *ch)
{
	const struct lane *l;
	bool any = false;
	char text[48];

	for (uint32_t i = 0; i < ch->disks->lane_cnt; i++) {
		l = &ch->disks->lanes[i];
		if (!l->used)
			continue;
		any = true;
		snprintf(text, sizeof(text), "%u:%u #%u", l->dev >> 20, l->dev & 0xfffff,
			 l->number);
		fr_chrome_name_track(ch, FR_CHROME_DISKS, FR_CHROME_TID_DISK + i, text);
	}
	if (!any)
		return;
	fr_chrome_name_track(ch, FR_CHROME_DISKS, 0, "disks");
	fr_chrome_sort_track(ch, FR_CHROME_DISKS, 0, -2);
}
