/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Redis: command words, counts and lengths, and the first word of errors. Arguments and values go.
 */
#include "mask.h"

#define WORD_BYTES 24
#define COUNT_BYTES_MAX 13 /* "$-123456789\r\n" */
#define ARGS_MAX (1 << 20)
#define BULK_BYTES_MAX (1 << 29)

struct memory {
	uint8_t placed; /* a whole command was read, and nothing lost since: inline ones count */
};

static bool is_word_byte(uint8_t b)
{
	return (b >= 'A' && b <= 'Z') || (b >= 'a' && b <= 'z') || b == '.' || b == '_' || b == '-';
}

static bool is_word(struct fr_slice s)
{
	if (!s.len_bytes || s.len_bytes > WORD_BYTES)
		return false;
	for (size_t i = 0; i < s.len_bytes; i++)
		if (!is_word_byte(s.data[i]) && !(i && s.data[i] >= '0' && s.data[i] <= '9'))
			return false;
	return true;
}

static bool is_nocase(struct fr_slice s, const char *upper)
{
	if (strlen(upper) != s.len_bytes)
		return false;
	for (size_t i = 0; i < s.len_bytes; i++) {
		uint8_t b = s.data[i];

		if ((b >= 'a' && b <= 'z' ? b - 0x20 : b) != (uint8_t)upper[i])
			return false;
	}
	return true;
}

static bool is_one_of(struct fr_slice s, const char *const *words)
{
	for (; *words; words++)
		if (is_nocase(s, *words))
			return true;
	return false;
}

/* "*3\r\n" at `at`: keeps it, tells the number and what is behind. */
static enum fr_wire_verdict take_count(struct fr_mask *m, size_t at, const char *types, int64_t max,
				       int64_t *ret_count, size_t *ret_next)
{
	size_t i = at + 1;
	int64_t v = 0;
	bool negative;

	if (at >= m->len_bytes)
		return FR_WIRE_MORE;
	if (!m->in[at] || !strchr(types, m->in[at]))
		return FR_WIRE_LOST;
	negative = i < m->len_bytes && m->in[i] == '-';
	i += negative;
	for (; i < m->len_bytes && m->in[i] >= '0' && m->in[i] <= '9'; i++) {
		if (i - at > COUNT_BYTES_MAX)
			return FR_WIRE_LOST;
		v = v * 10 + (m->in[i] - '0');
	}
	if (i < m->len_bytes && (m->in[i] != '\r' || i == at + 1 + negative))
		return FR_WIRE_LOST;
	if (i + 1 < m->len_bytes && m->in[i + 1] != '\n')
		return FR_WIRE_LOST;
	if (v > max || (negative && v > 1))
		return FR_WIRE_LOST;
	fr_mask_keep(m, at, i + 2 - at);
	if (i + 1 >= m->len_bytes)
		return FR_WIRE_MORE;
	*ret_count = negative ? -1 : v;
	*ret_next = i + 2;
	return FR_WIRE_UNIT;
}

/* ---- commands ------------------------------------------------------------------------------- */

/* "CLIENT REPLY" decides whether replies can be counted. */
static bool may_show_second(struct fr_slice word, struct fr_slice second)
{
	return is_nocase(word, "CLIENT") && is_nocase(second, "REPLY");
}

/* "PING\r\n", as typed into a terminal. */
static enum fr_wire_verdict mask_inline(const struct memory *mem, struct fr_mask *m,
					struct fr_redact_unit *u)
{
	const uint8_t *cr = memchr(m->in, '\r', m->len_bytes);
	size_t end = cr ? (size_t)(cr - m->in) : m->len_bytes, word = 0;

