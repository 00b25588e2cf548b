/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Redis, RESP2 and RESP3. A unit is a command with its arguments, or one element of a reply:
 * aggregates are walked by counting the elements that are left, so that any nesting fits. Pushes,
 * and in RESP2 the messages of a subscribed connection, answer nobody. Arguments are never kept.
 */
#include "wire.h"

#define COMMAND 1 /* the only kind */
#define WORD_BYTES 24
#define ARGS_MAX (1 << 20)
#define BULK_BYTES_MAX (1 << 29)
#define NUMBER_DIGITS_MAX 10
#define LEFT_MAX ((uint64_t)1 << 40)

struct state {
	uint64_t left;	  /* elements of the reply in hand that are yet to come */
	uint8_t is_push;  /* it answers nobody */
	uint8_t placed;	  /* a whole command was read, and nothing lost since: inline ones count */
	uint8_t listens;  /* subscribed to something */
	uint8_t word_bytes;
	char word[WORD_BYTES]; /* the command in hand, upper case */
};

_Static_assert(sizeof(struct state) <= FR_WIRE_STATE_BYTES, "state does not fit");

static bool is_digit(uint8_t b)
{
	return b >= '0' && b <= '9';
}

static bool is_word_byte(uint8_t b)
{
	return (b >= 'A' && b <= 'Z') || (b >= 'a' && b <= 'z') || b == '.' || b == '_' || b == '-';
}

/* Takes a line with its CRLF off *rest. LOST: a CR without LF. */
static enum fr_wire_verdict take_line(struct fr_slice *rest, struct fr_slice *ret_line)
{
	const uint8_t *cr = rest->len_bytes ? memchr(rest->data, '\r', rest->len_bytes) : NULL;
	size_t n;

	if (!cr)
		return FR_WIRE_MORE;
	n = (size_t)(cr - rest->data);
	if (n + 1 == rest->len_bytes)
		return FR_WIRE_MORE;
	if (cr[1] != '\n')
		return FR_WIRE_LOST;
	*ret_line = (struct fr_slice){ .data = rest->data, .len_bytes = n };
	rest->data += n + 2;
	rest->len_bytes -= n + 2;
	return FR_WIRE_UNIT;
}

/* A count behind a type byte: "$12", "*-1". */
static bool read_count(struct fr_slice line, int64_t max, int64_t *ret_count)
{
	bool negative = line.len_bytes > 1 && line.data[1] == '-';
	size_t from = 1 + negative;
	int64_t v = 0;

	if (line.len_bytes <= from || line.len_bytes - from > NUMBER_DIGITS_MAX)
		return false;
	for (size_t i = from; i < line.len_bytes; i++) {
		if (!is_digit(line.data[i]))
			return false;
		v = v * 10 + (line.data[i] - '0');
	}
	if (v > max || (negative && v != 1))
		return false;
	*ret_count = negative ? -1 : v;
	return true;
}

/* "*3" or "$5" at *rest. A line too long for that is none. */
static enum fr_wire_verdict take_count(struct fr_slice *rest, char type, int64_t max,
				       int64_t *ret_count)
{
	struct fr_slice line;
	enum fr_wire_verdict v;

	if (!rest->len_bytes)
		return FR_WIRE_MORE;
	if (rest->data[0] != (uint8_t)type)
		return FR_WIRE_LOST;
	v = take_line(rest, &line);
	if (v == FR_WIRE_MORE && rest->len_bytes > NUMBER_DIGITS_MAX + 2)
		return FR_WIRE_LOST;
	if (v != FR_WIRE_UNIT)
		return v;
	return read_count(line, max, ret_count) ? FR_WIRE_UNIT : FR_WIRE_LOST;
}

static bool keep_word(struct state *st, struct fr_slice word)
{
	if (!word.len_bytes || word.len_bytes > WORD_BYTES)
		return false;
	for (size_t i = 0; i < word.len_bytes; i++) {
		uint8_t b = word.data[i];

		if (!is_word_byte(b) && !(i && is_digit(b)))
			return false;
		st->word[i] = (char)(b >= 'a' && b <= 'z' ? b - 'a' + 'A' : b);
	}
	st->word_bytes = (uint8_t)word.len_bytes;
	return true;
}

static bool is_one_of(struct fr_slice word, const char *const *words)
{
	for (; *words; words++)
		if (fr_slice_is(word, *words))
			return true;
	return false;
}

/* What a command does to the queue. second: its next argument, as far as it is there. */
static void on_command(struct state *st, struct fr_slice second, struct fr_wire_unit *u)
{
	static const char *const listening[] = { "SUBSCRIBE",	 "PSUBSCRIBE",	 "SSUBSCRIBE",
						 "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE",
						 NULL };

	u->command = (struct fr_slice){ .data = (const uint8_t *)st->word,
					.len_bytes = st->word_bytes };
	st->placed = 1;
	if (is_one_of(u->command, listening)) {
		st->listens = 1; /* answered once for each channel, out of band */
		return;
	}
	if (fr_slice_is(u->command, "MONITOR") || fr_slice_is(u->command, "PSYNC") ||
	    fr_slice_is(u->command, "SYNC") ||
	    (fr_slice_is(u->command, "CLIENT") && second.len_bytes == 5 &&
	     (second.data[0] | 0x20) == 'r' && (second.data[4] | 0x20) == 'y')) {
		u->effects = FR_UNIT_RAW; /* replies cannot be counted from here on */
		return;
	}
	u->effects = FR_UNIT_BEGIN;
	u->kind = COMMAND;
}

