/* Inside disk: what happens when somebody cuts or overwrites a file while LMDB has it mapped. A
 * read beyond its end is SIGBUS. A page that leads nowhere is SIGSEGV, or fails an assertion of
 * LMDB. The process cannot go on after any of them. But it says in one sentence which file it was,
 * and ends like after any other error. The next start finds that the store was not closed, looks at
 * every page, and does without what is damaged. */
#ifndef CRUMB_SRC_DISK_GUARD_H
#define CRUMB_SRC_DISK_GUARD_H

/* Sets the handlers of the process. A second call does nothing. Any thread. */
void guard_begin(void);
/* Says that `file` was damaged, and ends the process with exit code 1. Async-signal-safe. */
void guard_end(const char *file) __attribute__((noreturn));

#endif
