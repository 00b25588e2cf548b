/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by the files of the OTLP sinks.
 *
 *	otlp.c           the sink: who is told what, files or taker
 *	otlp_span.c      a request as struct fr_otlp_span     ─┐
 *	otlp_http.c otlp_db.c                                  │ what is said: the same for
 *	otlp_logs.c      what else happened as fr_otlp_log     │ both encodings
 *	otlp_resource.c  processes and hosts as attributes    ─┘
 *	otlp_queue.c     items until they make a request, by resource
 *	otlp_pb.c otlp_json.c   how it is written
 *
 * What is said is put together in memory that is used again for each item: slices, and text from
 * fr_otlp_text, end with it. Nothing is allocated per item.
 */
#ifndef FR_OUT_OTLP_INTERNAL_H
#define FR_OUT_OTLP_INTERNAL_H

#include "otlp.h"
#include "sink.h"
#include "span_text.h"

/* ---- what is said --------------------------------------------------------------------------- */

enum fr_otlp_type { FR_OTLP_STR, FR_OTLP_INT, FR_OTLP_BOOL, FR_OTLP_STRS };

struct fr_otlp_attr {
	struct fr_slice key;
	enum fr_otlp_type type;
	union {
		struct fr_slice str; /* well-formed UTF-8 */
		int64_t number;
		struct {
			const struct fr_slice *at;
			size_t cnt;
		} strs;
	};
};

struct fr_otlp_attrs {
	struct fr_otlp_attr *at;
	uint32_t cnt, cap;
	uint32_t dropped_cnt; /* that found no room */
};

/* Room for made-up text. */
#define FR_OTLP_TEXT_BYTES (64u << 10)
struct fr_otlp_text {
	char *at, *end;
	char data[FR_OTLP_TEXT_BYTES];
};

enum fr_otlp_kind { FR_OTLP_INTERNAL = 1, FR_OTLP_SERVER = 2, FR_OTLP_CLIENT = 3 };
enum fr_otlp_status { FR_OTLP_UNSET = 0, FR_OTLP_ERROR = 2 };
enum fr_otlp_severity {
	FR_OTLP_INFO = 9,
	FR_OTLP_WARN = 13,
	FR_OTLP_SEVERE = 17, /* ERROR */
	FR_OTLP_FATAL = 21,
};

#define FR_OTLP_PARENT_KNOWN 0x100u /* of flags: whether it is remote */
#define FR_OTLP_PARENT_REMOTE 0x200u

#define FR_OTLP_EVENT_ATTRS 8
struct fr_otlp_event {
	uint64_t time_unix_ns;
	struct fr_slice name;
	struct fr_otlp_attrs attrs;
};

struct fr_otlp_span {
	const uint8_t *trace_id;  /* 16 bytes */
	const uint8_t *span_id;	  /* 8 bytes */
	const uint8_t *parent_id; /* NULL = none */
	struct fr_slice trace_state;
	struct fr_slice name;
	enum fr_otlp_kind kind;
	uint64_t start_unix_ns, end_unix_ns;
	uint32_t flags;
	struct fr_otlp_attrs attrs;
	struct fr_otlp_event events[FR_BUDGET_WAITS];
	uint32_t event_cnt;
	enum fr_otlp_status status;
	struct fr_slice status_text;
};

struct fr_otlp_log {
	uint64_t time_unix_ns; /* and observed then: by the recorder */
	enum fr_otlp_severity severity;
	struct fr_slice event_name;
	struct fr_slice body;
	struct fr_otlp_attrs attrs;
	const uint8_t *trace_id; /* NULL = none */
	const uint8_t *span_id;
	uint32_t flags;
};

/* Slice of a literal. */
#define FR_LIT(text) ((struct fr_slice){ (const uint8_t *)("" text), sizeof(text) - 1 })

static inline struct fr_slice fr_otlp_z(const char *s)
{
	return (struct fr_slice){ (const uint8_t *)s, strlen(s) };
}

/* ---- otlp_text.c: putting it together ------------------------------------------------------- */

static inline void fr_otlp_text_reset(struct fr_otlp_text *t)
{
	t->at = t->data;
	t->end = t->data + sizeof(t->data);
}
/* Room for so many bytes; NULL when there is none left. */
char *fr_otlp_room(struct fr_otlp_text *t, size_t text_bytes);
/* The same text as UTF-8: itself when it is, else a repaired copy. .data is NULL when there is no
 * room for that. */
struct fr_slice fr_otlp_utf8(struct fr_otlp_text *t, struct fr_slice s);
__attribute__((format(printf, 2, 3))) struct fr_slice fr_otlp_printf(struct fr_otlp_text *t,
								     const char *fmt, ...);
/* Two pieces with a character between them. */
struct fr_slice fr_otlp_join(struct fr_otlp_text *t, struct fr_slice a, char between,
			     struct fr_slice b);

