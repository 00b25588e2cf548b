/* SPDX-License-Identifier: BSD-2-Clause */
#include "jsonread.h"

#include <errno.h>

struct fr_jsonread fr_jsonread_of(const void *data, size_t data_bytes)
{
	const uint8_t *begin = data_bytes ? data : (const uint8_t *)"";

	return (struct fr_jsonread){ .begin = begin, .at = begin, .end = begin + data_bytes };
}

void fr_jsonread_fail(struct fr_jsonread *r, const char *why)
{
	if (!r->why)
		r->why = why;
}

size_t fr_jsonread_offset(const struct fr_jsonread *r)
{
	return (size_t)(r->at - r->begin);
}

static void skip_space(struct fr_jsonread *r)
{
	while (r->at < r->end &&
	       (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
		r->at++;
}

/* The next byte that is no white space; 0 at the end and after an error. */
static uint8_t next_byte(struct fr_jsonread *r)
{
	if (r->why)
		return 0;
	skip_space(r);
	return r->at < r->end ? *r->at : 0;
}

enum fr_jsonread_kind fr_jsonread_peek(struct fr_jsonread *r)
{
	uint8_t c = next_byte(r);

	if (c == '{')
		return FR_JSONREAD_OBJECT;
	if (c == '[')
		return FR_JSONREAD_ARRAY;
	if (c == '"')
		return FR_JSONREAD_STRING;
	if (c == '-' || (c >= '0' && c <= '9'))
		return FR_JSONREAD_NUMBER;
	if (c == 't' || c == 'f')
		return FR_JSONREAD_BOOL;
	if (c == 'n')
		return FR_JSONREAD_NULL;
	fr_jsonread_fail(r, r->at < r->end ? "no value begins here" : "ends where a value must be");
	return FR_JSONREAD_ERROR;
}

/* ---- strings -------------------------------------------------------------------------------- */

/* Bytes of the well-formed UTF-8 character (no ASCII) at p, 0 if there is none (Unicode, D92). */
static size_t utf8_char(const uint8_t *p, const uint8_t *end)
{
	static const struct {
		uint8_t first_min, first_max, second_min, second_max, char_bytes;
	} forms[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		size_t char_bytes = forms[i].char_bytes;

		if (*p < forms[i].first_min || *p > forms[i].first_max)
			continue;
		if ((size_t)(end - p) < char_bytes || p[1] < forms[i].second_min ||
		    p[1] > forms[i].second_max)
			return 0;
		for (size_t k = 2; k < char_bytes; k++)
			if ((p[k] & 0xc0) != 0x80)
				return 0;
		return char_bytes;
	}
	return 0;
}

static void add_utf8(struct fr_buf *out, uint32_t code)
{
	uint8_t text[4];
	size_t tail_cnt = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
	static const uint8_t first[4] = { 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = tail_cnt; i; i--) {
		text[i] = (uint8_t)(0x80 | (code & 0x3f));
		code >>= 6;
	}
	text[0] = (uint8_t)(first[tail_cnt] | code);
	fr_buf_add(out, text, tail_cnt + 1);
}

/* Four hex digits at .at; false latches. */
static bool read_hex4(struct fr_jsonread *r, uint32_t *ret)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++) {
		uint8_t c = r->at < r->end ? *r->at : 0, low = c | 0x20;

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if (low >= 'a' && low <= 'f')
			v = v << 4 | (uint32_t)(low - 'a' + 10);
		else
			break;
		r->at++;
		if (i < 3)
			continue;
		*ret = v;
		return true;
	}
	fr_jsonread_fail(r, "\\u needs four hexadecimal digits");
	return false;
}

