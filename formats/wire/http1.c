/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTP/1.0 and 1.1 (RFC 9112). A unit is a head with its counted body, a chunk, or a trailer line.
 * A head that is cut gives what its whole lines say; where its message ends is then unknown.
 */
#include "wire.h"

#define EXCHANGE 1 /* the only kind */
#define METHOD_BYTES_MAX 20
#define BODY_BYTES_MAX ((uint64_t)1 << 62)

enum phase { PHASE_HEAD, PHASE_CHUNK, PHASE_TRAILER };

struct state {
	uint8_t phase[2];  /* by role */
	uint8_t placed[2]; /* a head was read, and nothing lost since */
};

_Static_assert(sizeof(struct state) <= FR_WIRE_STATE_BYTES, "state does not fit");

/* What the lines of a head say about its body. */
struct head {
	struct fr_slice start_line;
	uint64_t body_bytes;
	size_t head_bytes; /* 0 = its end was not seen */
	bool has_length;
	bool bad_length;
	bool coded;   /* Transfer-Encoding given */
	bool chunked; /* and chunked comes last */
};

static bool is_digit(uint8_t b)
{
	return b >= '0' && b <= '9';
}

static bool is_blank(uint8_t b)
{
	return b == ' ' || b == '\t';
}

/* Takes the next whole line, without its end, off *rest. */
static bool next_line(struct fr_slice *rest, struct fr_slice *ret_line)
{
	const uint8_t *end = rest->len_bytes ? memchr(rest->data, '\n', rest->len_bytes) : NULL;
	size_t line_bytes;

	if (!end)
		return false;
	line_bytes = (size_t)(end - rest->data);
	*ret_line = (struct fr_slice){ .data = rest->data, .len_bytes = line_bytes };
	if (line_bytes && rest->data[line_bytes - 1] == '\r')
		ret_line->len_bytes--;
	rest->data += line_bytes + 1;
	rest->len_bytes -= line_bytes + 1;
	return true;
}

static bool is_method_byte(uint8_t b)
{
	return (b >= 'A' && b <= 'Z') || b == '-' || b == '_';
}

static const char *const methods[] = {
	"GET",	   "HEAD",  "POST",	"PUT",	     "DELETE", "PATCH", "OPTIONS", "CONNECT",
	"TRACE",   "QUERY", "PROPFIND", "PROPPATCH", "MKCOL",  "COPY",	"MOVE",	   "LOCK",
	"UNLOCK",  "PURGE", "REPORT",	"SEARCH",
};

#define METHOD_CNT (sizeof(methods) / sizeof(methods[0]))

static bool is_known_method(struct fr_slice s)
{
	for (size_t i = 0; i < METHOD_CNT; i++)
		if (fr_slice_is(s, methods[i]))
			return true;
	return false;
}

/* "OST": joined in the middle of a known one. */
static bool is_method_tail(struct fr_slice s)
{
	for (size_t i = 0; i < METHOD_CNT; i++) {
		size_t n = strlen(methods[i]);

		if (s.len_bytes < n && fr_slice_is(s, methods[i] + n - s.len_bytes))
			return !is_known_method(s);
	}
	return false;
}

/* "HTTP/1.x", or as much of it as there is */
static bool begins_version(struct fr_slice s)
{
	size_t n = s.len_bytes < 7 ? s.len_bytes : 7;

	return n && !memcmp(s.data, "HTTP/1.", n) && (s.len_bytes < 8 || is_digit(s.data[7]));
}

static bool is_target(struct fr_slice s)
{
	for (size_t i = 0; i < s.len_bytes; i++)
		if (s.data[i] <= ' ' || s.data[i] == 0x7f)
			return false;
	return s.len_bytes;
}

/* A request line, whole or cut. FR_WIRE_MORE: it may become one. */
static enum fr_wire_verdict request_line(struct fr_slice line, bool whole,
					 struct fr_slice *ret_method, struct fr_slice *ret_target)
{
	struct fr_slice method = { .data = line.data }, target, version = { 0 };
	const uint8_t *space;

