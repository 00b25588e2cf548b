/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the running system call says of a transfer: descriptor, buffers, flags. The registers at
 * entry are still in pt_regs when a socket's hook (or the call's exit) runs.
 */
#ifndef FR_BPF_CALL_H
#define FR_BPF_CALL_H

#include "probe.bpf.h"

#if defined(__TARGET_ARCH_x86)
#define FR_NR(regs) ((__u32)(regs)->orig_ax)
#define FR_ARG0(regs) ((regs)->di)
#define FR_ARG1(regs) ((regs)->si)
#define FR_ARG2(regs) ((regs)->dx)
#define FR_ARG3(regs) ((regs)->r10)
#define FR_ARG4(regs) ((regs)->r8)
#define FR_ARG5(regs) ((regs)->r9)
enum {
	FR_NR_READ = 0,
	FR_NR_WRITE = 1,
	FR_NR_READV = 19,
	FR_NR_WRITEV = 20,
	FR_NR_SENDFILE = 40,
	FR_NR_ACCEPT = 43,
	FR_NR_SENDTO = 44,
	FR_NR_RECVFROM = 45,
	FR_NR_SENDMSG = 46,
	FR_NR_RECVMSG = 47,
	FR_NR_SPLICE = 275,
	FR_NR_ACCEPT4 = 288,
	FR_NR_RECVMMSG = 299,
	FR_NR_SENDMMSG = 307,
	FR_NR_PREADV2 = 327,
	FR_NR_PWRITEV2 = 328,
	FR_NR_IO_URING_ENTER = 426,
};
#define FR_TS_COMPAT 0x2u
#define fr_is_compat(t) ((t)->thread_info.status & FR_TS_COMPAT)
#else
#define FR_NR(regs) ((__u32)(regs)->syscallno)
#define FR_ARG0(regs) ((regs)->orig_x0)
#define FR_ARG1(regs) ((regs)->regs[1])
#define FR_ARG2(regs) ((regs)->regs[2])
#define FR_ARG3(regs) ((regs)->regs[3])
#define FR_ARG4(regs) ((regs)->regs[4])
#define FR_ARG5(regs) ((regs)->regs[5])
enum {
	FR_NR_READ = 63,
	FR_NR_WRITE = 64,
	FR_NR_READV = 65,
	FR_NR_WRITEV = 66,
	FR_NR_SENDFILE = 71,
	FR_NR_SPLICE = 76,
	FR_NR_ACCEPT = 202,
	FR_NR_SENDTO = 206,
	FR_NR_RECVFROM = 207,
	FR_NR_SENDMSG = 211,
	FR_NR_RECVMSG = 212,
	FR_NR_ACCEPT4 = 242,
	FR_NR_RECVMMSG = 243,
	FR_NR_SENDMMSG = 269,
	FR_NR_PREADV2 = 286,
	FR_NR_PWRITEV2 = 287,
	FR_NR_IO_URING_ENTER = 426,
};
#define fr_is_compat(t) ((t)->thread_info.flags & (1ul << 22)) /* TIF_32BIT */
#endif

#define FR_MSG_PEEK 0x2u
#define FR_MSG_TRUNC 0x20u
#define FR_MSG_ERRQUEUE 0x2000u /* what comes is no data of the other end */
#define FR_NR_NONE 0xffffu

/* Kernel threads and I/O workers have no call of their own. */
#define FR_PF_NO_CALL (0x00200000u | 0x00000010u | 0x00004000u)

enum { FR_CALL_NONE, FR_CALL_BUFFER, FR_CALL_IOVEC, FR_CALL_MSGHDR, FR_CALL_SIZE_ONLY };

struct fr_call {
	__u64 buffer; /* user address: bytes, iovec array or msghdr, by kind */
	__u64 length; /* bytes, or iovecs */
	__u64 name;   /* user address of a sockaddr, 0 = none */
	__s32 fd;
	__u32 nr;
	__u32 kind;
	__u32 msg_flags;
};

/* Transfers of either direction; FR_CALL_NONE for every other system call. */
FR_INLINE void fr_call_describe(struct fr_call *c, const struct pt_regs *regs)
{
	c->nr = FR_NR(regs);
	c->fd = FR_ARG0(regs);
	c->buffer = FR_ARG1(regs);
	c->length = FR_ARG2(regs);
	c->name = 0;
	c->msg_flags = 0;
	switch (c->nr) {
	case FR_NR_READ:
	case FR_NR_WRITE:
		c->kind = FR_CALL_BUFFER;
		return;
	case FR_NR_SENDTO:
	case FR_NR_RECVFROM:
		c->kind = FR_CALL_BUFFER;
		c->msg_flags = FR_ARG3(regs);
		c->name = FR_ARG4(regs);
		return;
	case FR_NR_READV:
	case FR_NR_WRITEV:
	case FR_NR_PREADV2:
	case FR_NR_PWRITEV2:
		c->kind = FR_CALL_IOVEC;
		return;
	case FR_NR_SENDMSG:
	case FR_NR_RECVMSG:
		c->kind = FR_CALL_MSGHDR;
		c->msg_flags = FR_ARG2(regs);
		return;
	case FR_NR_SENDMMSG:
	case FR_NR_RECVMMSG:
		c->kind = FR_CALL_SIZE_ONLY;
		c->msg_flags = FR_ARG3(regs);
		return;
	case FR_NR_SPLICE:
		c->fd = FR_ARG2(regs);
		c->kind = FR_CALL_SIZE_ONLY;
		return;
	case FR_NR_SENDFILE:
		c->kind = FR_CALL_SIZE_ONLY;
		return;
	}
	c->kind = FR_CALL_NONE;
	c->fd = -1;
}

struct fr_iovec {
	__u64 base;
	__u64 bytes;
};

struct fr_msghdr {
	__u64 name;
	__u32 name_bytes;
	__u32 pad;
	__u64 iov;
	__u64 iov_cnt;
};

/* Turns a msghdr into its iovec array. False when user memory cannot be read. */
FR_INLINE bool fr_call_open_msghdr(struct fr_call *c)
{
	struct fr_msghdr m;

	if (fr_likely(c->kind != FR_CALL_MSGHDR))
		return true;
	if (bpf_probe_read_user(&m, sizeof(m), (void *)c->buffer))
		return false;
	c->kind = FR_CALL_IOVEC;
	c->buffer = m.iov;
	c->length = m.iov_cnt;
	c->name = m.name_bytes ? m.name : 0;
	return true;
}

/* The file behind a descriptor of the running task, as a number. */
FR_INLINE __u64 fr_call_file(const struct task_struct *t, __s32 fd)
{
	const struct files_struct *files = fr_untrusted(t, struct task_struct)->files;
	struct hlist_head *entry; /* for its one pointer */
	__u64 file = 0;

	if (fd < 0 || !files || (__u32)fd >= files->fdt->max_fds)
		return 0; /* the table may be replaced meanwhile: then a wrong file, not believed */
	entry = (void *)files->fdt->fd + (__u64)(__u32)fd * sizeof(void *);
	if (fr_feature(FR_FEAT_RDONLY_CAST))
		return (__u64)fr_view(entry, struct hlist_head)->first;
	bpf_probe_read_kernel(&file, sizeof(file), entry);
	return file;
}

#endif
