/* SPDX-License-Identifier: BSD-2-Clause */
#include "taskiter.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <unistd.h>

#include "selfpid.h"

int fr_task_iter_init(struct fr_task_iter *ret_iter, const struct fr_probes *p, const char *name)
{
	int link_fd = fr_probes_iter_link_fd(p, name);

	/* an iterator over one process looks for its number in our pid namespace */
	ret_iter->prog_fd = fr_pid_namespace_is_first() ? fr_probes_prog_fd(p, name) : -1;
	ret_iter->link_fd = link_fd;
	return link_fd < 0 ? link_fd : 0;
}

int fr_task_iter_open(struct fr_task_iter *iter, uint32_t tgid)
{
	union bpf_iter_link_info info = { .task.pid = tgid };
	LIBBPF_OPTS(bpf_link_create_opts, opts, .iter_info = &info, .iter_info_len = sizeof(info));
	int own_fd = -1, fd;

	if (iter->prog_fd >= 0)
		own_fd = bpf_link_create(iter->prog_fd, 0, BPF_TRACE_ITER, &opts);
	if (own_fd < 0)
		iter->prog_fd = -1; /* nor will the next one */
	fd = bpf_iter_create(own_fd >= 0 ? own_fd : iter->link_fd);
	if (fd < 0)
		fd = -errno;
	if (own_fd >= 0)
		close(own_fd);
	return fd;
}
