// What the files of lib/store share: the connection, statements made once and kept, values to bind, and one
// place that turns SQLite's errors into an errno and a line. Not for anything outside lib/store.
#ifndef MMPROF_STORE_INTERNAL_H
#define MMPROF_STORE_INTERNAL_H

#include <glib.h>
#include <sqlite3.h>

#include "store/store.h"

#define STORE_APPLICATION_ID 0x6d6d7072
#define STORE_VERSION 3

struct store {
	sqlite3 *db;
	enum store_mode mode;
	char *path;            // absolute
	bool created;          // by this store_open
	GHashTable *stmts;     // SQL text → sqlite3_stmt, reset between uses
	GHashTable *last;      // series id → struct last_sample
	bool later;            // the next write begins the transaction
	GArray *waiting;       // struct waiting_sample: given since store_begin_later()
	GStringChunk *strings; // texts that were read; they live as long as the store
};

// A value to bind.
struct value {
	int type; // SQLITE_INTEGER, SQLITE_FLOAT, SQLITE_TEXT, SQLITE_BLOB, SQLITE_NULL
	int64_t i;
	double r;
	const void *p;
	size_t len;
};

static inline struct value v_int(int64_t i)
{
	return (struct value){.type = SQLITE_INTEGER, .i = i};
}

// -1 stands for "has none".
static inline struct value v_int_or_null(int64_t i)
{
	return (struct value){.type = i < 0 ? SQLITE_NULL : SQLITE_INTEGER, .i = i};
}

// NULL above 2^63 - 1: the caller puts the exact value into the loss ledger; see schema.sql.
static inline struct value v_u64(uint64_t u)
{
	return (struct value){.type = u > INT64_MAX ? SQLITE_NULL : SQLITE_INTEGER, .i = (int64_t)u};
}

static inline struct value v_real(double r)
{
	return (struct value){.type = SQLITE_FLOAT, .r = r};
}

// NULL is stored as NULL; bytes that are not UTF-8 become U+FFFD.
static inline struct value v_text(const char *text)
{
	return (struct value){.type = text ? SQLITE_TEXT : SQLITE_NULL, .p = text};
}

static inline struct value v_blob(const void *p, size_t len)
{
	return (struct value){.type = SQLITE_BLOB, .p = p, .len = len};
}

// Turns an SQLite result into -errno with a fresh err chain that says what to do about it.
int store_error(struct store *store, int result);

// Runs SQL that gives no rows and takes no values.
int store_exec(struct store *store, const char *sql);

// The kept statement for `sql` (a string literal: kept by address), reset, its values bound.
int store_stmt(struct store *store, const char *sql, const struct value *values, size_t n,
	       sqlite3_stmt **stmt);

// Runs a statement that gives no rows.
int store_do(struct store *store, const char *sql, const struct value *values, size_t n);
#define STORE_DO(store, sql, ...)                                                                            \
	store_do(store, sql, (const struct value[]){__VA_ARGS__},                                            \
		 sizeof((const struct value[]){__VA_ARGS__}) / sizeof(struct value))

struct waiting_sample {
	int64_t series, t_ns, value;
};

// series.c: writes the samples that wait.
int store_write_waiting(struct store *store);

// One integer of one row; -ENOENT (no err chain) when there is no row or it is NULL.
int store_get_int(struct store *store, const char *sql, const struct value *values, size_t n, int64_t *out);

// A field of a row's struct, in the order of the SELECT's columns.
struct field {
	char type; // 'i' int64_t, 'r' double, 't' text, 'b' histogram buckets; capital: NULL is allowed
	size_t offset;
};
#define FIELD(type, row, name)                                                                               \
	{                                                                                                    \
		type, offsetof(struct row, name)                                                             \
	}

// read.c: a SELECT whose rows become an array of structs; what a column can't hold is -EBADMSG.
struct list {
	const char *sql; // a literal
	const struct field *fields;
	int n_fields;
	size_t row_size;
};
#define LIST(row_type, field_table, text)                                                                    \
	((struct list){text, field_table, G_N_ELEMENTS(field_table), sizeof(struct row_type)})
int store_list(struct store *s, const struct list *l, const struct value *values, size_t n, GArray **out);

// Runs a PRAGMA quick_check (a literal or interned), of all or of one table: -EBADMSG when it finds damage.
int store_quick_check(struct store *s, const char *pragma);

// schema.c: refuses what is not ours, makes the schema in an empty file, migrates an old one.
int store_schema(struct store *store);

// crash.c: marks runs whose mmprof is gone.
int store_mark_crashed(struct store *store);

// This process's start time as in /proc/self/stat, or another's; -1 when there is no such process.
int64_t store_process_start(int64_t pid);

// Where the kernel keeps logs of crashes; tests have their own.
extern const char *store_pstore_dir;

#endif
