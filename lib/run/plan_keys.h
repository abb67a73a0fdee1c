// The sections and keys of a plan: tables, and how a key's value is read. Private to plan.c.
#ifndef MMPROF_RUN_PLAN_KEYS_H
#define MMPROF_RUN_PLAN_KEYS_H

#include <stdbool.h>
#include <stddef.h>

enum plan_key_kind {
	KEY_TEXT,
	KEY_COMMAND, // text that is split like a shell's command line, into the list that follows it
	KEY_INT,
	KEY_INT64,
	KEY_REAL,
	KEY_FLAG,    // yes or no, into an int
	KEY_WORDS,   // a list of words; may be given more than once
	KEY_ENTRIES, // a list, one entry each time it is given
};

struct plan_key {
	const char *name;
	enum plan_key_kind kind;
	size_t offset; // within the section's struct
	double min, max;
};

struct plan_section_kind {
	const char *name;
	bool named;                  // [system NAME]; otherwise it comes once
	bool settings;               // takes settings besides its keys
	const struct plan_key *keys; // until a NULL name
};
extern const struct plan_section_kind plan_section_kinds[]; // until a NULL name

const struct plan_section_kind *plan_section_kind(const char *name);
const struct plan_key *plan_key(const struct plan_section_kind *kind, const char *name);

// What may have been meant: "; did you mean X?", else "; known: X, Y, Z". Free it.
char *plan_suggest_section(const char *word);
char *plan_suggest_key(const struct plan_section_kind *kind, const char *word);

// Reads `text` into `target`. -EINVAL with an err chain.
int plan_key_read(const struct plan_key *key, void *target, const char *text);

// Frees all that the keys of a section read.
void plan_keys_clear(const struct plan_section_kind *kind, void *target);

#endif