/* "PING\r\n" as typed into a terminal. */
static enum fr_wire_verdict parse_inline(struct state *st, struct fr_slice bytes,
					 struct fr_wire_unit *u)
{
	struct fr_slice rest = bytes, line, word;
	enum fr_wire_verdict v = take_line(&rest, &line);

	if (!st->placed || (bytes.data[0] != '\r' && !is_word_byte(bytes.data[0])))
		return FR_WIRE_LOST;
	if (v != FR_WIRE_UNIT)
		return v;
	if (!line.len_bytes) { /* redis-cli --pipe sends one; servers pass over them */
		u->unit_bytes = 2;
		return FR_WIRE_UNIT;
	}
	word = line;
	for (word.len_bytes = 0; word.len_bytes < line.len_bytes; word.len_bytes++)
		if (line.data[word.len_bytes] == ' ')
			break;
	if (!keep_word(st, word))
		return FR_WIRE_LOST;
	u->unit_bytes = line.len_bytes + 2;
	on_command(st, (struct fr_slice){ 0 }, u);
	return FR_WIRE_UNIT;
}

/* A command whose arguments go on behind what is there. */
static enum fr_wire_verdict cut_command(struct state *st, const struct fr_wire_look *look,
					struct fr_slice second, bool has_word,
					struct fr_wire_unit *u)
{
	if (!look->last)
		return FR_WIRE_MORE;
	if (!has_word)
		return FR_WIRE_LOST;
	u->marks |= FR_MARK_CUT;
	u->unit_bytes = FR_WIRE_LENGTH_UNKNOWN;
	on_command(st, second, u);
	return FR_WIRE_UNIT;
}

static enum fr_wire_verdict parse_command(const struct fr_wire_look *look, struct fr_slice bytes,
					  struct fr_wire_unit *u)
{
	struct state *st = look->state;
	struct fr_slice rest = bytes, second = { 0 };
	int64_t arg_cnt = 0, arg_bytes = 0;
	enum fr_wire_verdict v;

	if (bytes.data[0] != '*')
		return parse_inline(st, bytes, u);
	v = take_count(&rest, '*', ARGS_MAX, &arg_cnt);
	if (v != FR_WIRE_UNIT)
		return v;
	if (arg_cnt < 1)
		return FR_WIRE_LOST;
	for (int64_t i = 0; i < arg_cnt; i++) {
		struct fr_slice arg;

		v = take_count(&rest, '$', BULK_BYTES_MAX, &arg_bytes);
		if (v == FR_WIRE_LOST || (v == FR_WIRE_UNIT && arg_bytes < 0))
			return FR_WIRE_LOST;
		if (v == FR_WIRE_MORE)
			return cut_command(st, look, second, i, u);
		if (i == arg_cnt - 1 && i) { /* its value need not be there */
			u->unit_bytes = (uint64_t)(rest.data - bytes.data + arg_bytes + 2);
			break;
		}
		if (rest.len_bytes < (size_t)arg_bytes + 2)
			return !i && arg_bytes > WORD_BYTES ?
				       FR_WIRE_LOST :
				       cut_command(st, look, second, i, u);
		arg = (struct fr_slice){ .data = rest.data, .len_bytes = (size_t)arg_bytes };
		if (memcmp(rest.data + arg_bytes, "\r\n", 2) || (!i && !keep_word(st, arg)))
			return FR_WIRE_LOST;
		second = i == 1 ? arg : second;
		rest.data += arg_bytes + 2;
		rest.len_bytes -= (size_t)arg_bytes + 2;
		u->unit_bytes = (uint64_t)(rest.data - bytes.data);
	}
	on_command(st, second, u);
	return FR_WIRE_UNIT;
}

/* One element: how long, and how many more it brings along. */
static enum fr_wire_verdict read_element(struct fr_slice bytes, uint64_t *ret_bytes,
					 uint64_t *ret_more, struct fr_slice *ret_line)
{
	struct fr_slice rest = bytes;
	enum fr_wire_verdict v;
	int64_t count;

	if (!bytes.data[0] || !strchr("+-:$*_,#!=(%~>|", bytes.data[0]))
		return FR_WIRE_LOST;
	v = take_line(&rest, ret_line);
	if (v != FR_WIRE_UNIT)
		return v;
	*ret_bytes = ret_line->len_bytes + 2;
	*ret_more = 0;
	switch (bytes.data[0]) {
	case '$':
	case '!':
	case '=':
		if (!read_count(*ret_line, BULK_BYTES_MAX, &count))
			return FR_WIRE_LOST;
		*ret_bytes += count < 0 ? 0 : (uint64_t)count + 2;
		break;
	case '*':
	case '~':
	case '>':
	case '%':
	case '|':
		if (!read_count(*ret_line, UINT32_MAX, &count))
			return FR_WIRE_LOST;
		*ret_more = count < 0 ? 0 : (uint64_t)count;
		if (bytes.data[0] == '%' || bytes.data[0] == '|')
			*ret_more *= 2;
		break;
	case ':':
		if (!read_count(*ret_line, INT64_MAX, &count) && ret_line->len_bytes > 21)
			return FR_WIRE_LOST;
		break;
	default:
		break;
	}
	return FR_WIRE_UNIT;
}

