/* SPDX-License-Identifier: BSD-2-Clause */
#include "refs.h"

#include <stddef.h>

/* Where ids lie in each kind of record; 0 = it has none (offset 0 is the record word). */
struct places {
	uint8_t tid[FR_REF_TIDS_MAX];
	bool in_context;
	uint8_t sock_id;
};

#define AT(type, member) offsetof(struct type, member)

static const struct places places[256] = {
	[FR_EV_PROC_FORK] = { { AT(fr_proc_fork, parent_tid), AT(fr_proc_fork, child_tid) },
			      true,
			      0 },
	[FR_EV_PROC_EXEC] = { { AT(fr_proc_exec, tid) }, true, 0 },
	[FR_EV_PROC_EXIT] = { { AT(fr_proc_end, tid) }, true, 0 },
	[FR_EV_PROC_RENAME] = { { AT(fr_proc_rename, tid) }, false, 0 },
	[FR_EV_PROC_SIGNAL] = { { AT(fr_proc_signal, tid) }, true, 0 },
	[FR_EV_PROC_OOM] = { { AT(fr_proc_oom, tid) }, false, 0 },
	/* a free is the last word on a tid, a state the first: neither says that it did something
	 */
	[FR_EV_SOCK_OPEN] = { { 0 }, false, AT(fr_sock_open, sock_id) },
	[FR_EV_SOCK_CLOSE] = { { 0 }, false, AT(fr_sock_open, sock_id) },
	[FR_EV_SOCK_STATE] = { { 0 }, false, AT(fr_sock_state, sock_id) },
	[FR_EV_SOCK_SEND] = { { AT(fr_sock_io, tid) }, true, AT(fr_sock_io, sock_id) },
	[FR_EV_SOCK_RECV] = { { AT(fr_sock_io, tid) }, true, AT(fr_sock_io, sock_id) },
	[FR_EV_SOCK_ACCEPT] = { { AT(fr_sock_accept, tid) }, true, AT(fr_sock_accept, sock_id) },
	[FR_EV_TCP_RETRANSMIT] = { { 0 }, false, AT(fr_tcp_retransmit, sock_id) },
	[FR_EV_TCP_RESET] = { { 0 }, false, AT(fr_tcp_reset, sock_id) },
	[FR_EV_DNS_SOURCE] = { { 0 }, false, AT(fr_dns_source, sock_id) },
	[FR_EV_BLOCK_ISSUE] = { { AT(fr_block_issue, tid) }, true, 0 },
};

static void add_tid(struct fr_refs *refs, uint32_t tid)
{
	if (tid)
		refs->tids[refs->tid_cnt++] = tid;
}

void fr_record_refs(const struct fr_record *r, struct fr_refs *ret)
{
	const struct places *p = &places[r->kind & 0xff];
	uint64_t who;

	*ret = (struct fr_refs){ 0 };
	if (r->kind == FR_EV_SCHED_SWITCH) {
		who = fr_load64(r->data + AT(fr_sched_switch, who));
		ret->in_context = FR_SWITCH_PREV(who) != 0;
		add_tid(ret, FR_SWITCH_PREV(who));
		add_tid(ret, FR_SWITCH_NEXT(who));
		return;
	}
	if (r->kind == FR_EV_SCHED_WAKING) {
		who = fr_load64(r->data + AT(fr_sched_waking, who));
		/* an interrupt's waker is whoever happened to run */
		ret->in_context = FR_WAKING_CONTEXT(who) == FR_WAKER_TASK && FR_WAKING_WAKER(who);
		if (ret->in_context)
			add_tid(ret, FR_WAKING_WAKER(who));
		add_tid(ret, FR_WAKING_WAKEE(who));
		return;
	}
	for (int i = 0; i < FR_REF_TIDS_MAX; i++)
		if (p->tid[i])
			add_tid(ret, fr_load32(r->data + p->tid[i]));
	ret->in_context = p->in_context && ret->tid_cnt;
	if (p->sock_id)
		ret->sock_id = fr_load64(r->data + p->sock_id);
}
