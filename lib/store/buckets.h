// How a histogram's buckets are stored: pairs of LEB128 varints, see `hist` in schema.sql. Pure functions.
#ifndef MMPROF_STORE_BUCKETS_H
#define MMPROF_STORE_BUCKETS_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

// The longest blob: every bucket filled, each a delta of one byte (two for the first) and a count of ten.
#define BUCKETS_MAX_BLOB 8192

// HIST_BUCKETS counts → blob.
GByteArray *buckets_encode(const uint64_t *buckets);

// blob → HIST_BUCKETS counts. Takes only what buckets_encode gives: -EBADMSG with an err chain for anything
// else.
int buckets_decode(const void *blob, size_t len, uint64_t *buckets);

#endif
