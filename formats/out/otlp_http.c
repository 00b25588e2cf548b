/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP (semantic conventions 1.44, http-spans). */
#include "../base/digits.h"
#include "otlp_internal.h"

/* A request target, taken apart. */
struct target {
	struct fr_slice scheme;	   /* of the absolute form, else empty */
	struct fr_slice user;	   /* "name:password" of it */
	struct fr_slice authority; /* without the user */
	struct fr_slice path, query;
	bool has_query;
};

static struct fr_slice upto(struct fr_slice s, size_t len_bytes)
{
	return (struct fr_slice){ s.data, len_bytes };
}

static struct fr_slice behind(struct fr_slice s, size_t skip_bytes)
{
	return (struct fr_slice){ s.data + skip_bytes, s.len_bytes - skip_bytes };
}

/* Where the first of these bytes is; the length when there is none. */
static size_t find_any(struct fr_slice s, const char *bytes)
{
	size_t i = 0;

	while (i < s.len_bytes && !(s.data[i] && strchr(bytes, s.data[i])))
		i++;
	return i;
}

static void take_authority(struct fr_slice *rest, struct target *t)
{
	const uint8_t *at;
	size_t n = find_any(*rest, "/?#");

	t->authority = upto(*rest, n);
	*rest = behind(*rest, n);
	at = n ? memrchr(t->authority.data, '@', n) : NULL;
	if (!at)
		return;
	t->user = upto(t->authority, (size_t)(at - t->authority.data));
	t->authority = behind(t->authority, t->user.len_bytes + 1);
}

/* RFC 9112, 3.2: "/path?query", "http://host/path?query", "host:port" of CONNECT, "*". */
static struct target take_apart(const struct fr_request *r)
{
	struct fr_slice rest = r->text.data ? r->text : FR_LIT("");
	struct target t = { 0 };
	size_t n = find_any(rest, ":/?");

	if (fr_slice_is(r->command, "CONNECT")) {
		t.authority = rest;
		return t;
	}
	if (n && rest.len_bytes - n >= 3 && !memcmp(rest.data + n, "://", 3)) {
		t.scheme = upto(rest, n);
		rest = behind(rest, n + 3);
		take_authority(&rest, &t);
	}
	n = find_any(rest, "?");
	t.path = upto(rest, n);
	t.has_query = n < rest.len_bytes;
	if (t.has_query)
		t.query = behind(rest, n + 1);
	if (!t.path.len_bytes && t.scheme.len_bytes)
		t.path = FR_LIT("/");
	return t;
}

struct fr_otlp_end fr_otlp_host(struct fr_slice host)
{
	struct fr_otlp_end end = { .address = host };
	uint32_t port = 0;
	size_t n = host.len_bytes, digits = 0;

	while (n && host.data[n - 1] >= '0' && host.data[n - 1] <= '9') {
		n--;
		digits++;
	}
	if (n && host.data[n - 1] == ':' && digits <= 5 &&
	    memchr(host.data, ':', n) == host.data + n - 1) {
		end.address.len_bytes = n - 1;
	} else if (n > 1 && host.data[n - 1] == ':' && host.data[n - 2] == ']' && digits <= 5) {
		end.address.len_bytes = n - 1;
	} else {
		digits = 0;
	}
	for (size_t i = host.len_bytes - digits; i < host.len_bytes; i++)
		port = port * 10 + (uint32_t)(host.data[i] - '0');
	end.port = port <= UINT16_MAX ? (uint16_t)port : 0;
	n = end.address.len_bytes;
	if (n >= 2 && end.address.data[0] == '[' && end.address.data[n - 1] == ']')
		end.address = (struct fr_slice){ end.address.data + 1, n - 2 };
	return end;
}

static bool is_secret(struct fr_slice key)
{
	static const char *const secrets[] = {
		"X-Amz-Signature",  "X-Amz-Credential", "X-Amz-Security-Token",
		"AWSAccessKeyId",   "Signature",	"sig",
		"X-Goog-Signature",
	};

	for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++)
		if (fr_slice_is(key, secrets[i]))
			return true;
	return false;
}

struct fr_slice fr_otlp_scrub_query(struct fr_otlp_text *t, struct fr_slice query)
{
	size_t n, equals, most = query.len_bytes;
	struct fr_slice part;
	char *to, *start;

	for (size_t i = 0; i < query.len_bytes; i++)
		most += query.data[i] == '=' ? 8 : 0;
	start = to = fr_otlp_room(t, most);
	if (!to)
		return (struct fr_slice){ 0 };
	for (;;) {
		n = find_any(query, "&");
		part = upto(query, n);
		equals = find_any(part, "=");
		if (equals < n && is_secret(upto(part, equals))) {
			to = fr_put_bytes(to, part.data, equals + 1);
			to = fr_put_lit(to, "REDACTED");
		} else if (n) {
			to = fr_put_bytes(to, part.data, n);
		}
		if (n == query.len_bytes)
			break;
		*to++ = '&';
		query = behind(query, n + 1);
	}
	return (struct fr_slice){ (const uint8_t *)start, (size_t)(to - start) };
}

/* ---- attributes ------------------------------------------------------------------------------ */