	if (!mem->placed || (end && !is_word_byte(m->in[0])))
		return FR_WIRE_LOST;
	while (word < end && m->in[word] != ' ')
		word++;
	fr_mask_drop(m, 0, end, '?', FR_REMOVED_VALUES);
	if (!cr && word == end) /* a word that goes on may be anything */
		return FR_WIRE_MORE;
	/* an empty line is passed over: redis-cli --pipe sends one */
	if (end && !is_word(fr_mask_slice(m, 0, word)))
		return FR_WIRE_LOST;
	fr_mask_keep(m, 0, word + (word < end));
	if (!cr)
		return FR_WIRE_MORE;
	if (end + 1 < m->len_bytes && m->in[end + 1] != '\n')
		return FR_WIRE_LOST;
	fr_mask_keep(m, end, 2);
	u->unit_bytes = end + 2;
	return end + 1 < m->len_bytes ? FR_WIRE_UNIT : FR_WIRE_MORE;
}

/* An argument's bytes and its line end, as far as they are there. False: the end isn't one. */
static bool mask_argument(struct fr_mask *m, size_t at, size_t arg_bytes, bool shown)
{
	size_t end = at + arg_bytes;

	if (shown)
		fr_mask_keep(m, at, arg_bytes);
	else
		fr_mask_drop(m, at, arg_bytes, '?', FR_REMOVED_VALUES);
	fr_mask_keep_set(m, end, 1, "\r", FR_REMOVED_VALUES);
	fr_mask_keep_set(m, end + 1, 1, "\n", FR_REMOVED_VALUES);
	return (end >= m->len_bytes || m->in[end] == '\r') &&
	       (end + 1 >= m->len_bytes || m->in[end + 1] == '\n');
}

static enum fr_wire_verdict mask_command(struct memory *mem, struct fr_mask *m,
					 struct fr_redact_unit *u)
{
	struct fr_slice word = { 0 }, arg;
	int64_t arg_cnt = 0, arg_bytes = 0;
	size_t at = 0;
	enum fr_wire_verdict v;
	bool shown;

	if (m->in[0] != '*')
		return mask_inline(mem, m, u);
	u->rest = FR_REMOVED_VALUES;
	v = take_count(m, 0, "*", ARGS_MAX, &arg_cnt, &at);
	if (v != FR_WIRE_UNIT)
		return v;
	if (arg_cnt < 1)
		return FR_WIRE_LOST;
	for (int64_t i = 0; i < arg_cnt; i++) {
		v = take_count(m, at, "$", BULK_BYTES_MAX, &arg_bytes, &at);
		if (v != FR_WIRE_UNIT)
			return v;
		arg = fr_mask_slice(m, at, (size_t)arg_bytes);
		if (arg_bytes < 0 || (!i && (arg_bytes > WORD_BYTES || !arg_bytes)))
			return FR_WIRE_LOST;
		shown = i ? i == 1 && arg.len_bytes == (size_t)arg_bytes &&
					may_show_second(word, arg)
			  : is_word(arg);
		if (!i && arg.len_bytes && !shown)
			return FR_WIRE_LOST;
		word = i ? word : arg;
		if (!mask_argument(m, at, (size_t)arg_bytes, shown))
			return FR_WIRE_LOST;
		at += (size_t)arg_bytes + 2;
		if (at > m->len_bytes && (i < arg_cnt - 1 || !i))
			return FR_WIRE_MORE;
	}
	mem->placed = 1;
	u->unit_bytes = at;
	return FR_WIRE_UNIT;
}

/* ---- replies -------------------------------------------------------------------------------- */

static const char *const plain_words[] = { "OK", "PONG", "QUEUED", "CONTINUE", NULL };
static const char *const push_words[] = {
	"MESSAGE",     "PMESSAGE",     "SMESSAGE",     "SUBSCRIBE",  "PSUBSCRIBE", "SSUBSCRIBE",
	"UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE", "INVALIDATE", NULL
};

/* "$5\r\nvalue\r\n" */
static enum fr_wire_verdict mask_bulk(struct fr_mask *m, struct fr_redact_unit *u)
{
	int64_t cnt = 0;
	size_t at = 0;
	enum fr_wire_verdict v = take_count(m, 0, "$!=", BULK_BYTES_MAX, &cnt, &at);
	struct fr_slice value;

