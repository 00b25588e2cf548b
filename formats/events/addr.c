/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses as text (event.h). */
#include <stdio.h>

#include "../base/digits.h"
#include "event.h"

#define ADDR_TEXT_BYTES 48 /* "ffff:" x 7 + "255.255.255.255" */

static int put_v4(char *text, size_t text_bytes, const uint8_t *a)
{
	return snprintf(text, text_bytes, "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
}

static uint32_t group_of(const uint8_t *a, uint32_t i)
{
	return (uint32_t)a[2 * i] << 8 | a[2 * i + 1];
}

/* The longest run of at least two zero groups, the first of equal ones (RFC 5952, 4.2). */
static uint32_t longest_zeros(const uint8_t *a, uint32_t *ret_len)
{
	uint32_t best = 8, best_len = 1, i, len;

	for (i = 0; i < 8; i += len + 1) {
		for (len = 0; i + len < 8 && !group_of(a, i + len); len++)
			;
		if (len > best_len) {
			best = i;
			best_len = len;
		}
	}
	*ret_len = best_len;
	return best;
}

static bool holds_v4(const uint8_t *a)
{
	static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(a, v4_mapped, sizeof(v4_mapped));
}

static void put_v6(char *text, size_t text_bytes, const uint8_t *a)
{
	uint32_t zeros_len, zeros = longest_zeros(a, &zeros_len), i;
	size_t used = 0;

	if (holds_v4(a)) {
		used = (size_t)snprintf(text, text_bytes, "::ffff:");
		put_v4(text + used, text_bytes - used, a + 12);
		return;
	}
	text[0] = 0;
	for (i = 0; i < 8;) {
		if (i == zeros) {
			used += (size_t)snprintf(text + used, text_bytes - used, "::");
			i += zeros_len;
			continue;
		}
		used += (size_t)snprintf(text + used, text_bytes - used, "%s%x",
					 i && i != zeros + zeros_len ? ":" : "", group_of(a, i));
		i++;
	}
}

size_t fr_addr_ip(const struct fr_sock_addr *from, bool remote, char *buf)
{
	struct fr_sock_addr a;
	const uint8_t *ip;
	char *p = buf;

	memcpy(&a, from, sizeof(a));
	ip = remote ? a.remote : a.local;
	if (a.family == FR_AF_INET6 && !holds_v4(ip)) {
		put_v6(buf, ADDR_TEXT_BYTES, ip);
		return strlen(buf);
	}
	if (a.family != FR_AF_INET && a.family != FR_AF_INET6)
		return 0;
	if (a.family == FR_AF_INET6)
		ip += 12;
	for (int i = 0; i < 4; i++) {
		if (i)
			*p++ = '.';
		p = fr_put_upto_4(p, ip[i]);
	}
	return (size_t)(p - buf);
}

char *fr_addr_format(const struct fr_sock_addr *from, bool remote, char *buf, size_t buf_bytes)
{
	char text[ADDR_TEXT_BYTES];
	struct fr_sock_addr a;
	const uint8_t *ip;
	uint64_t inode;
	uint32_t port;

	memcpy(&a, from, sizeof(a)); /* it may lie anywhere in a file's bytes */
	ip = remote ? a.remote : a.local;
	port = remote ? a.remote_port : a.local_port;
	if (a.family == FR_AF_INET) {
		put_v4(text, sizeof(text), ip);
		snprintf(buf, buf_bytes, "%s:%u", text, port);
	} else if (a.family == FR_AF_INET6) {
		put_v6(text, sizeof(text), ip);
		snprintf(buf, buf_bytes, "[%s]:%u", text, port);
	} else if (a.family == FR_AF_UNIX) {
		inode = fr_load64(ip);
		if (inode)
			snprintf(buf, buf_bytes, "unix:%llu", (unsigned long long)inode);
		else
			snprintf(buf, buf_bytes, "unix");
	} else {
		snprintf(buf, buf_bytes, "family %u", a.family);
	}
	return buf;
}