static void add_method(struct fr_otlp_maker *m, const struct fr_request *r)
{
	struct fr_slice method = fr_span_http_method(r);

	fr_otlp_str(&m->span.attrs, FR_LIT("http.request.method"), method);
	if (r->command.len_bytes && method.data != r->command.data)
		fr_otlp_str(&m->span.attrs, FR_LIT("http.request.method_original"),
			    fr_otlp_utf8(&m->text, r->command));
}

static void add_status(struct fr_otlp_maker *m, const struct fr_request *r)
{
	if (r->status == FR_WIRE_STATUS_UNKNOWN)
		return;
	fr_otlp_int(&m->span.attrs, FR_LIT("http.response.status_code"), r->status);
	if (m->span.status == FR_OTLP_ERROR)
		fr_otlp_str(&m->span.attrs, FR_LIT("error.type"),
			    fr_otlp_printf(&m->text, "%d", r->status));
}

static void add_end(struct fr_otlp_attrs *a, struct fr_slice address_key, struct fr_slice port_key,
		    const struct fr_otlp_end *end)
{
	if (!end->address.len_bytes)
		return;
	fr_otlp_str(a, address_key, end->address);
	if (end->port)
		fr_otlp_int(a, port_key, end->port);
}

/* "http://host:port/path?query", credentials as REDACTED. */
static void add_url_full(struct fr_otlp_maker *m, const struct target *t, struct fr_slice authority,
			 struct fr_slice query)
{
	struct fr_slice scheme = t->scheme.len_bytes ? t->scheme : FR_LIT("http"), url;
	const char *user = !t->user.len_bytes				  ? ""
			   : memchr(t->user.data, ':', t->user.len_bytes) ? "REDACTED:REDACTED@"
									  : "REDACTED@";

	if (!authority.len_bytes || !t->path.len_bytes)
		return;
	url = fr_otlp_printf(&m->text, "%.*s://%s%.*s%.*s%s%.*s", (int)scheme.len_bytes,
			     scheme.data, user, (int)authority.len_bytes, authority.data,
			     (int)t->path.len_bytes, t->path.data, t->has_query ? "?" : "",
			     (int)query.len_bytes, (const char *)query.data);
	fr_otlp_str(&m->span.attrs, FR_LIT("url.full"),
		    url.data ? fr_otlp_utf8(&m->text, url) : url);
}

/* "10.0.0.1:80", "[::1]:80" */
static struct fr_slice authority_of(struct fr_otlp_text *t, const struct fr_otlp_end *end)
{
	bool v6 = end->address.len_bytes &&
		  memchr(end->address.data, ':', end->address.len_bytes) != NULL;

	if (!end->address.len_bytes || !end->port)
		return end->address;
	return fr_otlp_printf(t, v6 ? "[%.*s]:%u" : "%.*s:%u", (int)end->address.len_bytes,
			      end->address.data, end->port);
}

static void add_server_side(struct fr_otlp_maker *m, const struct target *t,
			    const struct fr_otlp_end *server, const struct fr_otlp_end *peer,
			    struct fr_slice query)
{
	struct fr_otlp_attrs *a = &m->span.attrs;

	if (t->path.len_bytes)
		fr_otlp_str(a, FR_LIT("url.path"), fr_otlp_utf8(&m->text, t->path));
	fr_otlp_str(a, FR_LIT("url.scheme"),
		    t->scheme.len_bytes ? fr_otlp_utf8(&m->text, t->scheme) : FR_LIT("http"));
	if (t->has_query)
		fr_otlp_str(a, FR_LIT("url.query"), fr_otlp_utf8(&m->text, query));
	add_end(a, FR_LIT("server.address"), FR_LIT("server.port"), server);
	if (peer->address.len_bytes)
		fr_otlp_str(a, FR_LIT("client.address"), peer->address);
}

void fr_otlp_http(struct fr_otlp_maker *m, const struct fr_span *s)
{
	const struct fr_request *r = s->request;
	struct target t = take_apart(r);
	struct fr_slice host = t.authority.len_bytes ? t.authority : r->host, query = { 0 };
	struct fr_otlp_end own = fr_otlp_end_of(&m->text, &m->socket, false);
	struct fr_otlp_end peer = fr_otlp_end_of(&m->text, &m->socket, true);
	struct fr_otlp_end server = fr_otlp_host(fr_otlp_utf8(&m->text, host));

	if (!server.address.len_bytes)
		server = r->server ? own : peer;
	else if (!server.port && !r->server)
		server.port = peer.port; /* required there; where we went */
	if (t.has_query)
		query = fr_otlp_scrub_query(&m->text, t.query);
	add_method(m, r);
	add_status(m, r);
	if (r->server) {
		add_server_side(m, &t, &server, &peer, query);
	} else {
		add_url_full(m, &t, host.len_bytes ? host : authority_of(&m->text, &server), query);
		add_end(&m->span.attrs, FR_LIT("server.address"), FR_LIT("server.port"), &server);
	}
	add_end(&m->span.attrs, FR_LIT("network.peer.address"), FR_LIT("network.peer.port"), &peer);
	if (r->version)
		fr_otlp_str(&m->span.attrs, FR_LIT("network.protocol.version"),
			    fr_otlp_printf(&m->text, "%u.%u", r->version / 10, r->version % 10));
}
