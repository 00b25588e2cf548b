/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the OTLP sinks read of hostile bytes. First byte: what the rest is.
 *	0 OTEL_RESOURCE_ATTRIBUTES   1 a control group's path   2 a request to take apart
 *	3 a Host and a query         4 a request on the wire, by its second byte of any protocol:
 *	                               its span must be sound in both encodings
 */
#include <stdlib.h>
#include <string.h>

#include "formats/base/jsonread.h"
#include "formats/base/pb.h"
#include "formats/base/utf8.h"
#include "formats/out/otlp_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes);

static struct fr_otlp_text text;

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_pairs(struct fr_slice in)
{
	struct fr_slice key, value;
	size_t had_bytes;
	int ret;

	fr_otlp_text_reset(&text);
	do {
		had_bytes = in.len_bytes;
		ret = fr_otlp_next_pair(&in, &text, &key, &value);
		if (ret != 1)
			break;
		must(in.len_bytes < had_bytes && key.len_bytes);
		must(fr_utf8_valid(key) && fr_utf8_valid(value));
	} while (ret == 1);
	fr_otlp_variable(in, "A");
}

static void check_pod(struct fr_slice in)
{
	char buf[36];
	struct fr_slice uid = fr_otlp_pod_uid(in, buf);

	must(!uid.len_bytes || uid.len_bytes == 32 || uid.len_bytes == 36);
	for (size_t i = 0; i < uid.len_bytes; i++)
		must(strchr("0123456789abcdefABCDEF-", uid.data[i]) != NULL);
}

static void check_part(struct fr_slice in)
{
	struct fr_otlp_batch b = { .data = in.data, .data_bytes = in.len_bytes };
	struct fr_otlp_batch half;
	struct fr_buf out = { 0 }, again = { 0 };

	for (uint32_t first = 0; first < 3; first++) {
		fr_buf_clear(&out);
		if (fr_otlp_part(&b, first, 1, &out))
			continue;
		/* a part is a request of exactly that item */
		half = (struct fr_otlp_batch){ .data = out.data, .data_bytes = out.len_bytes };
		must(!fr_otlp_part(&half, 0, 1, &again));
		must(again.len_bytes == out.len_bytes);
		fr_buf_clear(&again);
		must(fr_otlp_part(&half, 1, 1, &again) != 0);
		fr_buf_clear(&again);
	}
	fr_buf_done(&out);
	fr_buf_done(&again);
}

static void check_host(struct fr_slice in)
{
	struct fr_otlp_end end = fr_otlp_host(in);
	struct fr_slice scrubbed;

	must(end.address.len_bytes <= in.len_bytes);
	fr_otlp_text_reset(&text);
	scrubbed = fr_otlp_scrub_query(&text, in);
	must(!scrubbed.data || scrubbed.len_bytes <= 9 * in.len_bytes + 1);
}

/* All of it is fields; inside as deep as they say. */
static void check_pb(struct fr_slice raw)
{
	struct fr_cursor c = fr_cursor_of(raw.data, raw.len_bytes);
	struct fr_pb_field f;
	int ret;

	while ((ret = fr_pb_next(&c, &f)) == 1)
		;
	must(ret == 0);
}

static void check_encodings(const struct fr_otlp_span *span)
{
	struct fr_buf pb = { 0 }, json = { 0 };
	struct fr_jsonread r;

	fr_otlp_pb.span(&pb, span);
	fr_otlp_json.span(&json, span);
	must(!pb.err && !json.err);
	check_pb((struct fr_slice){ pb.data, pb.len_bytes });
	r = fr_jsonread_of(json.data, json.len_bytes);
	fr_jsonread_skip(&r);
	must(!fr_jsonread_end(&r));
	fr_buf_done(&pb);
	fr_buf_done(&json);
}

static void check_span(struct fr_slice in)
{
	static struct fr_otlp_maker maker;
	struct fr_slice *pieces[7];
	struct fr_names *names;
	struct fr_session session = { 0 };
	struct fr_convert c = { .session = &session };
	struct fr_socket socket = { .id = 1 };
	struct fr_request r = { .status = -1 };
	struct fr_span s = { .request = &r, .socket = &socket, .who = FR_WHO_NONE };

	if (in.len_bytes < 8)
		return;
	must(!fr_names_new(&names) && !fr_names_seal(names));
	session.names = names;
	maker.c = &c;
	r.protocol = (enum fr_wire_proto_id)(in.data[0] % 6);
	r.server = in.data[0] & 64;
	r.traceparent_cnt = in.data[0] >> 7;
	r.status = in.data[1] * 4 - 1;
	r.marks = in.data[2] | (uint32_t)in.data[3] << 8;
	socket.addr.family = in.data[4] % 12;
	memcpy(socket.addr.remote, in.data, 8);
	s.link = (enum fr_link)(in.data[5] % 5);
	in = (struct fr_slice){ in.data + 6, in.len_bytes - 6 };
	pieces[0] = &r.text, pieces[1] = &r.command, pieces[2] = &r.host, pieces[3] = &r.code;
	pieces[4] = &r.database, pieces[5] = &socket.path, pieces[6] = &r.tracestate;
	for (size_t i = 0; i < 7 && in.len_bytes; i++) {
		const uint8_t *end = memchr(in.data, '\n', in.len_bytes);
		size_t n = end ? (size_t)(end - in.data) : in.len_bytes;

		*pieces[i] = (struct fr_slice){ in.data, n };
		in = (struct fr_slice){ in.data + n + (end != NULL),
					in.len_bytes - n - (end != NULL) };
	}
	r.traceparent = in;
	if (!fr_otlp_make_span(&maker, &s))
		check_encodings(&maker.span);
	fr_otlp_maker_done(&maker);
	fr_names_free(names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_bytes)
{
	static void (*const checks[])(struct fr_slice) = { check_pairs, check_pod, check_part,
							   check_host, check_span };

	if (data_bytes)
		checks[data[0] % 5]((struct fr_slice){ data + 1, data_bytes - 1 });
	return 0;
}
