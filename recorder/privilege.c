/* SPDX-License-Identifier: BSD-2-Clause */
#include "privilege.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "formats/base/log.h"

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif

int fr_privilege_check(bool tell)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	uint64_t have;

	if (syscall(SYS_capget, &head, data))
		return 0; /* not to be known: loading will tell */
	have = (uint64_t)data[1].effective << 32 | data[0].effective;
	if (have & 1ull << CAP_SYS_ADMIN || (have & 1ull << CAP_BPF && have & 1ull << CAP_PERFMON))
		return 0;
	if (tell)
		fr_err("user %u may not load BPF programs (CAP_BPF and CAP_PERFMON are missing): "
		       "run flightrecd as root, or start it as a service",
		       (unsigned int)geteuid());
	return -EPERM;
}
