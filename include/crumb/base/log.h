/* Log lines on stderr: `level module message key=value …`, of a server behind the time (RFC 3339,
 * UTC), or as an object of JSON. No field of a hit may be an argument. Any thread. */
#ifndef CRUMB_BASE_LOG_H
#define CRUMB_BASE_LOG_H

enum log_level {
	LOG_DEBUG,
	LOG_INFO,
	LOG_WARN,
	LOG_ERROR,
	LOG_NOTHING /* a threshold only: all is below it */
};

enum log_form {
	LOG_PLAIN, /* without time: of a command */
	LOG_TEXT,  /* with time: of a server */
	LOG_JSON   /* {"time":…,"level":…,"module":…,"message":…} */
};

void log_shape(enum log_form form);	  /* before threads; default LOG_PLAIN */
void log_threshold(enum log_level least); /* what is below is dropped; default LOG_INFO */
void log_line(enum log_level level, const char *module, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_debug(module, ...) log_line(LOG_DEBUG, module, __VA_ARGS__)
#define log_info(module, ...) log_line(LOG_INFO, module, __VA_ARGS__)
#define log_warn(module, ...) log_line(LOG_WARN, module, __VA_ARGS__)
#define log_error(module, ...) log_line(LOG_ERROR, module, __VA_ARGS__)

#endif