	while (method.len_bytes < line.len_bytes && is_method_byte(line.data[method.len_bytes]))
		method.len_bytes++;
	if (method.len_bytes > METHOD_BYTES_MAX)
		return FR_WIRE_LOST;
	if (method.len_bytes == line.len_bytes)
		return whole ? FR_WIRE_LOST : FR_WIRE_MORE;
	if (!method.len_bytes || line.data[method.len_bytes] != ' ' || is_method_tail(method))
		return FR_WIRE_LOST;
	target.data = line.data + method.len_bytes + 1;
	target.len_bytes = line.len_bytes - method.len_bytes - 1;
	space = target.len_bytes ? memchr(target.data, ' ', target.len_bytes) : NULL;
	if (space) {
		version.data = space + 1;
		version.len_bytes = (size_t)(target.data + target.len_bytes - version.data);
		target.len_bytes = (size_t)(space - target.data);
		if (version.len_bytes && (!begins_version(version) || version.len_bytes > 9 ||
					  (version.len_bytes == 9 && version.data[8] != '\r')))
			return FR_WIRE_LOST;
	}
	if (target.len_bytes && !is_target(target))
		return FR_WIRE_LOST;
	if (whole && (version.len_bytes != 8 || !target.len_bytes))
		return FR_WIRE_LOST;
	if (!whole && (!target.len_bytes || !is_known_method(method) ||
		       (!strchr("/*h", target.data[0]) && !fr_slice_is(method, "CONNECT"))))
		return FR_WIRE_MORE;
	*ret_method = method;
	*ret_target = target;
	return FR_WIRE_UNIT;
}

/* "HTTP/1.1 200 ..." up to the byte after the number. */
static enum fr_wire_verdict status_line(struct fr_slice line, bool whole, int32_t *ret_status)
{
	int32_t status = 0;

	if (!begins_version(line) || (line.len_bytes > 8 && line.data[8] != ' '))
		return FR_WIRE_LOST;
	for (size_t i = 9; i < 12 && i < line.len_bytes; i++) {
		if (!is_digit(line.data[i]))
			return FR_WIRE_LOST;
		status = status * 10 + (line.data[i] - '0');
	}
	if (line.len_bytes < 12 || (line.len_bytes == 12 && !whole))
		return whole ? FR_WIRE_LOST : FR_WIRE_MORE;
	if (status < 100 || (line.len_bytes > 12 && line.data[12] != ' ' && line.data[12] != '\r'))
		return FR_WIRE_LOST;
	*ret_status = status;
	return FR_WIRE_UNIT;
}

static void read_length(struct head *h, struct fr_slice value)
{
	uint64_t length_bytes = 0;

	h->bad_length |= !value.len_bytes;
	for (size_t i = 0; i < value.len_bytes; i++) {
		if (!is_digit(value.data[i]) || length_bytes > BODY_BYTES_MAX / 10) {
			h->bad_length = true;
			return;
		}
		length_bytes = length_bytes * 10 + (value.data[i] - '0');
	}
	h->bad_length |= h->has_length && length_bytes != h->body_bytes;
	h->has_length = true;
	h->body_bytes = length_bytes;
}

static void read_coding(struct head *h, struct fr_slice value)
{
	struct fr_slice last = value;

	for (size_t i = 0; i < value.len_bytes; i++) {
		if (value.data[i] == ',') {
			last.data = value.data + i + 1;
			last.len_bytes = value.len_bytes - i - 1;
		}
	}
	h->coded = true;
	h->chunked = fr_slice_is_nocase(fr_slice_trimmed(last), "chunked");
}

static void read_header(struct head *h, struct fr_slice line, struct fr_wire_unit *u)
{
	const uint8_t *colon = memchr(line.data, ':', line.len_bytes);
	struct fr_slice name, value;

	if (!colon)
		return;
	name = (struct fr_slice){ .data = line.data, .len_bytes = (size_t)(colon - line.data) };
	value.data = colon + 1;
	value.len_bytes = line.len_bytes - name.len_bytes - 1;
	value = fr_slice_trimmed(value);
	if (fr_slice_is_nocase(name, "content-length")) {
		read_length(h, value);
	} else if (fr_slice_is_nocase(name, "transfer-encoding")) {
		read_coding(h, value);
	} else if (fr_slice_is_nocase(name, "host")) {
		if (!u->host.len_bytes)
			u->host = value;
	} else if (fr_slice_is_nocase(name, "traceparent")) {
		if (!u->traceparent_cnt)
			u->traceparent = value;
		u->traceparent_cnt += u->traceparent_cnt < UINT8_MAX;
	} else if (fr_slice_is_nocase(name, "tracestate")) {
		if (u->tracestate_cnt < FR_WIRE_TRACESTATES)
			u->tracestate[u->tracestate_cnt++] = value;
	}
}

