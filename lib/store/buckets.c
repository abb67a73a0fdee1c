// Histogram buckets as a sparse blob; see buckets.h.
#include "store/buckets.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "probes/hist.h"

static void put_varint(GByteArray *blob, uint64_t v)
{
	do {
		guint8 byte = (v & 0x7f) | (v > 0x7f ? 0x80 : 0);

		g_byte_array_append(blob, &byte, 1);
		v >>= 7;
	} while (v);
}

GByteArray *buckets_encode(const uint64_t *buckets)
{
	GByteArray *blob = g_byte_array_new();
	unsigned int before = 0;

	for (unsigned int b = 0; b < HIST_BUCKETS; b++) {
		if (!buckets[b])
			continue;
		put_varint(blob, b - before);
		put_varint(blob, buckets[b]);
		before = b;
	}
	return blob;
}

// One varint in its only form: no more bytes than needed, no more than 64 bits.
static bool get_varint(const guint8 **p, const guint8 *end, uint64_t *v)
{
	*v = 0;
	for (int shift = 0; shift < 64 && *p < end; shift += 7) {
		uint64_t byte = *(*p)++;

		if (shift == 63 && byte > 1)
			return false;
		*v |= (byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return byte || shift == 0;
	}
	return false;
}

int buckets_decode(const void *blob, size_t len, uint64_t *buckets)
{
	const guint8 *p = blob, *end = p + len;
	uint64_t at = 0, delta, count;

	memset(buckets, 0, HIST_BUCKETS * sizeof(*buckets));
	if (len > BUCKETS_MAX_BLOB)
		return err_set(-EBADMSG, "a histogram of %zu bytes: too long", len);
	for (bool first = true; p < end; first = false) {
		if (!get_varint(&p, end, &delta) || !get_varint(&p, end, &count))
			return err_set(-EBADMSG, "a histogram is damaged: cut off or not a varint");
		if ((!delta && !first) || delta >= HIST_BUCKETS || (at += delta) >= HIST_BUCKETS || !count)
			return err_set(-EBADMSG, "a histogram is damaged: impossible bucket");
		buckets[at] = count;
	}
	return 0;
}
