// swapio: swapping out and in: madvise(MADV_PAGEOUT) of written pages, and reading them again
// (mm/swap_state.c, mm/page_io.c); with how many pages really went to swap.
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/err.h"
#include "bench/bench.h"
#include "bench/memory.h"

static const struct bench_param params[] = {
    {"pages", "512", "N", "pages swapped in a sample"},
    {"content", "random", "random|zero|same", "what is in them: incompressible, all zero, or all alike"},
    {}};

struct swapper {
	struct memory memory;
	const char *content;
	uint64_t seed, swapped, pages;
	bool in;
};

static void fill(struct swapper *s)
{
	uint64_t *words = (uint64_t *)s->memory.start;

	if (!strcmp(s->content, "zero"))
		memset(s->memory.start, 0, s->memory.bytes);
	else if (!strcmp(s->content, "same"))
		memset(s->memory.start, 0x5a, s->memory.bytes);
	else
		for (size_t i = 0; i < s->memory.bytes / 8; i++)
			words[i] = s->seed = s->seed * 6364136223846793005ull + 1442695040888963407ull;
}

static int sample(struct bench_run *run, void *ctx, uint64_t *cycles)
{
	struct swapper *s = ctx;
	uint64_t from;
	int rc;

	fill(s);
	from = bench_begin(run);
	rc = madvise(s->memory.start, s->memory.bytes, MADV_PAGEOUT);
	*cycles = bench_end(run, from);
	if (rc)
		return err_set(-errno, "madvise(MADV_PAGEOUT): %m");
	s->swapped += memory_swapped(&s->memory);
	s->pages += s->memory.bytes / BASE_PAGE;
	rc = memory_must_be_swapped(&s->memory);
	if (rc || !s->in)
		return rc;
	from = bench_begin(run);
	memory_read(&s->memory);
	*cycles = bench_end(run, from);
	return 0;
}

static int run(struct bench_run *b)
{
	struct swapper s = {.content = bench_text(b, "content"), .seed = (uint64_t)bench_int(b, "seed")};
	int64_t pages = bench_int(b, "pages");
	struct bench_op op = {"out", sample, (double)pages, "page", true};
	int rc;

	if (pages < 1 || pages > 1 << 20)
		return err_set(-EINVAL, "--pages must be from 1 to 1048576");
	if (!memory_have_swap()) {
		bench_cannot(b, "swapio", "no swap is on (swapon(8))");
		return 0;
	}
	rc = memory_map(&s.memory, MEMORY_ANON, (size_t)pages * BASE_PAGE);
	if (!rc)
		rc = bench_measure(b, &op, &s, NULL);
	s.in = true;
	op.name = "in";
	if (!rc)
		rc = bench_measure(b, &op, &s, NULL);
	if (!rc && s.pages)
		bench_metric(b, "swapped_share", (double)s.swapped / (double)s.pages, "ratio", "more");
	memory_unmap(&s.memory);
	return rc;
}

const struct bench bench_swapio = {"swapio", "swapping pages out and in", params, run, false};
