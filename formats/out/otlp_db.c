/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Databases (semantic conventions 1.44, database-spans and the pages of each system), and DNS.
 *
 * The conventions know only the client's side. A span seen in the database's own process says the
 * same of its kind SERVER, and who asked.
 */
#include "otlp_internal.h"

static uint16_t default_port(enum fr_wire_proto_id protocol)
{
	switch (protocol) {
	case FR_WIRE_POSTGRES:
		return 5432;
	case FR_WIRE_MYSQL:
		return 3306;
	case FR_WIRE_REDIS:
		return 6379;
	case FR_WIRE_DNS:
		return 53;
	case FR_WIRE_HTTP1:
	case FR_WIRE_NONE:
		break;
	}
	return 0;
}

/* MySQL's page wants its own number, the others' the code. */
static struct fr_slice code_of(struct fr_otlp_maker *m, const struct fr_request *r)
{
	if (r->error_nr)
		return fr_otlp_printf(&m->text, "%u", r->error_nr);
	return fr_otlp_utf8(&m->text, r->code);
}

static void add_error(struct fr_otlp_maker *m, const struct fr_request *r)
{
	struct fr_otlp_attrs *a = &m->span.attrs;
	struct fr_slice code = code_of(m, r);

	if (code.len_bytes)
		fr_otlp_str(a, FR_LIT("db.response.status_code"), code);
	if (m->span.status == FR_OTLP_ERROR) {
		fr_otlp_str(a, FR_LIT("error.type"), code.len_bytes ? code : FR_LIT("_OTHER"));
		m->span.status_text = code;
	} else if (r->marks & FR_MARK_SKIPPED) {
		/* of a batch: the server threw it away after an error before it */
		m->span.status = FR_OTLP_ERROR;
		m->span.status_text = FR_LIT("not executed: a statement before it failed");
		fr_otlp_str(a, FR_LIT("error.type"), FR_LIT("skipped"));
	}
}

static void add_query(struct fr_otlp_maker *m, const struct fr_request *r)
{
	const struct fr_buf *query = &m->span_text.query, *summary = &m->span_text.summary;
	struct fr_otlp_attrs *a = &m->span.attrs;

	if (query->len_bytes)
		fr_otlp_str(a, FR_LIT("db.query.text"),
			    fr_otlp_utf8(&m->text,
					 (struct fr_slice){ query->data, query->len_bytes }));
	if (summary->len_bytes)
		fr_otlp_str(a, FR_LIT("db.query.summary"),
			    fr_otlp_utf8(&m->text,
					 (struct fr_slice){ summary->data, summary->len_bytes }));
	else if (r->command.len_bytes)
		/* from the protocol, never out of the text; its name is the command in capitals */
		fr_otlp_str(a, FR_LIT("db.operation.name"), m->span.name);
}

static void add_ends(struct fr_otlp_maker *m, const struct fr_span *s)
{
	const struct fr_request *r = s->request;
	struct fr_otlp_end server = fr_otlp_end_of(&m->text, &m->socket, !r->server), peer;
	struct fr_otlp_attrs *a = &m->span.attrs;

	if (server.address.len_bytes) {
		fr_otlp_str(a, FR_LIT("server.address"), server.address);
		if (server.port && server.port != default_port(r->protocol))
			fr_otlp_int(a, FR_LIT("server.port"), server.port);
	}
	/* the pages of PostgreSQL and MySQL do not list the peer */
	if (!r->server && r->protocol != FR_WIRE_REDIS && r->protocol != FR_WIRE_DNS)
		return;
	peer = r->server ? fr_otlp_end_of(&m->text, &m->socket, true) : server;
	if (!peer.address.len_bytes)
		return;
	if (r->server)
		fr_otlp_str(a, FR_LIT("client.address"), peer.address);
	fr_otlp_str(a, FR_LIT("network.peer.address"), peer.address);
	if (peer.port)
		fr_otlp_int(a, FR_LIT("network.peer.port"), peer.port);
}

void fr_otlp_db(struct fr_otlp_maker *m, const struct fr_span *s)
{
	const struct fr_request *r = s->request;
	struct fr_otlp_attrs *a = &m->span.attrs;

	fr_otlp_str(a, FR_LIT("db.system.name"), fr_otlp_z(fr_span_db_system(r)));
	if (r->database.len_bytes)
		fr_otlp_str(a, FR_LIT("db.namespace"), fr_otlp_utf8(&m->text, r->database));
	add_query(m, r);
	add_error(m, r);
	add_ends(m, s);
}

void fr_otlp_dns(struct fr_otlp_maker *m, const struct fr_span *s)
{
	const struct fr_request *r = s->request;
	struct fr_otlp_attrs *a = &m->span.attrs;
	struct fr_slice code = fr_otlp_utf8(&m->text, r->code);

	if (r->text.len_bytes)
		fr_otlp_str(a, FR_LIT("dns.question.name"), fr_otlp_utf8(&m->text, r->text));
	if (m->span.status == FR_OTLP_ERROR) {
		fr_otlp_str(a, FR_LIT("error.type"), code.len_bytes ? code : FR_LIT("_OTHER"));
		m->span.status_text = code;
	}
	add_ends(m, s);
}