static void read_unicode_escape(struct fr_jsonread *r, struct fr_buf *out)
{
	uint32_t code, low;

	if (!read_hex4(r, &code))
		return;
	if (code >= 0xd800 && code < 0xdc00) {
		if (r->end - r->at < 2 || r->at[0] != '\\' || r->at[1] != 'u') {
			fr_jsonread_fail(r, "half of a surrogate pair");
			return;
		}
		r->at += 2;
		if (!read_hex4(r, &low))
			return;
		if (low < 0xdc00 || low > 0xdfff) {
			fr_jsonread_fail(r, "half of a surrogate pair");
			return;
		}
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	} else if (code >= 0xdc00 && code < 0xe000) {
		fr_jsonread_fail(r, "half of a surrogate pair");
		return;
	}
	add_utf8(out, code);
}

/* .at is behind the backslash. */
static void read_escape(struct fr_jsonread *r, struct fr_buf *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	uint8_t c = r->at < r->end ? *r->at : 0;
	const char *found = c ? strchr(from, c) : NULL;

	if (c == 'u') {
		r->at++;
		read_unicode_escape(r, out);
	} else if (found) {
		r->at++;
		fr_buf_add_char(out, to[found - from]);
	} else {
		fr_jsonread_fail(r, "no such escape");
	}
}

/* Bytes that stand for themselves; none is an error or the end of the string. */
static void read_plain(struct fr_jsonread *r, struct fr_buf *out)
{
	const uint8_t *from = r->at;
	size_t char_bytes;

	while (r->at < r->end && *r->at >= 0x20 && *r->at != '"' && *r->at != '\\') {
		char_bytes = *r->at < 0x80 ? 1 : utf8_char(r->at, r->end);
		if (!char_bytes) {
			fr_jsonread_fail(r, "not UTF-8");
			return;
		}
		r->at += char_bytes;
	}
	fr_buf_add(out, from, (size_t)(r->at - from));
	if (r->at < r->end && *r->at < 0x20)
		fr_jsonread_fail(r, "a control character in a string");
}

void fr_jsonread_string(struct fr_jsonread *r, struct fr_buf *ret_text)
{
	fr_buf_clear(ret_text);
	if (next_byte(r) != '"') {
		fr_jsonread_fail(r, "must be a string");
		return;
	}
	r->at++;
	while (!r->why) {
		read_plain(r, ret_text);
		if (ret_text->err)
			fr_jsonread_fail(r, "a string is too long, or there is no memory for it");
		if (r->why)
			return;
		if (r->at == r->end) {
			fr_jsonread_fail(r, "ends inside a string");
			return;
		}
		if (*r->at++ == '"')
			return;
		read_escape(r, ret_text);
	}
}

/* ---- objects and arrays --------------------------------------------------------------------- */

static void enter(struct fr_jsonread *r, uint8_t bracket, const char *why)
{
	if (next_byte(r) != bracket) {
		fr_jsonread_fail(r, why);
	} else if (r->depth == FR_JSONREAD_DEPTH_MAX) {
		fr_jsonread_fail(r, "nested too deep");
	} else {
		r->at++;
		r->depth++;
		r->first = true;
	}
}

/* To the next member of what is open: true, or false when it closes or nothing fits. */
static bool next_member(struct fr_jsonread *r, uint8_t bracket, const char *why)
{
	uint8_t c = next_byte(r);
	bool was_first = r->first;

	if (r->why)
		return false;
	r->first = false;
	if (c == bracket) {
		r->at++;
		r->depth--;
		return false;
	}
	if (was_first)
		return true;
	if (c != ',') {
		fr_jsonread_fail(r, why);
		return false;
	}
	r->at++;
	return true;
}

void fr_jsonread_object(struct fr_jsonread *r)
{
	enter(r, '{', "must be an object");
}

bool fr_jsonread_key(struct fr_jsonread *r, struct fr_buf *ret_key)
{
	if (!next_member(r, '}', "',' or '}' must follow"))
		return false;
	if (next_byte(r) != '"') {
		fr_jsonread_fail(r, "a key must be a string");
		return false;
	}
	fr_jsonread_string(r, ret_key);
	if (next_byte(r) != ':') {
		fr_jsonread_fail(r, "':' must follow a key");
		return false;
	}
	r->at++;
	return true;
}

