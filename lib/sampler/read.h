// What the samplers share: reading whole small kernel files through kept descriptors, "name value" files
// whose lines are learned once, a budget that keeps dear readings rare, and the list of what is absent.
// Private to lib/sampler and its unit test.
#ifndef MMPROF_SAMPLER_READ_H
#define MMPROF_SAMPLER_READ_H

#include "sampler/sampler.h"

#include <stdbool.h>
#include <stddef.h>

// Put before every path of the kernel's; "" unless a test points to a tree of its own.
extern const char *sampler_root;

// The three functions that a sampler's file gives to table.c.
#define SAMPLER_FUNCTIONS(name)                                                                              \
	int name##_sampler_open(const struct sample_target *target, void **state);                           \
	int name##_sampler_read(void *state, const struct sample_target *target, struct sink *sink);         \
	void name##_sampler_close(void *state)

// --- text

// A buffer that is used again and again; the text always ends in NUL.
struct text {
	char *data;
	size_t len, size;
};

// Opens root + path for reading. A descriptor or -errno.
int text_open(const char *root, const char *path);
// The whole file from its beginning (procfs and sysfs make it anew at offset 0). 0 or -errno.
int text_read(struct text *text, int fd);
// Opens, reads and closes. 0 or -errno.
int text_load(struct text *text, const char *root, const char *path);
void text_free(struct text *text);

// The number at `p` after spaces, into *value; a sign is understood. What follows it, or NULL if none is
// there.
const char *parse_i64(const char *p, int64_t *value);
// The value that follows `key` at the start of a line ("VmPTE:", "usage_usec"). Whether it is there.
bool parse_keyed(const char *text, const char *key, int64_t *value);

// --- values: one file with one number in it

struct value_file {
	char *path;   // below sampler_root
	char *series; // NULL ends a list
	const char *unit;
	enum series_kind kind;
	int64_t scale;
	int fd; // kept while few are, -1: opened for each reading
};

// A file that can't be opened becomes a -errno. `unit` must outlive it.
int value_open(struct value_file *file, const char *path, const char *unit, enum series_kind kind,
	       int64_t scale);
// 0 or -errno
int value_read(struct value_file *file, int64_t *value);
void value_close(struct value_file *file);

// --- keyed: files of "name value" or "name: value kB" lines

struct key {
	char *name; // as the kernel writes it
	size_t name_len;
	bool kilobytes;     // the line ends in " kB"
	const char *prefix; // of the series' name, "vmstat."; NULL: this line isn't wanted
	const char *unit;
	enum series_kind kind;
	int64_t scale;
	char *series;
	int64_t value;
	bool has_value;
};

// Decides what a line is: sets unit, kind, scale, or prefix to NULL to leave it out. The key comes with the
// file's prefix, "bytes" scaled for kilobytes and "count" otherwise, gauge.
typedef void keyed_classify(struct key *key);

struct keyed;
// `line_prefix` stands before each name ("Node 0 "), or "". NULL and -errno in *error if it can't be opened.
struct keyed *keyed_open(const char *path, const char *line_prefix, const char *series_prefix,
			 keyed_classify *classify, int *error);
// Every wanted line into the sink. 0 or -errno.
int keyed_read(struct keyed *keyed, struct sink *sink);
void keyed_close(struct keyed *keyed);

// What the lines of /proc/vmstat and of a node's vmstat are (vmstat.c).
void vmstat_classify(struct key *key);

// --- budget: a part of a sampler whose cost grows with the machine or the workload

// The part is done at most as often as makes it half of what sampling may take, and always when the workload
// isn't running: the first and the last reading are never left out.
struct budget {
	int64_t free_at_ns, began_ns;
	double rest; // for each unit of time that it took
	int min_interval_ms;
};

bool budget_begin(struct budget *budget, const struct sample_target *target);
void budget_end(struct budget *budget);
int64_t monotonic_ns(void);

// --- absent: what this machine can't give, found at open and said at the first reading

struct absent;
void absent_add(struct absent **absent, const char *what, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
// Says what wasn't said yet; a `what` is said once.
void absent_say(struct absent **absent, struct sink *sink);
void absent_free(struct absent **absent);

#endif
