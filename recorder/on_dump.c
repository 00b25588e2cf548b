/* SPDX-License-Identifier: BSD-2-Clause */
#include "on_dump.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "value.h"

/* ---- words ------------------------------------------------------------------------------- */

struct splitter {
	const char *from;
	char *to;
};

/* One word, up to a blank outside of quotes. False: a quote or a backslash without an end. */
static bool take_word(struct splitter *s)
{
	char quote = 0;

	for (; *s->from && (quote || (*s->from != ' ' && *s->from != '\t')); s->from++) {
		char c = *s->from;

		if (c == quote) {
			quote = 0;
			continue;
		}
		if (!quote && (c == '\'' || c == '"')) {
			quote = c;
			continue;
		}
		if (c == '\\' && quote != '\'') {
			c = *++s->from;
			if (!c)
				return false;
		}
		*s->to++ = c;
	}
	*s->to++ = 0;
	return !quote;
}

int fr_words_split(const char *command, struct fr_words *ret, char *err, size_t err_bytes)
{
	struct splitter s = { command, ret->text };

	ret->cnt = 0;
	/* a word never takes more bytes than it was written with, its blank included */
	if (strlen(command) >= sizeof(ret->text))
		return fr_value_refuse(err, err_bytes, "longer than %zu bytes: put it into a file",
				       sizeof(ret->text) - 1);
	for (;;) {
		s.from += strspn(s.from, " \t");
		if (!*s.from)
			break;
		if (ret->cnt == FR_COMMAND_WORDS_MAX)
			return fr_value_refuse(err, err_bytes,
					       "more than %d words: put it into a file",
					       FR_COMMAND_WORDS_MAX);
		ret->argv[ret->cnt++] = s.to;
		if (!take_word(&s))
			return fr_value_refuse(err, err_bytes,
					       "a quote or a backslash has no other end");
	}
	ret->argv[ret->cnt] = NULL;
	if (!ret->cnt || !ret->argv[0][0])
		return fr_value_refuse(err, err_bytes, "no command; off = none");
	return 0;
}

/* ---- programs ---------------------------------------------------------------------------- */

/* 0, -ENOENT, -EACCES (not executable), -EPERM (anybody may change it), or what stat() says. */
static int look_at(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
		return -EACCES;
	return st.st_mode & S_IWOTH ? -EPERM : 0;
}

static int refuse_program(const char *path, int found, char *err, size_t err_bytes)
{
	return fr_value_refuse(err, err_bytes, "cannot run %s: %s", path,
			       found == -EPERM	  ? "anybody may change that file; chmod o-w"
			       : found == -EACCES ? "it is not an executable file"
						  : strerror(-found));
}

int fr_program_find(const char *name, char *path, char *err, size_t err_bytes)
{
	const char *folder = FR_ON_DUMP_PATH;
	int found;

	if (strchr(name, '/')) {
		if (name[0] != '/' || snprintf(path, PATH_MAX, "%s", name) >= PATH_MAX)
			return fr_value_refuse(err, err_bytes,
					       "%.200s: write the whole path, from /", name);
		found = look_at(path);
		return found ? refuse_program(path, found, err, err_bytes) : 0;
	}
	while (*folder) {
		size_t len = strcspn(folder, ":");

		found = snprintf(path, PATH_MAX, "%.*s/%s", (int)len, folder, name) < PATH_MAX
				? look_at(path)
				: -ENAMETOOLONG;
		if (!found)
			return 0;
		if (found != -ENOENT && found != -ENOTDIR)
			return refuse_program(path, found, err, err_bytes);
		folder += len + (folder[len] == ':');
	}
	return fr_value_refuse(err, err_bytes, "there is no program '%.100s' in %s", name,
			       FR_ON_DUMP_PATH);
}

/* Run without having been named: so its owner is root, or whoever owns the daemon's own binary. */
static bool is_trusted(const char *path)
{
	struct stat st, own;

	if (stat(path, &st) || stat("/proc/self/exe", &own))
		return false;
	return (!st.st_uid || st.st_uid == own.st_uid) && !(st.st_mode & S_IWOTH);
}

int fr_program_tool(char *path, char *err, size_t err_bytes)
{
	static const char *const places[] = { "flightrec", "../bin/flightrec" };
	char folder[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", folder, sizeof(folder) - 1);
	char *slash;

	folder[n > 0 ? n : 0] = 0;
	slash = strrchr(folder, '/');
	if (slash)
		slash[1] = 0;
	for (size_t i = 0; slash && i < sizeof(places) / sizeof(*places); i++)
		if (snprintf(path, PATH_MAX, "%s%s", folder, places[i]) < PATH_MAX &&
		    !look_at(path) && is_trusted(path))
			return 0;
	if (!fr_program_find("flightrec", path, err, err_bytes) && is_trusted(path))
		return 0;
	return fr_value_refuse(err, err_bytes,
			       "there is no program flightrec of a trusted owner beside flightrecd "
			       "(in %.200s), nor in %s: install it",
			       folder, FR_ON_DUMP_PATH);
}

/* ---- settings ---------------------------------------------------------------------------- */

static bool is_off(const char *value)
{
	return !value[0] || !strcmp(value, "off");
}

int fr_on_dump_set_command(void *config, const char *value, char *err, size_t err_bytes)
{
	struct fr_config *c = config;
	struct fr_words words;
	char path[PATH_MAX];
	int bad;

	if (is_off(value)) {
		c->on_dump[0] = 0;
		return 0;
	}
	bad = fr_words_split(value, &words, err, err_bytes);
	if (!bad)
		bad = fr_program_find(words.argv[0], path, err, err_bytes);
	if (!bad)
		memcpy(c->on_dump, value, strlen(value) + 1);
	return bad;
}

void fr_on_dump_get_command(const struct fr_config *config, struct fr_buf *out)
{
	fr_buf_add_str(out, config->on_dump[0] ? config->on_dump : "off");
}

int fr_on_dump_set_endpoint(void *config, const char *value, char *err, size_t err_bytes)
{
	struct fr_config *c = config;
	char path[PATH_MAX];
	int bad;

	if (is_off(value)) {
		c->on_dump_endpoint[0] = 0;
		return 0;
	}
	for (const char *at = value; *at; at++)
		if (*at <= ' ' || *at > '~')
			return fr_value_refuse(err, err_bytes,
					       "holds a blank or a byte that a URL has not");
	if (strncmp(value, "http://", 7) && strncmp(value, "https://", 8))
		return fr_value_refuse(err, err_bytes, "'%.100s' is not like http://HOST:4318",
				       value);
	if (strlen(value) >= sizeof(c->on_dump_endpoint))
		return fr_value_refuse(err, err_bytes, "longer than %zu bytes",
				       sizeof(c->on_dump_endpoint) - 1);
	bad = fr_program_tool(path, err, err_bytes);
	if (!bad)
		memcpy(c->on_dump_endpoint, value, strlen(value) + 1);
	return bad;
}

void fr_on_dump_get_endpoint(const struct fr_config *config, struct fr_buf *out)
{
	fr_buf_add_str(out, config->on_dump_endpoint[0] ? config->on_dump_endpoint : "off");
}

int fr_on_dump_set_timeout(void *config, const char *value, char *err, size_t err_bytes)
{
	struct fr_config *c = config;

	return fr_value_duration(value, 1000000000ull, 3600000000000ull, &c->on_dump_timeout_ns,
				 err, err_bytes);
}

void fr_on_dump_get_timeout(const struct fr_config *config, struct fr_buf *out)
{
	fr_value_put_duration(out, config->on_dump_timeout_ns);
}