void fr_jsonread_array(struct fr_jsonread *r)
{
	enter(r, '[', "must be an array");
}

bool fr_jsonread_item(struct fr_jsonread *r)
{
	return next_member(r, ']', "',' or ']' must follow");
}

/* ---- other values --------------------------------------------------------------------------- */

static bool take_word(struct fr_jsonread *r, const char *word)
{
	size_t word_bytes = strlen(word);

	if ((size_t)(r->end - r->at) < word_bytes || memcmp(r->at, word, word_bytes))
		return false;
	r->at += word_bytes;
	return true;
}

bool fr_jsonread_bool(struct fr_jsonread *r)
{
	next_byte(r);
	if (r->why)
		return false;
	if (take_word(r, "true"))
		return true;
	if (!take_word(r, "false"))
		fr_jsonread_fail(r, "must be true or false");
	return false;
}

static bool skip_digits(struct fr_jsonread *r)
{
	const uint8_t *from = r->at;

	while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
		r->at++;
	return r->at > from;
}

static void skip_number(struct fr_jsonread *r)
{
	bool is_right;

	if (*r->at == '-')
		r->at++;
	if (r->at < r->end && *r->at == '0') {
		r->at++;
		is_right = true; /* no digit may follow: what it is then is found wrong later */
	} else {
		is_right = skip_digits(r);
	}
	if (is_right && r->at < r->end && *r->at == '.') {
		r->at++;
		is_right = skip_digits(r);
	}
	if (is_right && r->at < r->end && (*r->at | 0x20) == 'e') {
		r->at++;
		if (r->at < r->end && (*r->at == '+' || *r->at == '-'))
			r->at++;
		is_right = skip_digits(r);
	}
	if (!is_right)
		fr_jsonread_fail(r, "not a number");
}

/* A string that nobody wants. */
static void skip_string(struct fr_jsonread *r)
{
	struct fr_buf unwanted = { 0 };

	fr_jsonread_string(r, &unwanted);
	fr_buf_done(&unwanted);
}

/* A value that is no object or array. */
static void skip_scalar(struct fr_jsonread *r, enum fr_jsonread_kind kind)
{
	if (kind == FR_JSONREAD_STRING)
		skip_string(r);
	else if (kind == FR_JSONREAD_NUMBER)
		skip_number(r);
	else if (kind == FR_JSONREAD_BOOL)
		fr_jsonread_bool(r);
	else if (kind == FR_JSONREAD_NULL && !take_word(r, "null"))
		fr_jsonread_fail(r, "must be null");
}

void fr_jsonread_skip(struct fr_jsonread *r)
{
	bool is_object[FR_JSONREAD_DEPTH_MAX + 1];
	uint32_t outside = r->depth;
	struct fr_buf key = { 0 };
	enum fr_jsonread_kind kind;

	do {
		kind = fr_jsonread_peek(r);
		if (kind == FR_JSONREAD_OBJECT)
			fr_jsonread_object(r);
		else if (kind == FR_JSONREAD_ARRAY)
			fr_jsonread_array(r);
		else
			skip_scalar(r, kind);
		if (!r->why && (kind == FR_JSONREAD_OBJECT || kind == FR_JSONREAD_ARRAY))
			is_object[r->depth] = kind == FR_JSONREAD_OBJECT;
		/* leaves all that ends here, until there is another value to skip */
		while (!r->why && r->depth > outside &&
		       !(is_object[r->depth] ? fr_jsonread_key(r, &key) : fr_jsonread_item(r)))
			;
	} while (!r->why && r->depth > outside);
	fr_buf_done(&key);
}

int fr_jsonread_end(struct fr_jsonread *r)
{
	if (!r->why && r->depth)
		fr_jsonread_fail(r, "something is still open");
	next_byte(r);
	if (!r->why && r->at < r->end)
		fr_jsonread_fail(r, "something follows the value");
	return r->why ? -EINVAL : 0;
}
