/* Inside disk: what happens when a file is cut or overwritten while LMDB has it mapped. A read
 * beyond its end is SIGBUS, a page that leads nowhere SIGSEGV or LMDB's own assertion. None of them
 * can be gone on from; but the process says in one sentence which file it was, and ends like after
 * any other error. The next start finds that the store was not closed, looks at every page, and
 * does without what is damaged. */
#ifndef CRUMB_SRC_DISK_GUARD_H
#define CRUMB_SRC_DISK_GUARD_H

void guard_begin(void); /* once is enough; any thread */
/* Ends the process. Async-signal-safe. */
void guard_end(const char *file) __attribute__((noreturn));

#endif
