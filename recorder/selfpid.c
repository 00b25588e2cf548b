/* SPDX-License-Identifier: BSD-2-Clause */
#include "selfpid.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bpf_embed.h"
#include "formats/abi/collect.h"

#define FR_FIRST_PID_NS 0xeffffffcu /* PROC_PID_INIT_INO: fixed by the kernel's interface */

bool fr_pid_namespace_is_first(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) || st.st_ino == FR_FIRST_PID_NS;
}

static int ask_kernel(struct bpf_object *object, uint32_t *ret_tgid)
{
	struct fr_self_ctx ctx = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));
	struct bpf_program *prog = bpf_object__find_program_by_name(object, "fr_self");

	if (!prog)
		return -ENOENT;
	if (bpf_object__load(object) || bpf_prog_test_run_opts(bpf_program__fd(prog), &opts))
		return -errno;
	*ret_tgid = (uint32_t)ctx.tgid;
	return 0;
}

int fr_self_tgid(uint32_t *ret_tgid)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "fr_self");
	const struct fr_bpf_embed *e = fr_bpf_embeds;
	struct bpf_object *object;
	int err;

	if (fr_pid_namespace_is_first()) { /* the usual case, and nothing to load */
		*ret_tgid = (uint32_t)getpid();
		return 0;
	}
	while (e->name && strcmp(e->name, "bpf/aux/self"))
		e++;
	if (!e->name)
		return -ENOENT;
	object = bpf_object__open_mem(e->start, (size_t)(e->end - e->start), &opts);
	if (!object)
		return -errno;
	err = ask_kernel(object, ret_tgid);
	bpf_object__close(object);
	return err;
}
