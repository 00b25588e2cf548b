/* SPDX-License-Identifier: BSD-2-Clause */
/* No byte of a secret, whatever is done to the transfers that carry it. */
#include "redact_cases.h"

static void no_byte_of_a_secret(void **state)
{
	(void)state;
	for (size_t i = 0; i < RD_CASE_CNT; i++) {
		rd_cases[i]();
		rd_sweep();
	}
}

static void a_body_that_waited_is_no_request(void **state)
{
	(void)state;
	case_body_continues();
	rd_try((struct rd_deed){ 0 });
	for (size_t at = 1; at < rd.says[0].cnt; at++) {
		rd_try((struct rd_deed){ .cut = at });
		rd_try((struct rd_deed){ .lost_from = at, .lost_to = rd.says[0].cnt });
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_byte_of_a_secret, rd_setup, rd_teardown),
		cmocka_unit_test_setup_teardown(a_body_that_waited_is_no_request, rd_setup,
						rd_teardown),
		{ "no_byte_of_a_secret_strict", no_byte_of_a_secret, rd_setup_strict, rd_teardown,
		  NULL },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
