// SPDX-License-Identifier: GPL-2.0
/* A count-min sketch with conservative update; see sketch.h. */
#include "sketch.h"

int sketch_init(struct sketch *s, u32 width)
{
	u32 w = 4;

	while (w < width && w < 1u << 31)
		w <<= 1;
	*s = (struct sketch){.width = w};
	s->cells = plain_alloc((u64)w * SKETCH_ROWS, sizeof(*s->cells));
	return s->cells ? 0 : -ENOMEM;
}

void sketch_free(struct sketch *s)
{
	plain_free(s->cells);
	s->cells = NULL;
}

/* Each row has 32 bits of its own of two hashes, so that rows err independently. */
static void find_cells(const struct sketch *s, u64 key, u16 *cell[SKETCH_ROWS])
{
	u64 a = plain_mix(key + 0x9e3779b97f4a7c15ull), b = plain_mix(key ^ 0xd1b54a32d192ed03ull);
	u32 mask = s->width - 1;

	cell[0] = &s->cells[(u32)a & mask];
	cell[1] = &s->cells[s->width + ((u32)(a >> 32) & mask)];
	cell[2] = &s->cells[2ull * s->width + ((u32)b & mask)];
	cell[3] = &s->cells[3ull * s->width + ((u32)(b >> 32) & mask)];
}

u32 sketch_add(struct sketch *s, u64 key, u32 n)
{
	u16 *cell[SKETCH_ROWS];
	u32 least = SKETCH_MAX, i;

	find_cells(s, key, cell);
	for (i = 0; i < SKETCH_ROWS; i++)
		least = *cell[i] < least ? *cell[i] : least;
	if (!n)
		return least;
	s->total += n;
	least = n > SKETCH_MAX - least ? SKETCH_MAX : least + n;
	for (i = 0; i < SKETCH_ROWS; i++) {
		if (*cell[i] < least)
			*cell[i] = least;
	}
	return least;
}

/* Four cells at a time: what is shifted out of one into the next is masked off. */
void sketch_halve(struct sketch *s)
{
	u64 *four = (u64 *)s->cells, n = sketch_bytes(s) / sizeof(*four), i;

	for (i = 0; i < n; i++)
		four[i] = (four[i] >> 1) & 0x7fff7fff7fff7fffull;
	s->total = (s->total + 1) / 2;
}

u64 sketch_error(const struct sketch *s)
{
	return div64_u64(s->total * 272 + 100ull * s->width - 1, 100ull * s->width);
}

u64 sketch_bytes(const struct sketch *s)
{
	return (u64)s->width * SKETCH_ROWS * sizeof(*s->cells);
}
