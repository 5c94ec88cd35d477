/* A unit test: tests/unit/LAYER/NAME.c says what src/LAYER/NAME.c does, through its header.
 *
 * A file ends with UNIT_TESTS(…), a row for each test, in the order in which they run. All files of
 * a layer are one program, build/test/unit-LAYER (main.c), which runs each file in a process of its
 * own: what one file leaves behind in memory, no other sees. Names of tests are sentences. */
#ifndef CRUMB_TESTS_UNIT_H
#define CRUMB_TESTS_UNIT_H

/* What cmocka wants included, in its order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TEST(name) static void name(void **state)

/* The tests of a file. */
struct unit_file {
	const char *source; /* its path */
	const struct CMUnitTest *tests;
	size_t n;
	int (*begin)(void **), (*end)(void **); /* before the first and after the last, or NULL */
	struct unit_file *next;
};

/* Called before main() by what UNIT_TESTS() makes. */
void unit_add(struct unit_file *f);

#define UNIT_TESTS(...) UNIT_TESTS_BETWEEN(NULL, NULL, __VA_ARGS__)

/* With what is done once for the file, before its first test and after its last. */
#define UNIT_TESTS_BETWEEN(begin_, end_, ...)                                                      \
	static const struct CMUnitTest unit_tests[] = {__VA_ARGS__};                               \
	__attribute__((constructor)) static void unit_register(void)                               \
	{                                                                                          \
		static struct unit_file f = {.source = __FILE__,                                   \
		    .tests = unit_tests,                                                           \
		    .n = sizeof unit_tests / sizeof *unit_tests,                                   \
		    .begin = begin_,                                                               \
		    .end = end_};                                                                  \
		unit_add(&f);                                                                      \
	}

#endif
