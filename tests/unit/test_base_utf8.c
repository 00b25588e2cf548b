/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "formats/base/utf8.h"

static struct fr_slice of(const char *s)
{
	return (struct fr_slice){ (const uint8_t *)s, strlen(s) };
}

static void what_is_valid(void **state)
{
	static const char *const good[] = { "",
					    "plain text of more than eight bytes",
					    "gr\xc3\xbc\xc3\x9f",
					    "\xe2\x82\xac",
					    "\xf0\x9f\x98\x80",
					    "\xf4\x8f\xbf\xbf",
					    "\xed\x9f\xbf\xee\x80\x80" };
	static const char *const bad[] = {
		"\x80",		"\xc3",		"\xc0\x80",	    "12345678\xff",
		"\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
		"\xe2\x82"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(fr_utf8_valid(of(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(fr_utf8_valid(of(bad[i])));
	assert_true(fr_utf8_valid((struct fr_slice){ 0 }));
	assert_true(fr_utf8_valid((struct fr_slice){ (const uint8_t *)"a\0b", 3 }));
}

static void each_bad_byte_is_replaced(void **state)
{
	uint8_t to[64];
	size_t n = fr_utf8_repair(of("a\xff\xe2\x82"
				     "b\xc3\xbc\xed\xa0\x80"),
				  to);

	(void)state;
	to[n] = 0;
	assert_string_equal(
		(char *)to,
		"a" FR_UTF8_REPLACEMENT FR_UTF8_REPLACEMENT FR_UTF8_REPLACEMENT
		"b\xc3\xbc" FR_UTF8_REPLACEMENT FR_UTF8_REPLACEMENT FR_UTF8_REPLACEMENT);
	assert_true(fr_utf8_valid((struct fr_slice){ to, n }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_valid),
		cmocka_unit_test(each_bad_byte_is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