/* Reads the whole header lines behind the start line; a line that is cut says nothing. */
static void read_headers(struct head *h, struct fr_slice rest, const uint8_t *from,
			 struct fr_wire_unit *u)
{
	struct fr_slice line;

	while (next_line(&rest, &line)) {
		if (!line.len_bytes) {
			h->head_bytes = (size_t)(rest.data - from);
			return;
		}
		read_header(h, line, u);
	}
}

static bool has_head_end(struct fr_slice rest)
{
	struct fr_slice line;

	while (next_line(&rest, &line))
		if (!line.len_bytes)
			return true;
	return false;
}

/* How a message with this head goes on. */
static void request_body(struct state *st, const struct head *h, struct fr_wire_unit *u)
{
	if (!h->head_bytes) {
		u->marks |= FR_MARK_CUT;
		u->unit_bytes = FR_WIRE_LENGTH_UNKNOWN;
	} else if (h->chunked) {
		u->unit_bytes = h->head_bytes;
		st->phase[FR_WIRE_REQUEST] = PHASE_CHUNK;
	} else if (h->coded || h->bad_length) {
		u->unit_bytes = FR_WIRE_LENGTH_UNKNOWN;
	} else {
		u->unit_bytes = h->head_bytes + h->body_bytes;
	}
}

static void response_body(struct state *st, const struct fr_wire_look *look, const struct head *h,
			  struct fr_wire_unit *u)
{
	bool tunnel = u->status == 101 || (fr_slice_is(look->oldest_command, "CONNECT") &&
					   u->status >= 200 && u->status < 300);
	bool bodiless = u->status < 200 || u->status == 204 || u->status == 304 ||
			fr_slice_is(look->oldest_command, "HEAD");

	if (!h->head_bytes) {
		u->unit_bytes = FR_WIRE_LENGTH_UNKNOWN;
	} else if (tunnel || bodiless) {
		u->unit_bytes = h->head_bytes;
		if (tunnel)
			u->effects |= FR_UNIT_RAW;
	} else if (!look->oldest_command.len_bytes || (h->bad_length && !h->coded)) {
		/* the request was not seen: with HEAD there is no body, whatever the head says */
		u->unit_bytes = FR_WIRE_LENGTH_UNKNOWN;
	} else if (h->chunked) {
		u->unit_bytes = h->head_bytes;
		u->ends = 0;
		st->phase[FR_WIRE_RESPONSE] = PHASE_CHUNK;
	} else if (h->coded || !h->has_length) {
		u->unit_bytes = FR_WIRE_ENDLESS;
	} else {
		u->unit_bytes = h->head_bytes + h->body_bytes;
	}
}

static enum fr_wire_verdict parse_head(const struct fr_wire_look *look, struct fr_slice bytes,
				       struct fr_wire_unit *u)
{
	bool is_request = look->role == FR_WIRE_REQUEST, whole;
	struct fr_slice rest = bytes, line = bytes;
	struct state *st = look->state;
	struct head h = { 0 };
	enum fr_wire_verdict v;

	whole = next_line(&rest, &line);
	if (whole && !line.len_bytes) {
		/* passed over between messages; elsewhere it is a head's end, joined late */
		u->unit_bytes = (uint64_t)(rest.data - bytes.data);
		return st->placed[look->role] ? FR_WIRE_UNIT : FR_WIRE_LOST;
	}
	if (!whole && bytes.len_bytes == 1 && bytes.data[0] == '\r')
		return FR_WIRE_MORE;
	v = is_request ? request_line(line, whole, &u->command, &u->text) :
			 status_line(line, whole, &u->status);
	if (v == FR_WIRE_LOST)
		return v;
	if (!look->last && (!whole || !has_head_end(rest)))
		return FR_WIRE_MORE;
	if (v != FR_WIRE_UNIT)
		return FR_WIRE_LOST;
	st->placed[look->role] = 1;
	if (whole)
		read_headers(&h, rest, bytes.data, u);
	if (is_request) {
		u->effects = FR_UNIT_BEGIN;
		u->kind = EXCHANGE;
		/* a whole line ends with "HTTP/1.x" */
		if (whole)
			u->version = (uint8_t)(10 + line.data[line.len_bytes - 1] - '0');
		request_body(st, &h, u);
		return FR_WIRE_UNIT;
	}
	if (u->status >= 200 || u->status == 101) {
		u->effects = FR_UNIT_REPLY | FR_UNIT_HEAD | FR_UNIT_ORPHAN;
		u->kind = u->answers = u->ends = EXCHANGE;
	}
	response_body(st, look, &h, u);
	return FR_WIRE_UNIT;
}

