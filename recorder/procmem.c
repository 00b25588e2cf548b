/* SPDX-License-Identifier: BSD-2-Clause */
#include "procmem.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "taskiter.h"

/* Somebody else's question may have come between ours and the answer. */
#define FR_PROCMEM_TRIES 3

static int ask(const struct fr_procmem *p, uint64_t addr, uint32_t bytes)
{
	struct fr_ask question = { .tgid = p->tgid, .bytes = bytes, .address = addr };
	int fd = fr_probes_map_fd(p->rec->probes, "fr_ask");
	uint32_t zero = 0;

	if (fd < 0)
		return fd;
	return bpf_map_update_elem(fd, &zero, &question, BPF_ANY) ? -errno : 0;
}

static int open_iter(const struct fr_procmem *p)
{
	struct fr_task_iter iter;
	int err = fr_task_iter_init(&iter, p->rec->probes, "fr_iter_memory");

	return err ? err : fr_task_iter_open(&iter, p->tgid);
}

/* The row, whole, or fewer bytes if the iterator gave none. */
static int read_row(struct fr_procmem *p)
{
	uint8_t *to = (uint8_t *)&p->row;
	int fd = open_iter(p), err = 0;
	size_t have = 0;
	ssize_t n = 1;

	if (fd < 0)
		return fd;
	while (n && have < sizeof(p->row) && !err) {
		n = read(fd, to + have, sizeof(p->row) - have);
		if (n > 0)
			have += (size_t)n;
		else if (n < 0 && errno != EINTR && errno != EAGAIN)
			err = -errno;
	}
	close(fd);
	if (!err && have < sizeof(p->row.head))
		err = -ESRCH;
	if (!err && have < sizeof(p->row.head) + p->row.head.bytes)
		err = -EIO;
	return err;
}

static bool same_binary(const struct fr_procmem *p)
{
	return p->row.head.exe.inode == p->binary.inode &&
	       p->row.head.exe.ctime_ns == p->binary.ctime_ns &&
	       p->row.head.exe.dev == p->binary.dev;
}

static int read_window(struct fr_procmem *p, uint64_t addr, uint32_t bytes)
{
	int err;

	for (int i = 0; i < FR_PROCMEM_TRIES; i++) {
		err = ask(p, addr, bytes);
		if (!err)
			err = read_row(p);
		if (err && err != -ESRCH)
			return err;
		if (err || p->row.head.tgid != p->tgid || p->row.head.address != addr)
			continue; /* the answer to another question */
		return same_binary(p) ? 0 : -ESRCH;
	}
	return err ? err : -EBUSY;
}

static int read_memory(void *ctx, uint64_t addr, void *buf, uint32_t len_bytes)
{
	struct fr_procmem *p = ctx;
	uint8_t *to = buf;
	uint32_t bytes;
	int err;

	while (len_bytes) {
		bytes = len_bytes < FR_MEMORY_MAX ? len_bytes : FR_MEMORY_MAX;
		err = read_window(p, addr, bytes);
		if (!err && p->row.head.error) {
			err = p->row.head.error;
			/* nothing is mapped there, or nothing at all is any more? */
			if (read_window(p, 0, 8) == -ESRCH)
				err = -ESRCH;
			return err;
		}
		if (!err && p->row.head.bytes != bytes)
			err = -EIO;
		if (err)
			return err;
		memcpy(to, p->row.bytes, bytes);
		to += bytes;
		addr += bytes;
		len_bytes -= bytes;
	}
	return 0;
}

int fr_procmem_open(struct fr_procmem *p, const struct fr_recorder *rec, uint32_t tgid,
		    const struct fr_binary_key *binary, struct fr_exe_mem *ret_mem)
{
	int err;

	*p = (struct fr_procmem){ .rec = rec, .tgid = tgid, .binary = *binary };
	/* nothing lies at address 0: the row comes with an error and says where the code is */
	err = read_window(p, 0, 8);
	if (err)
		return err;
	p->start_code = p->row.head.start_code;
	*ret_mem = (struct fr_exe_mem){ .read = read_memory, .ctx = p };
	return 0;
}

int fr_procmem_binary(const struct fr_recorder *rec, uint32_t tgid,
		      struct fr_binary_key *ret_binary)
{
	struct fr_procmem p = { .rec = rec, .tgid = tgid };
	int err = read_window(&p, 0, 8);

	/* that it is not binary 0, which nobody has, is no error here */
	if (p.row.head.tgid != tgid || !p.row.head.exe.inode)
		return err ? err : -ESRCH;
	*ret_binary = (struct fr_binary_key){ .inode = p.row.head.exe.inode,
					      .ctime_ns = p.row.head.exe.ctime_ns,
					      .dev = p.row.head.exe.dev };
	return 0;
}
