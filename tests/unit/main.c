/* The program of a layer's unit tests.
 *
 *   build/test/unit-base              all of them
 *   build/test/unit-base str spread   the files base/str.c and base/spread.c
 *   build/test/unit-base 'a_map_*'    tests by name
 *   build/test/unit-base --list       says what there is
 *
 * Each file runs in a child, so that a crash ends one file and the others still run. With one file
 * chosen there is no child, for a debugger. The exit status is 0 when everything passed. */
#include "unit.h"

#include <fnmatch.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define TESTS_MOST 200 /* of one file */

static struct unit_file *files; /* sorted by name */

void unit_add(struct unit_file *f)
{
	struct unit_file **at = &files;
	while (*at && strcmp((*at)->source, f->source) < 0)
		at = &(*at)->next;
	f->next = *at;
	*at = f;
}

/* "base/str" of "tests/unit/base/str.c". */
static void name_of(const struct unit_file *f, char out[64])
{
	const char *at = strstr(f->source, "unit/");
	snprintf(out, 64, "%s", at ? at + 5 : f->source);
	out[strcspn(out, ".")] = 0;
}

static bool is_file(const struct unit_file *f, const char *word)
{
	char name[64];
	name_of(f, name);
	const char *last = strrchr(name, '/');
	return strcmp(word, name) == 0 || (last && strcmp(word, last + 1) == 0);
}

/* The tests of a file that the words choose; all without a word. */
static size_t chosen(const struct unit_file *f, int n, char **words, struct CMUnitTest *out)
{
	size_t found = 0;
	for (size_t i = 0; i < f->n && found < TESTS_MOST; i++) {
		bool wanted = n == 0;
		for (int k = 0; k < n; k++)
			wanted |=
			    is_file(f, words[k]) || fnmatch(words[k], f->tests[i].name, 0) == 0;
		if (wanted)
			out[found++] = f->tests[i];
	}
	return found;
}

static int run(const struct unit_file *f, const struct CMUnitTest *tests, size_t n)
{
	char name[64];
	name_of(f, name);
	printf("%s\n", name);
	fflush(stdout);
	return _cmocka_run_group_tests(name, tests, n, f->begin, f->end) != 0;
}

static int run_apart(const struct unit_file *f, const struct CMUnitTest *tests, size_t n)
{
	int status = 0;
	fflush(NULL);
	pid_t child = fork();
	if (child == 0)
		exit(run(f, tests, n));
	if (child < 0 || waitpid(child, &status, 0) != child)
		status = -1;
	if (status != -1 && WIFEXITED(status) && WEXITSTATUS(status) <= 1)
		return WEXITSTATUS(status);
	char name[64];
	name_of(f, name);
	printf("[  FAILED  ] %s\n", name); /* it did not come to its end */
	return 1;
}

static void list(void)
{
	for (const struct unit_file *f = files; f; f = f->next) {
		char name[64];
		name_of(f, name);
		for (size_t i = 0; i < f->n; i++)
			printf("%s %s\n", name, f->tests[i].name);
	}
}

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[TESTS_MOST];
	int bad = 0;
	unsigned with = 0;
	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		list();
		return 0;
	}
	if (sodium_init() < 0)
		return 2;
	for (const struct unit_file *f = files; f; f = f->next)
		with += chosen(f, argc - 1, argv + 1, tests) > 0;
	if (with == 0) {
		fprintf(stderr, "%s: no such file or test; --list says what there is\n", *argv);
		return 2;
	}
	for (const struct unit_file *f = files; f; f = f->next) {
		size_t n = chosen(f, argc - 1, argv + 1, tests);
		if (n)
			bad |= with == 1 ? run(f, tests, n) : run_apart(f, tests, n);
	}
	return bad;
}
