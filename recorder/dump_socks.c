/* SPDX-License-Identifier: BSD-2-Clause */
#include "dump_socks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "formats/base/bytes.h"

#define SLOT_CNT (2u * FR_SOCKS_MAX)

int fr_socks_init(struct fr_socks *s, struct fr_rows *rows, struct fr_seen *seen)
{
	*s = (struct fr_socks){
		.rows = rows,
		.seen = seen,
		.open = calloc(SLOT_CNT, sizeof(*s->open)),
	};
	return s->open ? 0 : -ENOMEM;
}

void fr_socks_done(struct fr_socks *s)
{
	free(s->open);
	*s = (struct fr_socks){ 0 };
}

static void write_row(struct fr_socks *s, const struct fr_sock_open *e, const uint8_t *path,
		      uint64_t end_ns)
{
	struct fr_meta_socket m = {
		.id = e->sock_id,
		.addr = e->addr,
		.type = e->type,
		.flags = e->flags,
		.tgid = e->tgid,
		.peer_tgid = e->peer_tgid,
		.sent_bytes = e->sent_bytes,
		.received_bytes = e->received_bytes,
		.end_ns = end_ns,
		.netns_inum = e->netns_inum,
		.path = { path, e->path_bytes },
	};

	fr_rows_socket(s->rows, &m);
}

/* The fixed part, with a path that really lies in the record. */
static const uint8_t *read_open(const uint8_t *record, struct fr_sock_open *ret)
{
	uint32_t bytes = FR_RECORD_UNITS(fr_load64(record)) * 8;

	memcpy(ret, record, sizeof(*ret));
	if (ret->path_bytes > bytes - sizeof(*ret) || ret->path_bytes > FR_UNIX_PATH_MAX)
		ret->path_bytes = 0;
	return record + sizeof(*ret);
}

static struct fr_socks_open *slot_of(struct fr_socks *s, uint64_t sock_id)
{
	uint32_t at = (uint32_t)((sock_id * 0x9e3779b97f4a7c15ull) >> 40) & (SLOT_CNT - 1);

	while (s->open[at].e.sock_id && s->open[at].e.sock_id != sock_id)
		at = (at + 1) & (SLOT_CNT - 1);
	return &s->open[at];
}

void fr_socks_flush(struct fr_socks *s)
{
	if (!s->open_cnt)
		return; /* pages that nobody touched take no memory */
	for (uint32_t i = 0; i < SLOT_CNT; i++)
		if (s->open[i].e.sock_id && !s->open[i].closed)
			write_row(s, &s->open[i].e, s->open[i].path, 0);
	memset(s->open, 0, SLOT_CNT * sizeof(*s->open));
	s->open_cnt = 0;
}

static void open_record(struct fr_socks *s, const struct fr_sock_open *e, const uint8_t *path)
{
	struct fr_socks_open *o = slot_of(s, e->sock_id);

	/* told again: more is known now than when it began to connect */
	if (fr_seen_known_sock(s->seen, e->sock_id) && (!o->e.sock_id || o->closed))
		return;
	if (s->open_cnt == FR_SOCKS_MAX && !o->e.sock_id) {
		fr_socks_flush(s);
		o = slot_of(s, e->sock_id);
	}
	if (!o->e.sock_id)
		s->open_cnt++;
	o->e = *e;
	o->closed = false;
	memcpy(o->path, path, e->path_bytes);
}

/* The obituary has it all but the flags that were given early. */
static void close_record(struct fr_socks *s, const struct fr_sock_open *e, const uint8_t *path,
			 uint64_t time_ns)
{
	struct fr_socks_open *o = slot_of(s, e->sock_id);
	struct fr_sock_open row = *e;

	(void)fr_seen_known_sock(s->seen, e->sock_id);
	if (o->e.sock_id) {
		row.flags |= o->e.flags;
		o->closed = true; /* stays in its place: those behind it are found through it */
	}
	write_row(s, &row, path, time_ns);
}

void fr_socks_living(struct fr_socks *s, const uint8_t *record)
{
	struct fr_sock_open e;
	const uint8_t *path = read_open(record, &e);

	(void)fr_seen_known_sock(s->seen, e.sock_id);
	write_row(s, &e, path, 0);
}

void fr_socks_record(struct fr_socks *s, const uint8_t *record, uint64_t time_ns)
{
	uint32_t kind = FR_RECORD_KIND(fr_load64(record));
	struct fr_sock_open e;
	const uint8_t *path;

	if (kind != FR_EV_SOCK_OPEN && kind != FR_EV_SOCK_CLOSE)
		return;
	path = read_open(record, &e);
	if (!e.sock_id)
		return;
	if (kind == FR_EV_SOCK_OPEN)
		open_record(s, &e, path);
	else
		close_record(s, &e, path, time_ns);
}
