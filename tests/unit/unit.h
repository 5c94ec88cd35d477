/* What cmocka wants included, in its order; and a row for each test. */
#ifndef CRUMB_TESTS_UNIT_H
#define CRUMB_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TEST(name) static void name(void **state)
#define RUN(...)                                                                                                                                     \
	int main(void)                                                                                                                               \
	{                                                                                                                                            \
		const struct CMUnitTest tests[] = {__VA_ARGS__};                                                                                     \
		return cmocka_run_group_tests(tests, NULL, NULL);                                                                                    \
	}

#endif
