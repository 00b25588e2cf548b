/* SPDX-License-Identifier: GPL-2.0-only */
/* Which executable is it: the key under which the daemon knows it (formats/abi/notice.h). */
#ifndef FR_BPF_EXE_H
#define FR_BPF_EXE_H

#include "probe.bpf.h"

/* Since 6.13 the highest bit of i_ctime_nsec says that somebody has looked at it. */
#define FR_CTIME_NSEC 0x3fffffffu

/* The name and shape of the field changed in 6.6 and 6.11. */
FR_INLINE __u64 fr_inode_ctime(const struct inode *inode)
{
	const struct inode___ctime66 *v66 = (const void *)inode;
	const struct inode___ctime *old = (const void *)inode;

	if (bpf_core_field_exists(inode->i_ctime_sec))
		return inode->i_ctime_sec * 1000000000ull + (inode->i_ctime_nsec & FR_CTIME_NSEC);
	if (bpf_core_field_exists(v66->__i_ctime))
		return v66->__i_ctime.tv_sec * 1000000000ull + v66->__i_ctime.tv_nsec;
	return old->i_ctime.tv_sec * 1000000000ull + old->i_ctime.tv_nsec;
}

FR_INLINE void fr_binary_key_of(struct fr_binary_key *key, const struct inode *inode)
{
	key->inode = inode->i_ino;
	key->ctime_ns = fr_inode_ctime(inode);
	key->dev = inode->i_sb->s_dev;
	key->reserved_zero = 0;
}

#endif
