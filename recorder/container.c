/* SPDX-License-Identifier: BSD-2-Clause */
#include "container.h"

#include <errno.h>
#include <string.h>

#include "procfile.h"

#define ID_BYTES 64
#define TEXT_BYTES 8192

/* "hierarchy:controllers:path": the path of one line; empty when it is no such line. */
static struct fr_slice path_of_line(const char *line, size_t line_bytes)
{
	const char *first = memchr(line, ':', line_bytes), *second;

	if (!first)
		return (struct fr_slice){ 0 };
	first++;
	second = memchr(first, ':', line_bytes - (size_t)(first - line));
	if (!second || second[1] != '/')
		return (struct fr_slice){ 0 };
	second++;
	return (struct fr_slice){ (const uint8_t *)second, line_bytes - (size_t)(second - line) };
}

struct fr_slice fr_container_cgroup(const char *text, size_t text_bytes)
{
	struct fr_slice unified = { 0 }, longest = { 0 }, path;
	const char *at = text, *end = text + text_bytes, *eol;

	for (; at < end; at = eol + 1) {
		eol = memchr(at, '\n', (size_t)(end - at));
		if (!eol)
			break; /* a line without its end was cut */
		path = path_of_line(at, (size_t)(eol - at));
		if (eol - at > 3 && !memcmp(at, "0::", 3))
			unified = path;
		if (path.len_bytes > longest.len_bytes)
			longest = path;
	}
	return unified.len_bytes > 1 ? unified : longest;
}

static int is_id(const uint8_t *s)
{
	for (int i = 0; i < ID_BYTES; i++)
		if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f')))
			return 0;
	return 1;
}

static int starts_with(struct fr_slice s, const char *prefix)
{
	return s.len_bytes >= strlen(prefix) && !memcmp(s.data, prefix, strlen(prefix));
}

/* The id in one component of the path: "ID", "PREFIX-ID", both with or without ".scope". */
static struct fr_slice id_of_component(struct fr_slice c)
{
	static const char *const prefixes[] = { "docker-", "cri-containerd-", "crio-",
						"libpod-", "containerd-",     "podman-" };

	if (c.len_bytes > 6 && !memcmp(c.data + c.len_bytes - 6, ".scope", 6))
		c.len_bytes -= 6;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (starts_with(c, prefixes[i])) {
			c.data += strlen(prefixes[i]);
			c.len_bytes -= strlen(prefixes[i]);
			break;
		}
	}
	if (c.len_bytes == ID_BYTES && is_id(c.data))
		return c;
	return (struct fr_slice){ 0 };
}

struct fr_slice fr_container_id(struct fr_slice path)
{
	struct fr_slice found = { 0 }, id;
	size_t from = 0, to;

	while (from < path.len_bytes) {
		for (to = from; to < path.len_bytes && path.data[to] != '/'; to++)
			;
		id = id_of_component((struct fr_slice){ path.data + from, to - from });
		if (id.len_bytes)
			found = id;
		from = to + 1;
	}
	return found;
}

int fr_container_read(int proc_fd, uint32_t pid, char *buf, size_t buf_bytes)
{
	char text[TEXT_BYTES + 1];
	struct fr_slice path;
	ssize_t n = fr_procfile_read(proc_fd, pid, "cgroup", text, sizeof(text));

	if (n < 0)
		return n == -ESRCH ? -ENOENT : (int)n;
	path = fr_container_cgroup(text, (size_t)n);
	if (path.len_bytes >= buf_bytes)
		return -ENAMETOOLONG;
	if (path.len_bytes)
		memcpy(buf, path.data, path.len_bytes);
	buf[path.len_bytes] = 0;
	return 0;
}
