// Errors as values: a function that fails returns a negative errno and leaves, per thread, a chain of
// what was being done. Only cmd/ prints it.
#ifndef MMPROF_BASE_ERR_H
#define MMPROF_BASE_ERR_H

// Starts a new chain: `code` is a negative errno, the text says what went wrong and what to do.
// The errno's own words are not added; use %m or g_strerror() where they help. Returns `code`.
int err_set(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// Puts what was being done in front of the chain: "open a.db: Permission denied". Returns `code`.
int err_add(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// The chain as one line, without a newline; valid until the thread's next err_set/err_add.
const char *err_text(void);

#endif
