/* A file of the dashboard, as tools/web.py writes it. Constant, for any thread. */
#ifndef CRUMB_WEB_WEB_FILES_H
#define CRUMB_WEB_WEB_FILES_H

struct web_file {
	const char *path; /* as a browser asks for it; NULL behind the last */
	const char *type;
	const char *etag;  /* its hash, without quotes */
	const void *bytes; /* gzip */
	unsigned long n;   /* packed */
	unsigned long plain;
};

extern const struct web_file web_files[];

#endif
