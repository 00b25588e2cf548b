/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers as decimal text, for hot loops: each function writes at p without a terminating zero
 * and returns the place behind. The caller has made room (FR_DIGITS_*). Two digits at a time, no
 * division by a variable, no locale.
 */
#ifndef FR_BASE_DIGITS_H
#define FR_BASE_DIGITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FR_DIGITS_U64 20 /* most characters of fr_put_u64 */
#define FR_DIGITS_I64 20 /* of fr_put_i64, sign included */
#define FR_DIGITS_US3 21 /* of fr_put_us3: 17 + '.' + 3 */

static const char fr_digit_pairs[200] __attribute__((aligned(8), unused)) = {
	"00010203040506070809101112131415161718192021222324252627282930313233343536373839"
	"40414243444546474849505152535455565758596061626364656667686970717273747576777879"
	"8081828384858687888990919293949596979899"
};

/* Appends a string literal. */
#define fr_put_lit(p, literal)                                                                     \
	((char *)memcpy((p), "" literal, sizeof(literal) - 1) + sizeof(literal) - 1)

static inline char *fr_put_bytes(char *p, const void *data, size_t data_bytes)
{
	memcpy(p, data, data_bytes);
	return p + data_bytes;
}

/* Exactly two digits; v < 100. */
/* Two lowercase hex digits a byte. */
static inline char *fr_put_hex(char *p, const uint8_t *data, size_t data_bytes)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < data_bytes; i++) {
		*p++ = hex[data[i] >> 4];
		*p++ = hex[data[i] & 15];
	}
	return p;
}

static inline char *fr_put_2(char *p, uint32_t v)
{
	memcpy(p, fr_digit_pairs + (size_t)v * 2, 2);
	return p + 2;
}

/* Exactly three digits; v < 1000. */
static inline char *fr_put_3(char *p, uint32_t v)
{
	uint32_t hundreds = v / 100;

	p[0] = (char)('0' + hundreds);
	return fr_put_2(p + 1, v - hundreds * 100);
}

/* Exactly four digits; v < 10^4. */
static inline char *fr_put_4(char *p, uint32_t v)
{
	uint32_t high = v / 100;

	return fr_put_2(fr_put_2(p, high), v - high * 100);
}

/* Exactly eight digits; v < 10^8. */
static inline char *fr_put_8(char *p, uint32_t v)
{
	uint32_t high = v / 10000;

	return fr_put_4(fr_put_4(p, high), v - high * 10000);
}

/* One to four digits; v < 10^4. */
static inline char *fr_put_upto_4(char *p, uint32_t v)
{
	if (v < 10) {
		*p = (char)('0' + v);
		return p + 1;
	}
	if (v < 100)
		return fr_put_2(p, v);
	return v < 1000 ? fr_put_3(p, v) : fr_put_4(p, v);
}

/* One to eight digits; v < 10^8. */
static inline char *fr_put_upto_8(char *p, uint32_t v)
{
	uint32_t high;

	if (v < 10000)
		return fr_put_upto_4(p, v);
	high = v / 10000;
	return fr_put_4(fr_put_upto_4(p, high), v - high * 10000);
}

static inline char *fr_put_u32(char *p, uint32_t v)
{
	uint32_t high;

	if (v < 100000000)
		return fr_put_upto_8(p, v);
	high = v / 100000000;
	return fr_put_8(fr_put_upto_4(p, high), v - high * 100000000);
}

static inline char *fr_put_u64(char *p, uint64_t v)
{
	uint64_t high, top;

	if (v < 100000000)
		return fr_put_upto_8(p, (uint32_t)v);
	high = v / 100000000;
	if (high < 100000000) {
		p = fr_put_upto_8(p, (uint32_t)high);
	} else {
		top = high / 100000000;
		p = fr_put_upto_4(p, (uint32_t)top);
		p = fr_put_8(p, (uint32_t)(high - top * 100000000));
	}
	return fr_put_8(p, (uint32_t)(v - high * 100000000));
}

static inline char *fr_put_i64(char *p, int64_t v)
{
	if (v >= 0)
		return fr_put_u64(p, (uint64_t)v);
	*p = '-';
	return fr_put_u64(p + 1, 0 - (uint64_t)v);
}

/* Nanoseconds as microseconds with exactly three decimals: 1234567 -> "1234.567". */
static inline char *fr_put_us3(char *p, uint64_t ns)
{
	uint64_t us = ns / 1000;

	p = fr_put_u64(p, us);
	*p = '.';
	return fr_put_3(p + 1, (uint32_t)(ns - us * 1000));
}

#endif
