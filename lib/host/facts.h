// How facts are given; see host_facts() in host.h. Private to lib/host.
#ifndef MMPROF_HOST_FACTS_H
#define MMPROF_HOST_FACTS_H

#include "host/internal.h"

struct facts {
	const char *root;
	host_fact_fn fact;
	void *ctx;
};

// Gives `value`, made one clean line, unless it is NULL or blank. The key's odd characters become '_'.
void facts_give(const struct facts *f, const char *value, const char *key, ...)
    __attribute__((format(printf, 3, 4)));

// Gives the text of a file below the root, if there is any.
void facts_file(const struct facts *f, const char *path, const char *key, ...)
    __attribute__((format(printf, 3, 4)));

// The parts that need more than reading a file.
void facts_cpu(const struct facts *f);
void facts_memory(const struct facts *f);

#endif
