/* SPDX-License-Identifier: BSD-2-Clause */
/* Names whose values are secret, and names of hosts. */
#include "mask.h"

static uint8_t lower(uint8_t b)
{
	return b >= 'A' && b <= 'Z' ? b | 0x20 : b;
}

static bool is_letter(uint8_t b)
{
	return lower(b) >= 'a' && lower(b) <= 'z';
}

static bool has_at(struct fr_slice s, size_t at, const char *word)
{
	size_t n = strlen(word);

	if (s.len_bytes - at < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (lower(s.data[at + i]) != (uint8_t)word[i])
			return false;
	return true;
}

/* A hump of camelCase, or what stands between two bytes that are no letters. */
static bool stands_alone(struct fr_slice s, size_t at, size_t word_bytes)
{
	size_t end = at + word_bytes;

	if (at && is_letter(s.data[at - 1]) && !(s.data[at] < 'a' && s.data[at - 1] >= 'a'))
		return false;
	return end == s.len_bytes || !is_letter(s.data[end]) ||
	       (s.data[end] < 'a' && s.data[end - 1] >= 'a') ||
	       (s.data[end] == 's' && (end + 1 == s.len_bytes || !is_letter(s.data[end + 1])));
}

bool fr_is_secret_name(struct fr_slice name)
{
	/* anywhere in a name, and as words of their own */
	static const char *const parts[] = { "passw",	   "passphrase", "secret",  "token",
					     "credential", "signature",	 "apikey",  "accesskey",
					     "authoriz",   "cookie",	 "session", "bearer",
					     "privatekey", "awsaccess",	 NULL };
	static const char *const words[] = { "pass", "pwd", "pw",  "key", "sig",  "auth",  "sid",
					     "code", "otp", "pin", "jwt", "salt", "nonce", NULL };

	for (size_t at = 0; at < name.len_bytes; at++) {
		for (const char *const *p = parts; *p; p++)
			if (has_at(name, at, *p))
				return true;
		for (const char *const *p = words; *p; p++)
			if (has_at(name, at, *p) && stands_alone(name, at, strlen(*p)))
				return true;
	}
	return false;
}

/* ---- hosts ---------------------------------------------------------------------------------- */

static size_t label_before(struct fr_slice name, size_t end)
{
	while (end && name.data[end - 1] != '.')
		end--;
	return end;
}

static bool is_address(struct fr_slice name)
{
	bool has_digit = false;

	for (size_t i = 0; i < name.len_bytes; i++) {
		if (name.data[i] >= '0' && name.data[i] <= '9')
			has_digit = true;
		else if (name.data[i] != '.')
			return false;
	}
	return has_digit;
}

/*
 * Without the list of public suffixes (which changes each week) this is a guess that shows too
 * little rather than too much: the last two labels, or three where the last but one is as short as
 * in "co.uk"; nothing of a name that has fewer.
 */
size_t fr_registrable_bytes(struct fr_slice name)
{
	size_t end = name.len_bytes, last, second, third;

	if (is_address(name))
		return name.len_bytes;
	if (end && name.data[end - 1] == '.')
		end--;
	last = label_before(name, end);
	if (!last || last == end)
		return 0;
	second = label_before(name, last - 1);
	if (end - last == 2 && last - 1 - second <= 3) {
		if (!second)
			return 0;
		third = label_before(name, second - 1);
		return name.len_bytes - third;
	}
	return name.len_bytes - second;
}
