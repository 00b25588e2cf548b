/* SPDX-License-Identifier: BSD-2-Clause */
#include "sockets.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "formats/abi/event.h"
#include "formats/base/bytes.h"
#include "formats/base/log.h"
#include "start.h"

/* Rows of the iterator: whole records, cut anywhere by the reads. */
struct row_counter {
	uint64_t rows;
	uint8_t word[8]; /* the first bytes of the next row */
	uint32_t word_bytes;
	uint32_t skip_bytes; /* of the present one */
};

static void count_rows(void *ctx, const void *bytes, size_t cnt)
{
	struct row_counter *c = ctx;
	const uint8_t *at = bytes, *end = at + cnt;
	size_t n;

	while (at < end) {
		n = c->skip_bytes ? c->skip_bytes : sizeof(c->word) - c->word_bytes;
		n = n < (size_t)(end - at) ? n : (size_t)(end - at);
		if (c->skip_bytes) {
			c->skip_bytes -= (uint32_t)n;
		} else {
			memcpy(c->word + c->word_bytes, at, n);
			c->word_bytes += (uint32_t)n;
		}
		at += n;
		if (c->word_bytes < sizeof(c->word))
			continue;
		c->rows++;
		c->word_bytes = 0;
		n = FR_RECORD_UNITS(fr_load64(c->word));
		c->skip_bytes = n ? (uint32_t)(n - 1) * 8 : 0;
	}
}

static bool is_near(const struct fr_recorder *rec, int64_t live)
{
	return live > (int64_t)rec->config.max_sockets / 4 * 3;
}

bool fr_sockets_recount(const struct fr_recorder *rec)
{
	int fd = fr_probes_map_fd(rec->probes, "fr_sock_live"), err;
	int64_t before = 0, after = 0, counted;
	struct row_counter rows = { 0 };
	uint32_t zero = 0;

	/* the table of the fallback hooks makes room by itself */
	if (fd < 0 || fr_probes_iter_link_fd(rec->probes, "fr_iter_socks") < 0)
		return false;
	if (bpf_map_lookup_elem(fd, &zero, &before) || !is_near(rec, before))
		return false;
	err = fr_recorder_iterate(rec, "fr_iter_socks", count_rows, &rows);
	if (err || bpf_map_lookup_elem(fd, &zero, &after)) {
		fr_warn("cannot count the sockets anew: %s, ignoring",
			strerror(err ? -err : errno));
		return true;
	}
	/* what was born and died meanwhile; a few more at the same instant may be missed, and are
	 * made good by the next count */
	counted = (int64_t)rows.rows + after - before;
	counted = counted > 0 ? counted : 0;
	if (bpf_map_update_elem(fd, &zero, &counted, BPF_ANY))
		fr_warn("cannot store the number of sockets: %s, ignoring", strerror(errno));
	fr_debug("sockets with state: %lld, said to be %lld", (long long)counted,
		 (long long)before);
	return is_near(rec, counted) || counted < after / 2;
}
