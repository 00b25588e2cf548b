/* SPDX-License-Identifier: BSD-2-Clause */
#include "dump_quota.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define CHECK_BYTES (1u << 20)

/* ---- names -------------------------------------------------------------------------------- */

void fr_dump_name(char *buf, size_t buf_bytes, uint64_t unix_ns, const char *trigger,
		  uint64_t number)
{
	time_t s = (time_t)(unix_ns / 1000000000u);
	struct tm tm = { 0 };

	gmtime_r(&s, &tm);
	snprintf(buf, buf_bytes, "flightrec-%04u%02u%02uT%02u%02u%02u.%03uZ-%s-%llu.frd",
		 (unsigned int)(tm.tm_year + 1900) % 10000, (unsigned int)tm.tm_mon + 1,
		 (unsigned int)tm.tm_mday, (unsigned int)tm.tm_hour, (unsigned int)tm.tm_min,
		 (unsigned int)tm.tm_sec, (unsigned int)(unix_ns / 1000000u % 1000u), trigger,
		 (unsigned long long)number);
}

/* 9 is any digit, anything else itself. Moves on behind it. */
static bool matches(const char **at, const char *pattern)
{
	for (; *pattern; pattern++, (*at)++)
		if (*pattern == '9' ? !isdigit((unsigned char)**at) : **at != *pattern)
			return false;
	return true;
}

bool fr_dump_name_ours(const char *file_name, bool *ret_temp, const char **ret_order)
{
	bool temp = file_name[0] == '.';
	const char *at = file_name + temp, *order = at, *trigger;

	if (!matches(&at, "flightrec-99999999T999999.999Z-"))
		return false;
	trigger = at;
	while (islower((unsigned char)*at) || isdigit((unsigned char)*at) || *at == '-')
		at++;
	/* the last part of it is the number */
	if (at - trigger < 3 || !isdigit((unsigned char)at[-1]) || !matches(&at, ".frd"))
		return false;
	if (temp && !matches(&at, ".tmp"))
		return false;
	if (*at)
		return false;
	*ret_temp = temp;
	*ret_order = order;
	return true;
}

/* ---- what there is ------------------------------------------------------------------------ */

struct inventory {
	uint64_t bytes;
	uint32_t files;
	uint64_t oldest_bytes;
	char oldest[FR_DUMP_NAME_BYTES]; /* "" = there is none */
};

static void note_file(struct inventory *inv, int dir_fd, const char *name)
{
	const char *order, *oldest_order;
	bool temp;
	struct stat st;

	if (strlen(name) >= sizeof(inv->oldest) || !fr_dump_name_ours(name, &temp, &order) ||
	    fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
		return;
	inv->bytes += (uint64_t)st.st_size;
	inv->files++;
	if (inv->oldest[0] && fr_dump_name_ours(inv->oldest, &temp, &oldest_order) &&
	    strcmp(order, oldest_order) >= 0)
		return;
	snprintf(inv->oldest, sizeof(inv->oldest), "%s", name);
	inv->oldest_bytes = (uint64_t)st.st_size;
}

static int take_inventory(const struct fr_quota *q, struct inventory *ret)
{
	int fd = openat(q->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *e;
	DIR *dir;

	*ret = (struct inventory){ 0 };
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		int err = -errno;

		if (fd >= 0)
			close(fd);
		return err;
	}
	while ((e = readdir(dir)))
		if (strcmp(e->d_name, q->writing))
			note_file(ret, q->dir_fd, e->d_name);
	closedir(dir);
	return 0;
}

/* How many bytes short of what must stay free. */
static int missing_free(const struct fr_quota *q, uint64_t *ret_bytes)
{
	uint64_t free_bytes, keep_bytes;
	struct statvfs fs;

	if (fstatvfs(q->dir_fd, &fs))
		return -errno;
	free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	keep_bytes = (uint64_t)fs.f_blocks * fs.f_frsize / 100 * q->min_free_pct;
	*ret_bytes = keep_bytes > free_bytes ? keep_bytes - free_bytes : 0;
	return 0;
}

/* ---- making room -------------------------------------------------------------------------- */

static int remove_oldest(struct fr_quota *q, const struct inventory *inv)
{
	if (unlinkat(q->dir_fd, inv->oldest, 0)) /* somebody else may have done it just now */
		return errno == ENOENT ? 0 : -errno;
	q->removed_cnt++;
	q->removed_bytes += inv->oldest_bytes;
	memcpy(q->removed_last, inv->oldest, sizeof(q->removed_last));
	return 0;
}

/* With what will be written until the next look. */
static bool fits(const struct fr_quota *q, const struct inventory *inv, uint64_t total_bytes)
{
	uint64_t ahead_bytes = total_bytes + CHECK_BYTES;

	if (q->max_files && inv->files >= q->max_files)
		return false;
	if (ahead_bytes > q->limit_bytes)
		ahead_bytes = q->limit_bytes;
	return !q->limit_bytes || inv->bytes + ahead_bytes <= q->limit_bytes;
}

int fr_quota_admit(struct fr_quota *q, uint64_t total_bytes)
{
	uint64_t short_bytes = 0;
	struct inventory inv;
	int err;

	if (q->limit_bytes && total_bytes > q->limit_bytes)
		return -EDQUOT;
	if (total_bytes && total_bytes < q->checked_bytes)
		return 0;
	for (;;) {
		err = take_inventory(q, &inv);
		if (!err)
			err = missing_free(q, &short_bytes);
		if (err)
			return err;
		if (short_bytes > inv.bytes)
			return -ENOSPC; /* others fill this disk: removing all of ours is no help */
		if (!short_bytes && fits(q, &inv, total_bytes))
			break;
		if (!inv.files)
			return -EDQUOT;
		err = remove_oldest(q, &inv);
		if (err)
			return err;
	}
	q->checked_bytes = total_bytes + CHECK_BYTES;
	return 0;
}