/* Of a connection that listens, in RESP2: "*3", "$7", "message". MORE while that isn't there. */
static enum fr_wire_verdict is_message(struct fr_slice rest)
{
	static const char *const words[] = { "message",	    "pmessage",	   "smessage",
					     "subscribe",   "psubscribe",  "ssubscribe",
					     "unsubscribe", "punsubscribe", "sunsubscribe", NULL };
	int64_t word_bytes;
	enum fr_wire_verdict v = take_count(&rest, '$', WORD_BYTES, &word_bytes);

	if (v != FR_WIRE_UNIT)
		return v;
	if (word_bytes < 0)
		return FR_WIRE_LOST;
	if (rest.len_bytes < (size_t)word_bytes)
		return FR_WIRE_MORE;
	rest.len_bytes = (size_t)word_bytes;
	return is_one_of(rest, words) ? FR_WIRE_UNIT : FR_WIRE_LOST;
}

static void on_error(struct fr_slice line, struct fr_wire_unit *u)
{
	size_t n = 1;

	while (n < line.len_bytes && line.data[n] >= 'A' && line.data[n] <= 'Z')
		n++;
	u->effects |= FR_UNIT_FAIL;
	u->status = FR_WIRE_STATUS_ERROR;
	/* "-ERR text": the text quotes values, the word doesn't */
	u->code = (struct fr_slice){ .data = line.data + 1, .len_bytes = n - 1 };
}

static enum fr_wire_verdict parse_element(const struct fr_wire_look *look, struct fr_slice bytes,
					  struct fr_wire_unit *u)
{
	struct state *st = look->state;
	bool first = !st->left;
	struct fr_slice line = { 0 };
	enum fr_wire_verdict v;
	uint64_t more = 0;

	v = read_element(bytes, &u->unit_bytes, &more, &line);
	if (v != FR_WIRE_UNIT)
		return v;
	if (first) {
		st->is_push = bytes.data[0] == '>';
		if (bytes.data[0] == '*' && st->listens) {
			struct fr_slice rest = bytes;

			rest.data += u->unit_bytes;
			rest.len_bytes -= u->unit_bytes;
			v = is_message(rest);
			if (v == FR_WIRE_MORE && !look->last)
				return v;
			st->is_push = v != FR_WIRE_LOST;
		}
		st->left = 1;
	}
	if (first && !st->is_push) {
		u->effects = FR_UNIT_REPLY | FR_UNIT_HEAD | FR_UNIT_ORPHAN;
		u->kind = u->answers = COMMAND;
		if (bytes.data[0] == '-' || bytes.data[0] == '!')
			on_error(line, u);
		else
			u->status = FR_WIRE_STATUS_OK;
	}
	st->left += more - (bytes.data[0] != '|'); /* an attribute stands before what it adorns */
	if (st->left > LEFT_MAX)
		return FR_WIRE_LOST;
	if (!st->left && !st->is_push)
		u->ends = COMMAND;
	return FR_WIRE_UNIT;
}

static enum fr_wire_verdict parse(const struct fr_wire_look *look, struct fr_slice bytes,
				  struct fr_wire_unit *ret_unit)
{
	return look->role == FR_WIRE_REQUEST ? parse_command(look, bytes, ret_unit) :
					       parse_element(look, bytes, ret_unit);
}

static int detect(struct fr_slice request, struct fr_slice response)
{
	struct state st = { 0 };
	struct fr_wire_look look = { .state = &st, .last = true };
	struct fr_wire_unit u = { 0 };
	struct fr_slice line;
	uint64_t n;

	if (response.len_bytes && read_element(response, &n, &n, &line) == FR_WIRE_LOST)
		return 0;
	if (!request.len_bytes)
		return 1;
	if (request.data[0] != '*')
		return 0;
	return parse_command(&look, request, &u) == FR_WIRE_UNIT ? 2 : request.len_bytes < 8;
}

static void rejoin(void *state, enum fr_wire_role role)
{
	struct state *st = state;

	if (role == FR_WIRE_REQUEST)
		st->placed = 0;
	else
		st->left = 0;
}

const struct fr_wire_protocol fr_wire_redis = {
	.id = FR_WIRE_REDIS,
	.name = "redis",
	.detect = detect,
	.parse = parse,
	.rejoin = rejoin,
};
