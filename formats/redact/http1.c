/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTP/1.x: the start line, and of the header lines a few; all others become '?' up to their line
 * end. Bodies go, chunk sizes stay, so that the next message is found.
 */
#include "mask.h"

#define OPEN_MAX 16
#define BODY_BYTES_MAX ((uint64_t)1 << 62)
#define METHOD_BYTES_MAX 20

enum phase { PHASE_HEAD, PHASE_CHUNK, PHASE_TRAILER };
/* how the reply to a request goes on behind its head */
enum ask { ASK_USUAL, ASK_HEAD, ASK_CONNECT, ASK_UPGRADE };

struct memory {
	uint8_t phase[2];  /* by role */
	uint8_t placed[2]; /* a head was read, and nothing lost since */
	uint8_t open_cnt;  /* requests that wait for a reply; 0: also, not known */
	uint8_t asks[OPEN_MAX];
	uint8_t continued; /* 100: what the client sends next is a body */
	uint8_t deaf;	   /* and its length is not known */
	uint8_t unsure;	   /* the reply to an upgrade was not seen: this may be HTTP no more */
};
_Static_assert(sizeof(struct memory) <= FR_REDACT_MEMORY_BYTES, "memory does not fit");

struct head {
	uint64_t body_bytes;
	size_t head_bytes; /* 0 = its end is not there */
	bool has_length, bad_length, coded, chunked;
	enum ask ask;
	int status;
};

/* ---- lines ---------------------------------------------------------------------------------- */

/* A line without its end, of which the first half may be all that is there. */
struct line {
	size_t begin, end, next;
	bool whole;
};

static struct line line_at(const struct fr_mask *m, size_t at)
{
	const uint8_t *nl = at < m->len_bytes ? memchr(m->in + at, '\n', m->len_bytes - at) : NULL;
	struct line l = { .begin = at, .end = m->len_bytes, .next = m->len_bytes, .whole = nl };

	if (nl) {
		l.end = (size_t)(nl - m->in);
		l.next = l.end + 1;
	}
	if (l.end > at && m->in[l.end - 1] == '\r')
		l.end--;
	return l;
}

static void keep_end(struct fr_mask *m, const struct line *l)
{
	fr_mask_keep(m, l->end, l->next - l->end);
}

/* ---- header lines --------------------------------------------------------------------------- */

enum value {
	VALUE_PLAIN, /* bytes of a set */
	VALUE_HOST,
	VALUE_TYPE,
};

static const struct kept {
	const char *name;
	enum value value;
	const char *allowed;
} kept_headers[] = {
	{ "host", VALUE_HOST, NULL },
	{ "traceparent", VALUE_PLAIN, "0-9a-f-" },
	{ "tracestate", VALUE_PLAIN, " -~" },
	{ "content-type", VALUE_TYPE, "a-zA-Z0-9/+.*_-" },
	{ "content-length", VALUE_PLAIN, "0-9 ," },
	{ "transfer-encoding", VALUE_PLAIN, "a-zA-Z0-9 ,-" },
	{ "connection", VALUE_PLAIN, "a-zA-Z0-9 ,-" },
	{ "upgrade", VALUE_PLAIN, "a-zA-Z0-9 ,/.-" },
};

static struct fr_slice trimmed(const struct fr_mask *m, size_t from, size_t to)
{
	while (from < to && (m->in[from] == ' ' || m->in[from] == '\t'))
		from++;
	while (to > from && (m->in[to - 1] == ' ' || m->in[to - 1] == '\t'))
		to--;
	return fr_mask_slice(m, from, to - from);
}

static void read_length(struct head *h, struct fr_slice value)
{
	uint64_t n = 0;

	h->bad_length |= !value.len_bytes;
	for (size_t i = 0; i < value.len_bytes; i++) {
		if (value.data[i] < '0' || value.data[i] > '9' || n > BODY_BYTES_MAX / 10) {
			h->bad_length = true;
			return;
		}
		n = n * 10 + (value.data[i] - '0');
	}
	h->bad_length |= h->has_length && n != h->body_bytes;
	h->has_length = true;
	h->body_bytes = n;
}

static void read_coding(struct head *h, struct fr_slice value)
{
	size_t begin = value.len_bytes;

	while (begin && value.data[begin - 1] != ',' && value.data[begin - 1] != ' ' &&
	       value.data[begin - 1] != '\t')
		begin--;
	value.data += begin;
	value.len_bytes -= begin;
	h->coded = true;
	h->chunked = fr_slice_is_nocase(value, "chunked");
}

