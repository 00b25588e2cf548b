/* SPDX-License-Identifier: BSD-2-Clause */
#include "patience.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/base/now.h"
#include "procfile.h"

/* ---- looking ------------------------------------------------------------------------------ */

/* "PID (COMM) STATE PPID ..."; 0 if that is no child of ours: /proc may be of another namespace. */
static char child_state(const char *stat)
{
	const char *at = strrchr(stat, ')');
	char state;

	if (!at || at[1] != ' ' || !at[2] || at[3] != ' ')
		return 0;
	state = at[2];
	return strtol(at + 4, NULL, 10) == getpid() ? state : 0;
}

void fr_patience_take(pid_t child, struct fr_patience_look *ret_look)
{
	char schedstat[128], stat[512], *rest;
	struct fr_patience_look look = { .from_ns = fr_now_ns() };
	int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* the stints first: if it is asleep afterwards, and they are the same at the next look, it
	 * slept all the time in between */
	(void)fr_procfile_read(proc_fd, (uint32_t)child, "schedstat", schedstat, sizeof(schedstat));
	if (fr_procfile_read(proc_fd, (uint32_t)child, "stat", stat, sizeof(stat)) > 0)
		look.state = child_state(stat);
	if (proc_fd >= 0)
		close(proc_fd);
	if (look.state) {
		look.ran_ns = strtoull(schedstat, &rest, 10);
		(void)strtoull(rest, &rest, 10); /* its waits so far, without a running one */
		look.stints = strtoull(rest, &rest, 10);
	}
	look.to_ns = fr_now_ns();
	*ret_look = look;
}

/* ---- judging ------------------------------------------------------------------------------ */

static bool is_asleep(const struct fr_patience_look *look)
{
	return look->state != 'R';
}

bool fr_patience_ends(struct fr_patience *p, const struct fr_patience_look *now)
{
	if (!p->looked)
		p->first = *now;
	else if (is_asleep(&p->last) && is_asleep(now) && p->last.stints == now->stints)
		p->slept_ns += now->from_ns - p->last.to_ns;
	p->last = *now;
	p->looked = true;
	return p->slept_ns >= FR_PATIENCE_ASLEEP_NS ||
	       now->ran_ns >= p->first.ran_ns + FR_PATIENCE_RAN_NS;
}