/* An attribute more. Texts must be UTF-8; one without data, or without room, counts as dropped. */
void fr_otlp_str(struct fr_otlp_attrs *a, struct fr_slice key, struct fr_slice value);
void fr_otlp_int(struct fr_otlp_attrs *a, struct fr_slice key, int64_t value);
void fr_otlp_bool(struct fr_otlp_attrs *a, struct fr_slice key, bool value);
/* values: as long-lived as the item */
void fr_otlp_strs(struct fr_otlp_attrs *a, struct fr_slice key, const struct fr_slice *values,
		  size_t value_cnt);
/* NULL if there is none. */
struct fr_otlp_attr *fr_otlp_find(const struct fr_otlp_attrs *a, struct fr_slice key);

/* ---- how it is written ---------------------------------------------------------------------- */

struct fr_otlp_encoding {
	void (*span)(struct fr_buf *b, const struct fr_otlp_span *s);
	void (*log)(struct fr_buf *b, const struct fr_otlp_log *l);
	/* A request is begin, (group, items and commas between them, group_end), end. */
	void (*begin)(struct fr_buf *b, enum fr_otlp_signal signal);
	void (*group)(struct fr_buf *b, enum fr_otlp_signal signal,
		      const struct fr_otlp_attrs *resource, const char *version, bool first,
		      size_t ret_marks[2]);
	void (*comma)(struct fr_buf *b);
	void (*group_end)(struct fr_buf *b, const size_t marks[2]);
	void (*end)(struct fr_buf *b);
};

extern const struct fr_otlp_encoding fr_otlp_pb, fr_otlp_json;

#define FR_OTLP_SCOPE "flightrec"

static inline const char *fr_otlp_severity_text(enum fr_otlp_severity severity)
{
	return severity == FR_OTLP_INFO	    ? "INFO"
	       : severity == FR_OTLP_WARN   ? "WARN"
	       : severity == FR_OTLP_SEVERE ? "ERROR"
					    : "FATAL";
}

/* ---- otlp_span.c ---------------------------------------------------------------------------- */

#define FR_OTLP_SPAN_ATTRS 64
#define FR_OTLP_MARKS 32

/* What a span is made in; the same memory for each. */
struct fr_otlp_maker {
	const struct fr_convert *c;
	struct fr_otlp_span span;
	struct fr_socket socket; /* of the span in hand, with the ends of this exchange */
	struct fr_otlp_text text;
	struct fr_span_text span_text;
	struct fr_buf tracestate;
	struct fr_otlp_attr attrs[FR_OTLP_SPAN_ATTRS];
	struct fr_otlp_attr event_attrs[FR_BUDGET_WAITS][FR_OTLP_EVENT_ATTRS];
	struct fr_slice marks[FR_OTLP_MARKS];
	struct fr_slice peers[FR_BUDGET_PEERS];
};

/* 0 or -ENOMEM; m->span is valid until the next one, and as long as s is. */
int fr_otlp_make_span(struct fr_otlp_maker *m, const struct fr_span *s);
void fr_otlp_maker_done(struct fr_otlp_maker *m);
/* BOOTTIME to unix; a dump that has no clocks gives its own times. */
uint64_t fr_otlp_unix(const struct fr_convert *c, uint64_t boot_ns);

/* One end of a socket. .address is empty where nothing is known of it. */
struct fr_otlp_end {
	struct fr_slice address;
	uint16_t port; /* 0 = none */
};
struct fr_otlp_end fr_otlp_end_of(struct fr_otlp_text *t, const struct fr_socket *s, bool remote);

/* What is particular to a protocol: its attributes, and error.type where the request failed. */
void fr_otlp_http(struct fr_otlp_maker *m, const struct fr_span *s);
void fr_otlp_db(struct fr_otlp_maker *m, const struct fr_span *s);
void fr_otlp_dns(struct fr_otlp_maker *m, const struct fr_span *s);

/* The query with the values of keys that sign or give access as REDACTED (conventions: url.query).
 * .data is NULL when there is no room. */
struct fr_slice fr_otlp_scrub_query(struct fr_otlp_text *t, struct fr_slice query);
/* "host:port", "[::1]:80", "host". Port 0 = none given. */
struct fr_otlp_end fr_otlp_host(struct fr_slice host);

/* ---- otlp_resource.c ------------------------------------------------------------------------ */

/* Who something is about. */
struct fr_otlp_source {
	enum { FR_OTLP_PROCESS, FR_OTLP_UNKNOWN, FR_OTLP_RECORDER } type;
	uint32_t id; /* index into the names; tgid (0 = not known); number of the dump */
};

#define FR_OTLP_RESOURCE_ATTRS 96
#define FR_OTLP_ARGS 128
struct fr_otlp_resource {
	struct fr_otlp_attrs attrs;
	struct fr_otlp_text text;
	struct fr_otlp_attr attrs_at[FR_OTLP_RESOURCE_ATTRS];
	struct fr_slice args[FR_OTLP_ARGS];
};