/* "text/plain; charset=utf-8": of the parameters only that one. */
static void mask_type(struct fr_mask *m, size_t from, size_t to, const char *allowed)
{
	const uint8_t *semicolon = from < to ? memchr(m->in + from, ';', to - from) : NULL;
	size_t end = semicolon ? (size_t)(semicolon - m->in) : to, at = end;

	fr_mask_keep_set(m, from, end - from, allowed, FR_REMOVED_HEADERS);
	while (at < to && (m->in[at] == ';' || m->in[at] == ' '))
		at++;
	if (to - at > 8 && to - at <= 8 + 16 &&
	    fr_slice_is_nocase(fr_mask_slice(m, at, 8), "charset=") &&
	    !memchr(m->in + at, ';', to - at)) {
		fr_mask_keep(m, end, at + 8 - end);
		fr_mask_keep_set(m, at + 8, to - at - 8, "a-zA-Z0-9_-", FR_REMOVED_HEADERS);
	}
}

static void mask_value(const struct fr_redact_rules *rules, struct fr_mask *m, const struct kept *k,
		       const struct line *l, size_t from)
{
	struct fr_mask part;

	while (from < l->end && (m->in[from] == ' ' || m->in[from] == '\t'))
		fr_mask_keep(m, from++, 1);
	switch (k->value) {
	case VALUE_PLAIN:
		fr_mask_keep_set(m, from, l->end - from, k->allowed, FR_REMOVED_HEADERS);
		break;
	case VALUE_HOST:
		part = fr_mask_part(m, from, l->end - from);
		fr_mask_host(rules, &part, l->whole);
		break;
	case VALUE_TYPE:
		mask_type(m, from, l->end, k->allowed);
		break;
	}
}

/* A name of which only the beginning is there: that of a known one tells nothing. */
static bool may_become_kept(struct fr_slice name)
{
	for (size_t i = 0; i < sizeof(kept_headers) / sizeof(kept_headers[0]); i++) {
		char start[32] = "";

		if (name.len_bytes > strlen(kept_headers[i].name))
			continue;
		memcpy(start, kept_headers[i].name, name.len_bytes);
		if (fr_slice_is_nocase(name, start))
			return true;
	}
	return false;
}

static void mask_header(const struct fr_redact_rules *rules, struct fr_mask *m,
			const struct line *l, struct head *h)
{
	const uint8_t *colon = l->end > l->begin ? memchr(m->in + l->begin, ':', l->end - l->begin)
						 : NULL;
	struct fr_slice name, value;
	size_t from;

	fr_mask_drop(m, l->begin, l->end - l->begin, '?', FR_REMOVED_HEADERS);
	if (!colon) {
		name = fr_mask_slice(m, l->begin, l->end - l->begin);
		if (!l->whole && may_become_kept(name))
			fr_mask_keep(m, l->begin, name.len_bytes);
		return;
	}
	from = (size_t)(colon - m->in) + 1;
	name = fr_mask_slice(m, l->begin, from - 1 - l->begin);
	for (size_t i = 0; i < sizeof(kept_headers) / sizeof(kept_headers[0]); i++) {
		if (!fr_slice_is_nocase(name, kept_headers[i].name))
			continue;
		fr_mask_keep(m, l->begin, from - l->begin);
		mask_value(rules, m, &kept_headers[i], l, from);
	}
	value = trimmed(m, from, l->end);
	if (l->whole && fr_slice_is_nocase(name, "content-length"))
		read_length(h, value);
	else if (l->whole && fr_slice_is_nocase(name, "transfer-encoding"))
		read_coding(h, value);
	else if (fr_slice_is_nocase(name, "upgrade") && h->ask == ASK_USUAL)
		h->ask = ASK_UPGRADE;
}

/* ---- start lines ---------------------------------------------------------------------------- */

