/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How often each page was seen, in bounded memory: a count-min sketch (Cormode and Muthukrishnan,
 * 2005) with conservative update (Estan and Varghese, 2002), which is never above the plain one.
 * Plain C.
 *
 * For a page seen f times of N in all, the estimate e keeps, with w counters a row and d rows:
 *     f <= e, always (up to SKETCH_MAX, where counters stop);
 *     e <= f + 2.72 * N / w, but for a page in exp(d) (with 4 rows: 1 page in 55).
 * Halving keeps both, where f and N are halved too (rounded down, N up).
 */
#ifndef TIERING_SKETCH_H
#define TIERING_SKETCH_H

#include "plain.h"

#define SKETCH_ROWS 4
#define SKETCH_MAX 65535u

struct sketch {
	u16 *cells; /* rows, one after another */
	u32 width;  /* a power of two */
	u64 total;  /* N */
};

/* width: rounded up to a power of two. */
int sketch_init(struct sketch *s, u32 width);
void sketch_free(struct sketch *s);
/* Counts it n times more (n = 0: asks only) and returns the estimate. */
u32 sketch_add(struct sketch *s, u64 key, u32 n);
void sketch_halve(struct sketch *s);
/* 2.72 * N / w, rounded up */
u64 sketch_error(const struct sketch *s);
u64 sketch_bytes(const struct sketch *s);

#endif
