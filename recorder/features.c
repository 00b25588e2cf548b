/* SPDX-License-Identifier: BSD-2-Clause */
#include "features.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "formats/abi/knobs.h"
#include "formats/base/json.h"
#include "formats/base/log.h"

#define FR_KERNEL_BTF "/sys/kernel/btf/vmlinux"
#define FR_LIBBPF_ERRNO 4000 /* errors from here on are libbpf's own: not a file of that kind */

/* ---- what BTF says ----------------------------------------------------------------------- */

/* Prototype of a tracepoint: typedef btf_trace_NAME -> pointer -> function. NULL if none. */
static const struct btf_type *tracepoint_proto(const struct btf *btf, const char *name)
{
	const struct btf_type *t;
	char typedef_name[128];
	int id;

	snprintf(typedef_name, sizeof(typedef_name), "btf_trace_%s", name);
	id = btf__find_by_name_kind(btf, typedef_name, BTF_KIND_TYPEDEF);
	if (id < 0)
		return NULL;
	t = btf__type_by_id(btf, (uint32_t)id);
	t = t ? btf__type_by_id(btf, t->type) : NULL;
	if (!t || !btf_is_ptr(t))
		return NULL;
	t = btf__type_by_id(btf, t->type);
	return t && btf_is_func_proto(t) ? t : NULL;
}

/* Arguments that a program sees (the first of the prototype is the kernel's own). */
static uint32_t tracepoint_args(const struct btf *btf, const char *name)
{
	const struct btf_type *t = tracepoint_proto(btf, name);

	return t && btf_vlen(t) ? btf_vlen(t) - 1u : 0;
}

/* Is argument `arg` (from 0, as a program counts) a pointer? */
static bool tracepoint_arg_is_ptr(const struct btf *btf, const char *name, uint32_t arg)
{
	const struct btf_type *t = tracepoint_proto(btf, name);

	if (!t || btf_vlen(t) <= arg + 1)
		return false;
	t = btf__type_by_id(btf, btf_params(t)[arg + 1].type);
	return t && btf_is_ptr(t);
}

static bool has_field(const struct btf *btf, const char *type, const char *field)
{
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT);
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, (uint32_t)id);

	for (uint32_t i = 0; t && i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(btf, btf_members(t)[i].name_off), field))
			return true;
	return false;
}

static bool has_kind(const struct btf *btf, const char *name, uint32_t kind)
{
	return btf__find_by_name_kind(btf, name, kind) > 0;
}

static bool has_switch_state(const struct btf *btf)
{
	return tracepoint_args(btf, "sched_switch") >= 4;
}

static bool has_victim_task(const struct btf *btf)
{
	return tracepoint_arg_is_ptr(btf, "mark_victim", 0);
}

/* The per-CPU word has two homes, by kernel; elsewhere it hangs off the task. */
static bool has_preempt_count(const struct btf *btf)
{
	return has_kind(btf, "__preempt_count", BTF_KIND_VAR) ||
	       has_field(btf, "pcpu_hot", "preempt_count");
}

static bool has_sched_info(const struct btf *btf)
{
	return has_field(btf, "task_struct", "sched_info") &&
	       has_field(btf, "sched_info", "run_delay");
}

static bool has_rdonly_cast(const struct btf *btf)
{
	return has_kind(btf, "bpf_rdonly_cast", BTF_KIND_FUNC);
}

static bool has_preempt_off(const struct btf *btf)
{
	return has_kind(btf, "bpf_preempt_disable", BTF_KIND_FUNC) &&
	       has_kind(btf, "bpf_preempt_enable", BTF_KIND_FUNC);
}

static bool has_group_dead(const struct btf *btf)
{
	return tracepoint_args(btf, "sched_process_exit") >= 2;
}

/* One row a feature bit: how it is found, and what is the matter without it. */
static const struct {
	uint32_t bit;
	const char *name;
	bool (*has)(const struct btf *btf);
	const char *with;
	const char *without; /* what is degraded: what stands in */
} checks[] = {
	{ FR_FEAT_SWITCH_STATE, "switch_state", has_switch_state,
	  "sched_switch passes the state in which a thread leaves its CPU",
	  "sched_switch passes no task state: it is read from the task, where a waker may have "
	  "changed it already" },
	{ FR_FEAT_VICTIM_TASK, "victim_task", has_victim_task,
	  "mark_victim passes the task that is killed for memory",
	  "mark_victim passes a number only: the victim's name comes from identity" },
	{ FR_FEAT_IRQ_CONTEXT, "irq_context", has_preempt_count,
	  "wakers are told from interrupts",
	  "preempt_count cannot be found: wakers are not told from interrupts" },
	{ FR_FEAT_SCHED_INFO, "sched_info", has_sched_info,
	  "exact waits for a CPU, by task_struct.sched_info",
	  "task_struct.sched_info is missing: run-queue waits come from wakings only" },
	{ FR_FEAT_RDONLY_CAST, "rdonly_cast", has_rdonly_cast,
	  "kernel memory is read without a helper call",
	  "bpf_rdonly_cast is missing: slower reads of kernel memory stand in" },
	{ FR_FEAT_PREEMPT_OFF, "preempt_off", has_preempt_off,
	  "a writer cannot be preempted between reserve and commit",
	  "bpf_preempt_disable is missing: a preempted writer may cost 64 KiB of history" },
	{ FR_FEAT_EXIT_GROUP_DEAD, "exit_group_dead", has_group_dead,
	  "sched_process_exit tells whether a process ends",
	  "sched_process_exit passes no group_dead: it is read from the task" },
};