/* What servers are seen to say behind the number; anything else is the program's own. */
static const char *const reasons[] = {
	"Continue",
	"Switching Protocols",
	"Processing",
	"Early Hints",
	"OK",
	"Created",
	"Accepted",
	"Non-Authoritative Information",
	"No Content",
	"Reset Content",
	"Partial Content",
	"Multi-Status",
	"Multiple Choices",
	"Moved Permanently",
	"Found",
	"See Other",
	"Moved Temporarily",
	"Not Modified",
	"Use Proxy",
	"Temporary Redirect",
	"Permanent Redirect",
	"Bad Request",
	"Unauthorized",
	"Payment Required",
	"Forbidden",
	"Not Found",
	"Method Not Allowed",
	"Not Acceptable",
	"Proxy Authentication Required",
	"Request Timeout",
	"Request Time-out",
	"Conflict",
	"Gone",
	"Length Required",
	"Precondition Failed",
	"Request Entity Too Large",
	"Content Too Large",
	"Payload Too Large",
	"Request-URI Too Long",
	"URI Too Long",
	"Unsupported Media Type",
	"Requested Range Not Satisfiable",
	"Range Not Satisfiable",
	"Expectation Failed",
	"I'm a teapot",
	"Misdirected Request",
	"Unprocessable Entity",
	"Unprocessable Content",
	"Locked",
	"Failed Dependency",
	"Too Early",
	"Upgrade Required",
	"Precondition Required",
	"Too Many Requests",
	"Request Header Fields Too Large",
	"Unavailable For Legal Reasons",
	"Internal Server Error",
	"INTERNAL SERVER ERROR",
	"Not Implemented",
	"Bad Gateway",
	"Service Unavailable",
	"Service Temporarily Unavailable",
	"Gateway Timeout",
	"Gateway Time-out",
	"HTTP Version Not Supported",
	"Insufficient Storage",
	"Connection established",
	"Connection Established",
};

