/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../formats/base/log.h"

int fr_tool_exit_of(int err)
{
	if (err == -EACCES || err == -EPERM)
		return FR_EXIT_NOPERM;
	return FR_EXIT_IO;
}

int fr_tool_parse_exit(int parsed)
{
	return parsed == -ECANCELED ? FR_EXIT_OK : FR_EXIT_USAGE;
}

int fr_tool_print(const struct fr_buf *b)
{
	if (fwrite(b->data, 1, b->len_bytes, stdout) == b->len_bytes && !fflush(stdout))
		return FR_EXIT_OK;
	fr_err("cannot write to standard output: %s", strerror(errno));
	return FR_EXIT_IO;
}

/* ---- opening -------------------------------------------------------------------------------- */

static int open_fd(const char *path, int *ret_fd)
{
	int fd;

	if (!strcmp(path, "-")) {
		fd = fr_dump_spool(STDIN_FILENO);
		if (fd < 0) {
			fr_err("cannot read standard input into a temporary file: %s; TMPDIR says "
			       "where it goes",
			       strerror(-fd));
			return fr_tool_exit_of(fd);
		}
	} else {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			fr_err("cannot open %s: %s", path, strerror(errno));
			return fr_tool_exit_of(-errno);
		}
	}
	*ret_fd = fd;
	return 0;
}

static int add_dump(struct fr_tool_dumps *all, const char *path)
{
	struct fr_tool_dump *bigger, one = { .fd = -1 };
	char why[240];
	int err;

	bigger = realloc(all->dumps, (all->cnt + 1) * sizeof(*bigger));
	one.name = strdup(strcmp(path, "-") ? path : "standard input");
	if (bigger)
		all->dumps = bigger;
	if (!bigger || !one.name) {
		free(one.name);
		fr_err("not enough memory to open %s", path);
		return FR_EXIT_IO;
	}
	err = open_fd(path, &one.fd);
	if (err) {
		free(one.name);
		return err;
	}
	err = fr_dump_open(one.fd, &one.dump, why, sizeof(why));
	if (err) {
		fr_err("%s: %s", one.name, why);
		close(one.fd);
		free(one.name);
		return err == -ENOMSG || err == -EPROTONOSUPPORT ? FR_EXIT_USAGE
								 : fr_tool_exit_of(err);
	}
	all->dumps[all->cnt++] = one;
	return 0;
}

static int is_dump_name(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return e->d_name[0] != '.' && len > 4 && !strcmp(e->d_name + len - 4, ".frd");
}

static int add_folder(struct fr_tool_dumps *all, const char *folder)
{
	struct dirent **names;
	int cnt = scandir(folder, &names, is_dump_name, alphasort), ret = 0;
	char *path;

	if (cnt < 0) {
		fr_err("cannot read the folder %s: %s", folder, strerror(errno));
		return fr_tool_exit_of(-errno);
	}
	if (!cnt) {
		fr_err("%s: no .frd file in this folder", folder);
		ret = FR_EXIT_USAGE;
	}
	for (int i = 0; i < cnt; i++) {
		if (!ret && asprintf(&path, "%s/%s", folder, names[i]->d_name) < 0) {
			fr_err("not enough memory to open %s", folder);
			ret = FR_EXIT_IO;
		} else if (!ret) {
			ret = add_dump(all, path);
			free(path);
		}
		free(names[i]);
	}
	free(names);
	return ret;
}

int fr_tool_open(char *const *paths, int path_cnt, struct fr_tool_dumps *ret)
{
	struct stat st;
	int err = 0;

	*ret = (struct fr_tool_dumps){ 0 };
	for (int i = 0; i < path_cnt && !err; i++) {
		if (strcmp(paths[i], "-") && !stat(paths[i], &st) && S_ISDIR(st.st_mode))
			err = add_folder(ret, paths[i]);
		else
			err = add_dump(ret, paths[i]);
	}
	return err;
}

void fr_tool_close(struct fr_tool_dumps *d)
{
	for (size_t i = 0; i < d->cnt; i++) {
		fr_dump_close(d->dumps[i].dump);
		close(d->dumps[i].fd);
		free(d->dumps[i].name);
	}
	free(d->dumps);
	*d = (struct fr_tool_dumps){ 0 };
}
