/* Memory that runs out when a test says so. All unit tests are linked with malloc(), calloc() and
 * realloc() wrapped (Makefile), so that what the program under test asks for comes by starve.c;
 * what libraries ask for does not. What a test says is said for its own thread. */
#ifndef CRUMB_TEST_STARVE_H
#define CRUMB_TEST_STARVE_H

/* From now on `granted` requests are granted and all others fail, until starve_end(). */
void starve_after(long granted);
void starve_end(void);

#endif
