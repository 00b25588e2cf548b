/* SPDX-License-Identifier: BSD-2-Clause */
/* Request targets and hosts. Filler is '*': a '?' would begin a query. */
#include "mask.h"

#define KEY_BYTES_MAX 40

static const char host_bytes[] = "a-zA-Z0-9.:_[]%-";

static size_t find(const struct fr_mask *m, size_t from, size_t to, const char *any)
{
	while (from < to && !(m->in[from] && strchr(any, m->in[from])))
		from++;
	return from;
}

static void drop(struct fr_mask *m, size_t from, size_t to, enum fr_removal why)
{
	if (to > from)
		fr_mask_drop(m, from, to - from, '*', why);
}

/*
 * user:password@host[:port]. What has no '@' yet may still get one when it goes on in a later part:
 * then only what is certainly no user info is kept, which is nothing.
 */
void fr_mask_host(const struct fr_redact_rules *rules, struct fr_mask *m, bool whole)
{
	size_t begin = 0, end = m->len_bytes, port;
	struct fr_slice name;

	for (size_t i = 0; i < end; i++)
		if (m->in[i] == '@')
			begin = i + 1;
	drop(m, 0, begin, FR_REMOVED_URL);
	if (!whole) {
		drop(m, begin, end, FR_REMOVED_URL);
		return;
	}
	if (begin)
		fr_mask_keep(m, begin - 1, 1);
	fr_mask_keep_set(m, begin, end - begin, host_bytes, FR_REMOVED_URL);
	if (rules->level != FR_REDACT_STRICT || (end > begin && m->in[begin] == '['))
		return;
	port = find(m, begin, end, ":");
	name = fr_mask_slice(m, begin, port - begin);
	drop(m, begin, port - fr_registrable_bytes(name), FR_REMOVED_URL);
}

/* A key is kept when a value follows, and it looks like a name rather than like base64. */
static bool is_key(struct fr_slice key)
{
	bool has_letter = false;

	if (!key.len_bytes || key.len_bytes > KEY_BYTES_MAX)
		return false;
	for (size_t i = 0; i < key.len_bytes; i++) {
		uint8_t b = key.data[i], low = b | 0x20;

		if (low >= 'a' && low <= 'z')
			has_letter = true;
		else if (!(b >= '0' && b <= '9') && !(b && strchr("_.-[]", b)))
			return false;
	}
	return has_letter;
}

static void mask_pair(const struct fr_redact_rules *rules, struct fr_mask *m, size_t from,
		      size_t to)
{
	size_t equals = find(m, from, to, "=");
	struct fr_slice key = fr_mask_slice(m, from, equals - from);

	drop(m, from, to, FR_REMOVED_QUERY);
	/* "x=" and "x==" are how base64 ends */
	if (rules->level == FR_REDACT_STRICT || to - equals < 2 || m->in[equals + 1] == '=' ||
	    !is_key(key))
		return;
	fr_mask_keep(m, from, equals + 1 - from);
	if (!rules->keep_query || fr_is_secret_name(key))
		return;
	for (size_t i = equals + 1; i < to; i++)
		if (m->in[i] > ' ' && m->in[i] < 0x7f)
			fr_mask_keep(m, i, 1);
}

static void mask_query(const struct fr_redact_rules *rules, struct fr_mask *m, size_t from,
		       size_t to)
{
	size_t end;

	for (; from < to; from = end + 1) {
		end = find(m, from, to, "&;");
		mask_pair(rules, m, from, end);
		if (end < to)
			fr_mask_keep(m, end, 1);
	}
}

/* "/proxy/http://user:password@host/": what stands behind "//" up to an '@', or until one may come.
 */
static void mask_inner_users(struct fr_mask *m, size_t from, size_t to, bool whole)
{
	for (size_t begin = from + 2; begin <= to; begin++) {
		size_t end, user;

		if (m->in[begin - 1] != '/' || m->in[begin - 2] != '/')
			continue;
		user = end = find(m, begin, to, "/");
		while (user > begin && m->in[user - 1] != '@')
			user--;
		drop(m, begin, end == to && !whole ? end : user, FR_REMOVED_URL);
	}
}

/* A path without its parameters ("/a;jsessionid=1/b"); strict: its first segment. */
static void mask_path(const struct fr_redact_rules *rules, struct fr_mask *m, size_t from,
		      size_t to, bool whole)
{
	size_t end = to, begin;

	if (rules->level == FR_REDACT_STRICT) {
		end = find(m, from < to ? from + 1 : to, to, "/");
		if (end < to)
			end++;
	}
	drop(m, from, to, FR_REMOVED_URL);
	for (begin = from; begin < end;) {
		size_t semicolon = find(m, begin, end, ";");

		fr_mask_keep(m, begin, semicolon - begin);
		begin = find(m, semicolon, end, "/");
	}
	mask_inner_users(m, from, to, whole);
}

/* "http://user:password@host" or, for CONNECT, "host:port" in front of a path. */
static size_t mask_origin(const struct fr_redact_rules *rules, struct fr_mask *m, bool whole)
{
	size_t end = m->len_bytes, colon = find(m, 0, end, ":"), at = 0, host_end;
	struct fr_mask host;

	if (end && (m->in[0] == '/' || m->in[0] == '*'))
		return 0;
	if (end - colon >= 3 && m->in[colon + 1] == '/' && m->in[colon + 2] == '/' && colon <= 12) {
		at = colon + 3;
		fr_mask_keep_set(m, 0, colon, "a-zA-Z0-9+.-", FR_REMOVED_URL);
		fr_mask_keep(m, colon, 3);
	} else if (!whole) {
		/* a scheme, or a host with user info, that goes on: known schemes only */
		fr_mask_drop(m, 0, end, '*', FR_REMOVED_URL);
		if (end <= 8 && (!memcmp(m->in, "http://", end < 7 ? end : 7) ||
				 !memcmp(m->in, "https://", end)))
			fr_mask_keep(m, 0, end);
		return end;
	}
	host_end = find(m, at, end, "/?#");
	host = fr_mask_part(m, at, host_end - at);
	fr_mask_host(rules, &host, whole || host_end < end);
	return host_end;
}

void fr_mask_target(const struct fr_redact_rules *rules, struct fr_mask *m, bool whole)
{
	size_t end = m->len_bytes, path = mask_origin(rules, m, whole), query, fragment;

	fragment = find(m, path, end, "#");
	query = find(m, path, fragment, "?");
	mask_path(rules, m, path, query, whole || query < end);
	if (query < fragment) {
		fr_mask_keep(m, query, 1);
		mask_query(rules, m, query + 1, fragment);
	}
	drop(m, fragment, end, FR_REMOVED_URL);
}