static int hex_of(uint8_t b)
{
	if (is_digit(b))
		return b - '0';
	b |= 0x20;
	return b >= 'a' && b <= 'f' ? b - 'a' + 10 : -1;
}

/* A chunk: size line, data, line end. The last one, of size 0, is its line only. */
static enum fr_wire_verdict parse_chunk(const struct fr_wire_look *look, struct fr_slice bytes,
					struct fr_wire_unit *u)
{
	struct state *st = look->state;
	struct fr_slice rest = bytes, line = bytes;
	bool whole = next_line(&rest, &line);
	uint64_t chunk_bytes = 0;
	size_t i = 0;

	for (; i < line.len_bytes && hex_of(line.data[i]) >= 0; i++) {
		if (chunk_bytes >= BODY_BYTES_MAX / 16)
			return FR_WIRE_LOST;
		chunk_bytes = chunk_bytes * 16 + (uint64_t)hex_of(line.data[i]);
	}
	if (!i || (i < line.len_bytes && line.data[i] != ';' && line.data[i] != '\r' &&
		   !is_blank(line.data[i])))
		return line.len_bytes ? FR_WIRE_LOST : FR_WIRE_MORE;
	if (!whole)
		return FR_WIRE_MORE;
	u->effects = FR_UNIT_BODY;
	u->unit_bytes = (uint64_t)(rest.data - bytes.data);
	if (chunk_bytes)
		u->unit_bytes += chunk_bytes + 2;
	else
		st->phase[look->role] = PHASE_TRAILER;
	return FR_WIRE_UNIT;
}

static enum fr_wire_verdict parse_trailer(const struct fr_wire_look *look, struct fr_slice bytes,
					  struct fr_wire_unit *u)
{
	struct state *st = look->state;
	struct fr_slice rest = bytes, line;

	if (!next_line(&rest, &line))
		return FR_WIRE_MORE;
	u->effects = FR_UNIT_BODY;
	u->unit_bytes = (uint64_t)(rest.data - bytes.data);
	if (!line.len_bytes) {
		st->phase[look->role] = PHASE_HEAD;
		u->ends = EXCHANGE;
	}
	return FR_WIRE_UNIT;
}

static enum fr_wire_verdict parse(const struct fr_wire_look *look, struct fr_slice bytes,
				  struct fr_wire_unit *ret_unit)
{
	const struct state *st = look->state;

	switch ((enum phase)st->phase[look->role]) {
	case PHASE_CHUNK:
		return parse_chunk(look, bytes, ret_unit);
	case PHASE_TRAILER:
		return parse_trailer(look, bytes, ret_unit);
	case PHASE_HEAD:
		break;
	}
	return parse_head(look, bytes, ret_unit);
}

static int detect(struct fr_slice request, struct fr_slice response)
{
	struct fr_slice rest = request, line = request, method, target;
	bool whole = next_line(&rest, &line);
	int32_t status;

	if (request.len_bytes) {
		enum fr_wire_verdict v = request_line(line, whole, &method, &target);

		if (v == FR_WIRE_UNIT)
			return 2;
		if (v == FR_WIRE_LOST && !response.len_bytes)
			return 0;
	}
	rest = line = response;
	whole = next_line(&rest, &line);
	if (!response.len_bytes)
		return 1;
	switch (status_line(line, whole, &status)) {
	case FR_WIRE_UNIT:
		return 2;
	case FR_WIRE_MORE:
		return 1;
	case FR_WIRE_LOST:
		break;
	}
	return 0;
}

static void rejoin(void *state, enum fr_wire_role role)
{
	struct state *st = state;

	st->phase[role] = PHASE_HEAD;
	st->placed[role] = 0;
}

const struct fr_wire_protocol fr_wire_http1 = {
	.id = FR_WIRE_HTTP1,
	.name = "http",
	.any_border = true,
	.detect = detect,
	.parse = parse,
	.rejoin = rejoin,
};
