/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoders of the family proc. */
#include "fields.h"

void fr_ev_fields_proc_fork(const struct fr_record *r, const struct fr_field_sink *out)
{
	struct fr_proc_fork e;

	memcpy(&e, r->data, sizeof(e));
	fr_field_u64(out, "parent_tid", e.parent_tid);
	fr_field_u64(out, "parent_tgid", e.parent_tgid);
	fr_field_u64(out, "child_tid", e.child_tid);
	fr_field_u64(out, "child_tgid", e.child_tgid);
	fr_field_u64(out, "child_start_ns", e.child_start_ns);
	fr_field_comm(out, "comm", e.comm);
}

static struct fr_slice behind(const struct fr_record *r, size_t off, size_t part_bytes)
{
	return (struct fr_slice){ .data = r->data + off, .len_bytes = part_bytes };
}

struct fr_slice fr_exec_path(const struct fr_record *r)
{
	struct fr_proc_exec e;

	memcpy(&e, r->data, sizeof(e));
	return behind(r, sizeof(e), e.path_bytes);
}

struct fr_slice fr_exec_args(const struct fr_record *r)
{
	struct fr_proc_exec e;

	memcpy(&e, r->data, sizeof(e));
	return behind(r, sizeof(e) + e.path_bytes, e.args_bytes);
}

void fr_ev_fields_proc_exec(const struct fr_record *r, const struct fr_field_sink *out)
{
	static const struct fr_flag_name flags[] = {
		{ FR_EXEC_PATH_CUT, "path_cut" },
		{ FR_EXEC_ARGS_CUT, "args_cut" },
		{ FR_EXEC_ARGS_FAULT, "args_fault" },
		{ 0, NULL },
	};
	struct fr_proc_exec e;

	memcpy(&e, r->data, sizeof(e));
	fr_field_u64(out, "tid", e.tid);
	if (e.old_tid != e.tid)
		fr_field_u64(out, "old_tid", e.old_tid);
	fr_field_u64(out, "start_ns", e.start_ns);
	fr_field_comm(out, "comm", e.comm);
	fr_field_slice(out, "path", FR_FIELD_STR, fr_exec_path(r));
	if (e.args_bytes)
		fr_field_slice(out, "args", FR_FIELD_STR, fr_exec_args(r));
	fr_field_flags(out, "flags", e.flags, flags);
}

static void end_fields(const struct fr_record *r, const struct fr_field_sink *out)
{
	static const struct fr_flag_name flags[] = {
		{ FR_END_GROUP_DEAD, "group_dead" },
		{ 0, NULL },
	};
	struct fr_proc_end e;

	memcpy(&e, r->data, sizeof(e));
	fr_field_u64(out, "tid", e.tid);
	fr_field_u64(out, "tgid", e.tgid);
	fr_field_u64(out, "start_ns", e.start_ns);
	fr_field_comm(out, "comm", e.comm);
	if (e.exit_code & 0x7f) {
		fr_field_named(out, "signal", fr_signal_lookup(e.exit_code & 0x7f),
			       e.exit_code & 0x7f);
		fr_field_u64(out, "core_dumped", e.exit_code >> 7 & 1);
	} else {
		fr_field_u64(out, "exit_value", e.exit_code >> 8 & 0xff);
	}
	fr_field_flags(out, "flags", e.flags, flags);
}

void fr_ev_fields_proc_exit(const struct fr_record *r, const struct fr_field_sink *out)
{
	end_fields(r, out);
}

void fr_ev_fields_proc_free(const struct fr_record *r, const struct fr_field_sink *out)
{
	end_fields(r, out);
}

void fr_ev_fields_proc_rename(const struct fr_record *r, const struct fr_field_sink *out)
{
	struct fr_proc_rename e;

	memcpy(&e, r->data, sizeof(e));
	fr_field_u64(out, "tid", e.tid);
	fr_field_u64(out, "tgid", e.tgid);
	fr_field_u64(out, "start_ns", e.start_ns);
	fr_field_comm(out, "old_comm", e.old_comm);
	fr_field_comm(out, "new_comm", e.new_comm);
}

void fr_ev_fields_proc_signal(const struct fr_record *r, const struct fr_field_sink *out)
{
	struct fr_proc_signal e;

	memcpy(&e, r->data, sizeof(e));
	fr_field_u64(out, "tid", e.tid);
	fr_field_u64(out, "tgid", e.tgid);
	fr_field_comm(out, "comm", e.comm);
	fr_field_named(out, "signal", fr_signal_lookup(e.sig), e.sig);
	fr_field_i64(out, "code", (int32_t)e.code);
	if (e.address)
		fr_field_hex(out, "address", e.address);
	if (e.sender_tgid)
		fr_field_u64(out, "sender_tgid", e.sender_tgid);
}

void fr_ev_fields_proc_oom(const struct fr_record *r, const struct fr_field_sink *out)
{
	struct fr_proc_oom e;

	memcpy(&e, r->data, sizeof(e));
	fr_field_u64(out, "tid", e.tid);
	fr_field_u64(out, "tgid", e.tgid);
	/* kernels before 6.8 tell the pid only */
	if (e.comm[0])
		fr_field_comm(out, "comm", e.comm);
	if (e.rss_pages)
		fr_field_u64(out, "rss_pages", e.rss_pages);
}

void fr_ev_fields_proc_state(const struct fr_record *r, const struct fr_field_sink *out)
{
	static const struct fr_flag_name flags[] = {
		{ FR_STATE_ON_CPU, "on_cpu" },
		{ FR_STATE_ENDED, "ended" },
		{ 0, NULL },
	};
	struct fr_proc_state e;

	memcpy(&e, r->data, sizeof(e));
	fr_field_u64(out, "tid", e.tid);
	fr_field_u64(out, "tgid", e.tgid);
	fr_field_u64(out, "start_ns", e.start_ns);
	fr_field_comm(out, "comm", e.comm);
	fr_field_letter(out, "state", fr_task_state_letter(e.state));
	fr_field_u64(out, "cpu", e.cpu);
	fr_field_flags(out, "flags", e.flags, flags);
}