/* ---- the whole --------------------------------------------------------------------------- */

void fr_features_degrade(struct fr_features *f, const char *fmt, ...)
{
	va_list args;

	if (f->degraded_cnt == FR_DEGRADED_MAX) {
		f->degraded_more++;
		return;
	}
	va_start(args, fmt);
	vsnprintf(f->degraded[f->degraded_cnt++], sizeof(f->degraded[0]), fmt, args);
	va_end(args);
}

bool fr_features_has_tracepoint(const struct fr_features *f, const char *name)
{
	return tracepoint_proto(f->btf, name);
}

static struct btf *read_btf(const char *path, int *ret_err)
{
	struct btf *btf = path[0] ? btf__parse(path, NULL) : btf__load_vmlinux_btf();

	*ret_err = btf ? 0 : errno ? -errno : -EIO;
	if (btf && btf__find_by_name_kind(btf, "task_struct", BTF_KIND_STRUCT) < 0) {
		btf__free(btf);
		btf = NULL;
		*ret_err = -EBADMSG;
	}
	return btf;
}

static const char *btf_trouble(int err, const char *path)
{
	if (err == -EBADMSG)
		return "it does not describe a kernel";
	if (-err >= FR_LIBBPF_ERRNO || (err == -ENOENT && path[0] && !access(path, F_OK)))
		return "it holds no BTF, neither raw nor in an ELF file";
	return strerror(-err);
}

int fr_features_read(struct fr_features *ret_features, const char *btf_path)
{
	struct fr_features f = { 0 };
	struct utsname un;
	int err;

	f.btf = read_btf(btf_path, &err);
	if (!f.btf) {
		fr_err("cannot read the kernel's type information (BTF) from '%s': %s; it takes a "
		       "kernel built with CONFIG_DEBUG_INFO_BTF, or its BTF by --btf FILE",
		       btf_path[0] ? btf_path : FR_KERNEL_BTF, btf_trouble(err, btf_path));
		return err;
	}
	if (!uname(&un))
		snprintf(f.kernel_release, sizeof(f.kernel_release), "%s", un.release);
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (checks[i].has(f.btf))
			f.bits |= checks[i].bit;
		else
			fr_features_degrade(&f, "%s", checks[i].without);
	}
	f.sock_tracepoints = fr_features_has_tracepoint(&f, "sock_send_length") &&
			     fr_features_has_tracepoint(&f, "sock_recv_length");
	if (!f.sock_tracepoints)
		fr_features_degrade(&f,
				    "the socket tracepoints of Linux 6.3 are missing: hooks at "
				    "every system call's exit stand in: dearer, blind to io_uring");
	*ret_features = f;
	return 0;
}

void fr_features_done(struct fr_features *f)
{
	btf__free(f->btf);
	f->btf = NULL;
}

static void print_json(const struct fr_features *f, struct fr_buf *out)
{
	struct fr_json j = fr_json_on(out);

	fr_json_object(&j);
	fr_json_kv_str(&j, "kernel", f->kernel_release);
	fr_json_key(&j, "features");
	fr_json_object(&j);
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		fr_json_kv_bool(&j, checks[i].name, f->bits & checks[i].bit);
	fr_json_kv_bool(&j, "sock_tracepoints", f->sock_tracepoints);
	fr_json_object_end(&j);
	fr_json_key(&j, "degraded");
	fr_json_array(&j);
	for (uint32_t i = 0; i < f->degraded_cnt; i++)
		fr_json_str(&j, f->degraded[i]);
	fr_json_array_end(&j);
	fr_json_object_end(&j);
	fr_buf_add_char(out, '\n');
}

static void print_feature(struct fr_buf *out, bool has, const char *name, const char *with)
{
	fr_buf_printf(out, "  %-16s  %-3s  %s\n", name, has ? "yes" : "no", with);
}

void fr_features_print(const struct fr_features *f, bool json, struct fr_buf *out)
{
	if (json) {
		print_json(f, out);
		return;
	}
	fr_buf_printf(out, "kernel %s\n", f->kernel_release);
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		print_feature(out, f->bits & checks[i].bit, checks[i].name, checks[i].with);
	print_feature(out, f->sock_tracepoints, "sock_tracepoints",
		      "socket hooks of Linux 6.3: cheap, and io_uring is seen");
	for (uint32_t i = 0; i < f->degraded_cnt; i++)
		fr_buf_printf(out, "degraded: %s\n", f->degraded[i]);
	if (!f->degraded_cnt)
		fr_buf_add_str(out, "nothing is degraded\n");
}
