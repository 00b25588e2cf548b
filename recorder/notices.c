/* SPDX-License-Identifier: BSD-2-Clause */
#include "notices.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "sockets.h"

static void take_trigger(struct fr_notices *n, const void *data, size_t data_bytes)
{
	struct fr_notice_trigger cause;

	if (data_bytes < sizeof(cause))
		return;
	memcpy(&cause, data, sizeof(cause));
	n->on_trigger(n->ctx, &cause);
}

static int on_notice(void *ctx, void *data, size_t data_bytes)
{
	struct fr_notices *n = ctx;
	struct fr_notice notice;

	if (data_bytes < sizeof(notice))
		return 0;
	memcpy(&notice, data, sizeof(notice));
	switch (notice.kind) {
	case FR_NOTICE_BINARY:
		fr_binaries_ask(n->binaries, &notice);
		return 0;
	case FR_NOTICE_SOCKETS:
		(void)fr_sockets_recount(n->binaries->rec);
		return 0;
	case FR_NOTICE_TRIGGER:
		take_trigger(n, data, data_bytes);
		return 0;
	}
	return 0;
}

static void on_readable(void *ctx, uint32_t events)
{
	struct fr_notices *n = ctx;

	(void)events;
	ring_buffer__consume(n->ring);
}

int fr_notices_open(struct fr_notices *n, const struct fr_recorder *rec, struct fr_loop *loop)
{
	int map_fd = fr_probes_map_fd(rec->probes, "fr_notices"), err;

	n->loop = loop;
	n->ring = NULL;
	if (map_fd < 0)
		return 0;
	n->ring = ring_buffer__new(map_fd, on_notice, n, NULL);
	if (!n->ring)
		return -errno;
	err = fr_loop_add(loop, ring_buffer__epoll_fd(n->ring), EPOLLIN, on_readable, n);
	if (!err)
		on_readable(n, EPOLLIN);
	return err;
}

void fr_notices_close(struct fr_notices *n)
{
	if (!n->ring)
		return;
	fr_loop_remove(n->loop, ring_buffer__epoll_fd(n->ring));
	ring_buffer__free(n->ring);
	n->ring = NULL;
}