static const char *const methods[] = {
	"GET",	   "HEAD",  "POST",   "PUT",	  "DELETE",    "PATCH",	 "OPTIONS",
	"CONNECT", "TRACE", "QUERY",  "PROPFIND", "PROPPATCH", "MKCOL",	 "COPY",
	"MOVE",	   "LOCK",  "UNLOCK", "PURGE",	  "REPORT",    "SEARCH",
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool is_one_of(struct fr_slice s, const char *const *words, size_t word_cnt)
{
	for (size_t i = 0; i < word_cnt; i++)
		if (fr_slice_is(s, words[i]))
			return true;
	return false;
}

/* The beginning of a known method and the blank behind it, and of nothing else. */
static bool begins_method(struct fr_slice s)
{
	for (size_t i = 0; i < COUNT(methods); i++) {
		size_t n = strlen(methods[i]);

		if (s.len_bytes <= n ? !memcmp(s.data, methods[i], s.len_bytes)
				     : !memcmp(s.data, methods[i], n) && s.data[n] == ' ')
			return true;
	}
	return false;
}

/* As much of "HTTP/1.x" as there is. */
static bool begins_version(struct fr_slice s)
{
	size_t n = s.len_bytes < 7 ? s.len_bytes : 7;

	return !memcmp(s.data, "HTTP/1.", n) &&
	       (s.len_bytes < 8 || (s.data[7] >= '0' && s.data[7] <= '9'));
}

static bool is_target(struct fr_slice s)
{
	for (size_t i = 0; i < s.len_bytes; i++)
		if (s.data[i] <= ' ' || s.data[i] == 0x7f)
			return false;
	return true;
}

/* METHOD target HTTP/1.x. A method that nobody knows needs the whole line. */
static enum fr_wire_verdict mask_request_line(const struct fr_redact_rules *rules,
					      struct fr_mask *m, const struct line *l,
					      struct head *h)
{
	size_t method = l->begin, target, version;
	struct fr_slice name, rest;
	const uint8_t *space;
	struct fr_mask part;

	while (method < l->end && ((m->in[method] >= 'A' && m->in[method] <= 'Z') ||
				   m->in[method] == '-' || m->in[method] == '_'))
		method++;
	name = fr_mask_slice(m, l->begin, method - l->begin);
	rest = fr_mask_slice(m, l->begin, l->end - l->begin);
	if (!name.len_bytes || name.len_bytes > METHOD_BYTES_MAX ||
	    (method < l->end && m->in[method] != ' '))
		return FR_WIRE_LOST;
	if (!begins_method(rest) && !l->whole)
		return name.len_bytes == rest.len_bytes ? FR_WIRE_MORE : FR_WIRE_LOST;
	target = method + 1;
	if (method == l->end || target >= l->end) { /* only the method is there */
		if (l->whole)
			return FR_WIRE_LOST;
		fr_mask_keep(m, l->begin, l->end - l->begin);
		return FR_WIRE_MORE;
	}
	space = memchr(m->in + target, ' ', l->end - target);
	version = space ? (size_t)(space - m->in) + 1 : l->end;
	part = fr_mask_part(m, target, (space ? version - 1 : l->end) - target);
	if (!part.len_bytes || !is_target((struct fr_slice){ part.in, part.len_bytes }))
		return FR_WIRE_LOST;
	rest = fr_mask_slice(m, version, l->end - version);
	if (!begins_version(rest) || rest.len_bytes > 8 || (l->whole && rest.len_bytes < 8))
		return FR_WIRE_LOST;
	fr_mask_keep(m, l->begin, target - l->begin);
	fr_mask_target(rules, &part, space);
	if (space)
		fr_mask_keep(m, version - 1, l->end - version + 1);
	h->ask = fr_slice_is(name, "HEAD")	? ASK_HEAD
		 : fr_slice_is(name, "CONNECT") ? ASK_CONNECT
						: ASK_USUAL;
	return l->whole ? FR_WIRE_UNIT : FR_WIRE_MORE;
}

/* HTTP/1.x NNN reason */
static enum fr_wire_verdict mask_status_line(struct fr_mask *m, const struct line *l,
					     struct head *h)
{
	struct fr_slice s = fr_mask_slice(m, l->begin, l->end - l->begin), reason;

	if (!begins_version(s) || (s.len_bytes > 8 && s.data[8] != ' '))
		return FR_WIRE_LOST;
	for (size_t i = 9; i < 12 && i < s.len_bytes; i++) {
		if (s.data[i] < '0' || s.data[i] > '9')
			return FR_WIRE_LOST;
		h->status = h->status * 10 + (s.data[i] - '0');
	}
	if ((s.len_bytes > 12 && s.data[12] != ' ' && s.data[12] != '\r') ||
	    (s.len_bytes >= 12 && h->status < 100) || (l->whole && s.len_bytes < 12))
		return FR_WIRE_LOST;
	fr_mask_keep(m, l->begin, s.len_bytes < 13 ? s.len_bytes : 13);
	if (s.len_bytes <= 13)
		return l->whole ? FR_WIRE_UNIT : FR_WIRE_MORE;
	reason = fr_mask_slice(m, l->begin + 13, s.len_bytes - 13);
	if (l->whole && is_one_of(reason, reasons, COUNT(reasons)))
		fr_mask_keep(m, l->begin + 13, reason.len_bytes);
	else
		fr_mask_drop(m, l->begin + 13, reason.len_bytes, '?', FR_REMOVED_HEADERS);
	return l->whole ? FR_WIRE_UNIT : FR_WIRE_MORE;
}

/* ---- messages ------------------------------------------------------------------------------- */

static void request_head(struct memory *mem, const struct head *h, struct fr_redact_unit *u)
{
	if (mem->open_cnt < OPEN_MAX)
		mem->asks[mem->open_cnt++] = (uint8_t)h->ask;
	else
		mem->open_cnt = 0; /* too many to count: none is known */
	u->unit_bytes = h->head_bytes;
	if (h->chunked)
		mem->phase[FR_WIRE_REQUEST] = PHASE_CHUNK;
	else if (h->coded || h->bad_length)
		u->unit_bytes = FR_WIRE_LENGTH_UNKNOWN;
	else
		u->unit_bytes += h->body_bytes;
}

static void response_head(struct memory *mem, const struct head *h, struct fr_redact_unit *u)
{
	bool is_known = mem->open_cnt, is_final = h->status >= 200 || h->status == 101;
	enum ask ask = is_known ? (enum ask)mem->asks[0] : ASK_USUAL;

	u->unit_bytes = h->head_bytes;
	mem->continued = !is_final;
	if (is_final && is_known)
		memmove(mem->asks, mem->asks + 1, --mem->open_cnt);
	if (h->status == 101 || (ask == ASK_CONNECT && h->status / 100 == 2)) {
		u->raw = true;
		return;
	}
	if (!is_final || h->status == 204 || h->status == 304 || ask == ASK_HEAD)
		return;
	if (!is_known || (h->bad_length && !h->coded))
		u->unit_bytes = FR_WIRE_LENGTH_UNKNOWN;
	else if (h->chunked)
		mem->phase[FR_WIRE_RESPONSE] = PHASE_CHUNK;
	else if (h->coded || !h->has_length)
		u->unit_bytes = FR_WIRE_ENDLESS;
	else
		u->unit_bytes += h->body_bytes;
}

static enum fr_wire_verdict mask_head(const struct fr_redact_look *look, struct fr_mask *m,
				      struct fr_redact_unit *u)
{
	struct memory *mem = look->memory;
	struct line l = line_at(m, 0);
	struct head h = { 0 };
	enum fr_wire_verdict v;

	if (mem->unsure || (mem->deaf && look->role == FR_WIRE_REQUEST))
		return FR_WIRE_LOST;
	keep_end(m, &l);
	if (l.begin == l.end) { /* passed over between messages */
		u->unit_bytes = l.next;
		if (!mem->placed[look->role])
			return FR_WIRE_LOST;
		return l.whole ? FR_WIRE_UNIT : FR_WIRE_MORE;
	}
	v = look->role == FR_WIRE_REQUEST ? mask_request_line(look->rules, m, &l, &h)
					  : mask_status_line(m, &l, &h);
	if (v != FR_WIRE_UNIT)
		return v;
	while (l.whole && !h.head_bytes) {
		l = line_at(m, l.next);
		keep_end(m, &l);
		if (l.whole && l.begin == l.end)
			h.head_bytes = l.next;
		else
			mask_header(look->rules, m, &l, &h);
	}
	u->rest = FR_REMOVED_BODY;
	if (!h.head_bytes)
		return FR_WIRE_MORE;
	mem->placed[look->role] = 1;
	if (look->role == FR_WIRE_REQUEST)
		request_head(mem, &h, u);
	else
		response_head(mem, &h, u);
	fr_mask_drop(m, h.head_bytes, m->len_bytes - h.head_bytes, '?', FR_REMOVED_BODY);
	return FR_WIRE_UNIT;
}

/* A chunk's size line stays without its extensions; the data of it goes. */
static enum fr_wire_verdict mask_chunk(const struct fr_redact_look *look, struct fr_mask *m,
				       struct fr_redact_unit *u)
{
	struct memory *mem = look->memory;
	struct line l = line_at(m, 0);
	uint64_t chunk_bytes = 0;
	size_t i = 0;

	for (; i < l.end; i++) {
		uint8_t b = m->in[i], low = b | 0x20;
		uint8_t digit = (uint8_t)(b >= '0' && b <= '9' ? b - '0' : low - 'a' + 10);

		if (digit > 15 || (digit > 9 && (low < 'a' || low > 'f')))
			break;
		if (chunk_bytes >= BODY_BYTES_MAX / 16)
			return FR_WIRE_LOST;
		chunk_bytes = chunk_bytes * 16 + digit;
	}
	if (!i || i > 16 || (i < l.end && !(m->in[i] && strchr("; \t\r", m->in[i]))))
		return FR_WIRE_LOST;
	fr_mask_drop(m, 0, m->len_bytes, '?', FR_REMOVED_BODY);
	fr_mask_keep(m, 0, i + (i < l.end));
	keep_end(m, &l);
	u->rest = FR_REMOVED_BODY;
	if (!l.whole)
		return FR_WIRE_MORE;
	u->unit_bytes = l.next;
	if (chunk_bytes)
		u->unit_bytes += chunk_bytes + 2;
	else
		mem->phase[look->role] = PHASE_TRAILER;
	return FR_WIRE_UNIT;
}

static enum fr_wire_verdict mask_trailer(const struct fr_redact_look *look, struct fr_mask *m,
					 struct fr_redact_unit *u)
{
	struct memory *mem = look->memory;
	struct line l = line_at(m, 0);

	fr_mask_drop(m, 0, l.end, '?', FR_REMOVED_HEADERS);
	keep_end(m, &l);
	if (!l.whole)
		return FR_WIRE_MORE;
	u->unit_bytes = l.next;
	if (l.end == 0)
		mem->phase[look->role] = PHASE_HEAD;
	return FR_WIRE_UNIT;
}

static enum fr_wire_verdict mask(const struct fr_redact_look *look, struct fr_mask *m,
				 struct fr_redact_unit *ret_unit)
{
	const struct memory *mem = look->memory;

	switch ((enum phase)mem->phase[look->role]) {
	case PHASE_CHUNK:
		return mask_chunk(look, m, ret_unit);
	case PHASE_TRAILER:
		return mask_trailer(look, m, ret_unit);
	case PHASE_HEAD:
		break;
	}
	return mask_head(look, m, ret_unit);
}

static void other_lost(void *memory, enum fr_wire_role role)
{
	struct memory *mem = memory;

	if (role == FR_WIRE_RESPONSE)
		return;
	for (unsigned i = 0; i < mem->open_cnt; i++)
		mem->unsure |= mem->asks[i] == ASK_CONNECT || mem->asks[i] == ASK_UPGRADE;
	mem->open_cnt = 0;
}

static void rejoin(void *memory, enum fr_wire_role role)
{
	struct memory *mem = memory;

	for (unsigned i = 0; i < mem->open_cnt; i++)
		mem->unsure |= mem->asks[i] == ASK_CONNECT || mem->asks[i] == ASK_UPGRADE;
	if (role == FR_WIRE_REQUEST)
		mem->deaf = mem->continued;
	mem->phase[role] = PHASE_HEAD;
	mem->placed[role] = 0;
}

const struct fr_redact_protocol fr_redact_http1 = {
	.wire = &fr_wire_http1,
	.any_border = true,
	.mask = mask,
	.rejoin = rejoin,
	.other_lost = other_lost,
};
