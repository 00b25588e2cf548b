/* SPDX-License-Identifier: BSD-2-Clause */
#include "sockcount.h"

#include <bpf/bpf.h>
#include <errno.h>

#include "formats/abi/sock.h"
#include "start.h"

static void sockcount_add(void *ctx, const void *bytes, size_t cnt)
{
	(void)bytes;
	*(uint64_t *)ctx += cnt;
}

int fr_sockcount_refresh(const struct fr_recorder *rec, uint64_t *ret_live)
{
	int fd = fr_probes_map_fd(rec->probes, "fr_sock_live"), err;
	uint64_t live, row_bytes = 0;
	uint32_t zero = 0;

	if (fd < 0)
		return fd;
	if (bpf_map_lookup_elem(fd, &zero, &live))
		return -errno;
	if ((int64_t)live >= 0 && live > rec->config.max_sockets / 2) {
		err = fr_recorder_iterate(rec, "fr_iter_socks", sockcount_add, &row_bytes);
		if (err)
			return err;
		/* births meanwhile are lost from the count: the next time mends that */
		live = row_bytes / sizeof(struct fr_sock_open);
		if (bpf_map_update_elem(fd, &zero, &live, BPF_ANY))
			return -errno;
	}
	if (ret_live)
		*ret_live = live;
	return 0;
}