	if (v != FR_WIRE_UNIT)
		return v;
	u->unit_bytes = at;
	if (cnt < 0)
		return FR_WIRE_UNIT;
	u->unit_bytes += (uint64_t)cnt + 2;
	value = fr_mask_slice(m, at, (size_t)cnt);
	if (!mask_argument(m, at, (size_t)cnt,
			   value.len_bytes == (size_t)cnt && is_one_of(value, push_words)))
		return FR_WIRE_LOST;
	if (u->unit_bytes > m->len_bytes && (uint64_t)cnt <= WORD_BYTES)
		return FR_WIRE_MORE;
	return FR_WIRE_UNIT;
}

/* "-ERR text": the word stays. */
static size_t error_word(struct fr_slice line)
{
	size_t n = 1;

	while (n < line.len_bytes && line.data[n] >= 'A' && line.data[n] <= 'Z')
		n++;
	if (n > WORD_BYTES)
		return 1;
	if (n < line.len_bytes)
		return line.data[n] == ' ' ? n + 1 : 1;
	return n;
}

/* A line by itself: "+OK", ":12", "-ERR no". */
static enum fr_wire_verdict mask_line(struct fr_mask *m, struct fr_redact_unit *u)
{
	const uint8_t *cr = memchr(m->in, '\r', m->len_bytes);
	size_t end = cr ? (size_t)(cr - m->in) : m->len_bytes;
	struct fr_slice line = fr_mask_slice(m, 0, end);
	bool is_number = strchr(":,(", m->in[0]);

	fr_mask_drop(m, 0, end, is_number ? '0' : '?',
		     m->in[0] == '-' ? FR_REMOVED_ERRORS : FR_REMOVED_VALUES);
	fr_mask_keep(m, 0, m->in[0] == '-' ? error_word(line) : 1);
	fr_mask_keep(m, end, 1);
	fr_mask_keep_set(m, end + 1, 1, "\n", FR_REMOVED_VALUES);
	if (!cr || end + 1 >= m->len_bytes)
		return FR_WIRE_MORE;
	line.data++;
	line.len_bytes--;
	if (m->in[0] == '+' && is_one_of(line, plain_words))
		fr_mask_keep(m, 1, line.len_bytes);
	u->unit_bytes = end + 2;
	return m->in[end + 1] == '\n' ? FR_WIRE_UNIT : FR_WIRE_LOST;
}

static enum fr_wire_verdict mask_element(struct fr_mask *m, struct fr_redact_unit *u)
{
	int64_t cnt = 0;
	size_t at = 0;
	enum fr_wire_verdict v;

	u->rest = FR_REMOVED_VALUES;
	if (!m->in[0])
		return FR_WIRE_LOST;
	if (strchr("$!=", m->in[0]))
		return mask_bulk(m, u);
	if (strchr("+-:_,#(", m->in[0]))
		return mask_line(m, u);
	v = take_count(m, 0, "*~>%|", UINT32_MAX, &cnt, &at);
	u->unit_bytes = v == FR_WIRE_UNIT ? at : 0;
	return v;
}

static enum fr_wire_verdict mask(const struct fr_redact_look *look, struct fr_mask *m,
				 struct fr_redact_unit *ret_unit)
{
	return look->role == FR_WIRE_REQUEST ? mask_command(look->memory, m, ret_unit)
					     : mask_element(m, ret_unit);
}

static void rejoin(void *memory, enum fr_wire_role role)
{
	struct memory *mem = memory;

	if (role == FR_WIRE_REQUEST)
		mem->placed = 0;
}

static void other_lost(void *memory, enum fr_wire_role role)
{
	(void)memory;
	(void)role; /* replies stand for themselves */
}

const struct fr_redact_protocol fr_redact_redis = {
	.wire = &fr_wire_redis,
	.mask = mask,
	.rejoin = rejoin,
	.other_lost = other_lost,
};