/* The source of a thread. */
struct fr_otlp_source fr_otlp_source_of(const struct fr_names *n, uint32_t who, uint32_t tgid);
void fr_otlp_describe(const struct fr_session *s, struct fr_otlp_source source,
		      struct fr_otlp_resource *ret);

/*
 * OTEL_RESOURCE_ATTRIBUTES, the next pair of "key=value,key=value": 1, 0 at the end, -EINVAL: no
 * pair (all of the variable is void then). Key and value are percent-decoded into the text.
 */
int fr_otlp_next_pair(struct fr_slice *rest, struct fr_otlp_text *t, struct fr_slice *ret_key,
		      struct fr_slice *ret_value);
/* The pod in a control group's path: 36 characters, of static pods 32; empty = none. */
struct fr_slice fr_otlp_pod_uid(struct fr_slice cgroup, char buf[36]);
/* The value of a variable in "A=1\0B=2\0"; .data is NULL when it isn't there. */
struct fr_slice fr_otlp_variable(struct fr_slice environment, const char *name);

/* ---- otlp_queue.c --------------------------------------------------------------------------- */

#define FR_OTLP_SLOTS (2 * FR_OTLP_BATCH_ITEMS)

struct fr_otlp_item {
	uint32_t off, bytes; /* in items */
	uint32_t next;	     /* of the same source; 0 = last (items are numbered from 1) */
};

struct fr_otlp_group {
	struct fr_otlp_source source;
	uint32_t first, last;
};

/* Items of one signal on their way to a request. */
struct fr_otlp_queue {
	const struct fr_convert *c;
	const struct fr_otlp_encoding *encoding;
	struct fr_otlp_resource *resource; /* borrowed: to describe them in */
	enum fr_otlp_signal signal;
	size_t batch_bytes;
	struct fr_buf items, request;
	uint32_t item_cnt, group_cnt;
	struct fr_otlp_item item[FR_OTLP_BATCH_ITEMS + 1];
	struct fr_otlp_group groups[FR_OTLP_BATCH_ITEMS];
	uint16_t slots[FR_OTLP_SLOTS]; /* group number + 1 by source */
	uint64_t sent_cnt;
};

/* An item was appended to q->items. True: the request should go now. */
bool fr_otlp_queue_close(struct fr_otlp_queue *q, struct fr_otlp_source source);
/* The request of all that was queued, in q->request; the queue is empty after it. 0 or -ENOMEM.
 * *ret_cnt is 0 when there was none. */
int fr_otlp_queue_take(struct fr_otlp_queue *q, uint32_t *ret_cnt);
void fr_otlp_queue_done(struct fr_otlp_queue *q);

/* ---- otlp.c --------------------------------------------------------------------------------- */

struct fr_otlp_logs;

/* The sink. */
struct fr_otlp {
	struct fr_convert *c;
	const struct fr_otlp_encoding *encoding;
	struct fr_otlp_queue queues[2]; /* by enum fr_otlp_signal */
	struct fr_otlp_maker maker;
	struct fr_otlp_resource resource;
	struct fr_otlp_logs *logs; /* owned */
	struct fr_out logs_out;	   /* open when has_logs_out */
	bool has_logs_out;
};

/* One more log record; its slices end with the call. */
void fr_otlp_send_log(struct fr_otlp *o, const struct fr_otlp_log *l, struct fr_otlp_source source);

/* ---- otlp_logs.c, otlp_dump_logs.c ---------------------------------------------------------- */

#define FR_OTLP_LOG_ATTRS 192

/* What a record is made in. */
struct fr_otlp_logger {
	struct fr_otlp_log log;
	struct fr_otlp_text text;
	struct fr_otlp_attr attrs[FR_OTLP_LOG_ATTRS];
	struct fr_slice strs[FR_DEGRADED_MAX];
};

/* Begins a record; attributes follow, then fr_otlp_send_log(). */
struct fr_otlp_log *fr_otlp_log_begin(struct fr_otlp_logger *g, struct fr_slice event_name,
				      enum fr_otlp_severity severity, uint64_t time_unix_ns);

int fr_otlp_logs_new(struct fr_otlp *o); /* 0 or -ENOMEM */
void fr_otlp_logs_free(struct fr_otlp_logs *logs);
void fr_otlp_logs_record(struct fr_otlp *o, const struct fr_merged *m);
/* What is known of a span may be what a record still waits for. */
void fr_otlp_logs_span(struct fr_otlp *o, const struct fr_span *s);
void fr_otlp_logs_lost(struct fr_otlp *o, const struct fr_lost *lost);
void fr_otlp_logs_end(struct fr_otlp *o, const struct fr_convert_stats *stats);

/* What each dump says of itself: its losses by cause and CPU, what redaction removed. */
void fr_otlp_dump_logs(struct fr_otlp *o, struct fr_otlp_logger *g);

#endif
