// Swap devices in use, and zswap's pool before them. Follows mm/swapfile.c (swap_show) and mm/zswap.c
// (zswap_debugfs_init). Swapped pages are counted by the vmstat sampler (pswpin, zswpout, ...).
#include "base/err.h"
#include "sampler/read.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

SAMPLER_FUNCTIONS(swap);

#define ZSWAP "/sys/kernel/debug/zswap"

struct swap {
	int fd; // /proc/swaps
	struct text text;
	struct keyed *meminfo;
	GArray *zswap; // struct value_file
	struct absent *absent;
};

static void classify(struct key *key)
{
	// Zswap: what the pool takes; Zswapped: what is in it
	if (strcmp(key->name, "Zswap") && strcmp(key->name, "Zswapped"))
		key->prefix = NULL;
}

static void open_zswap(struct swap *swap)
{
	static const struct {
		const char *name, *unit;
		enum series_kind kind;
	} rows[] = {
	    {"pool_total_size", "bytes", SERIES_GAUGE},
	    {"stored_pages", "pages", SERIES_GAUGE},
	    {"stored_incompressible_pages", "pages", SERIES_GAUGE},
	    {"same_filled_pages", "pages", SERIES_GAUGE},
	    {"written_back_pages", "pages", SERIES_COUNTER},
	    {"pool_limit_hit", "count", SERIES_COUNTER},
	    {"duplicate_entry", "count", SERIES_COUNTER},
	    {"decompress_fail", "count", SERIES_COUNTER},
	    {"reject_compress_poor", "count", SERIES_COUNTER},
	    {"reject_compress_fail", "count", SERIES_COUNTER},
	    {"reject_alloc_fail", "count", SERIES_COUNTER},
	    {"reject_kmemcache_fail", "count", SERIES_COUNTER},
	    {"reject_reclaim_fail", "count", SERIES_COUNTER},
	};
	int error = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strconcat(ZSWAP "/", rows[i].name, NULL);
		struct value_file file;
		int r = value_open(&file, path, rows[i].unit, rows[i].kind, 1);

		if (r < 0) {
			error = r; // each kernel has its own choice of these
			continue;
		}
		file.series = g_strconcat("zswap.", rows[i].name, NULL);
		g_array_append_val(swap->zswap, file);
	}
	if (!swap->zswap->len)
		absent_add(&swap->absent, "zswap",
			   ZSWAP
			   ": %s: needs root, debugfs (mount -t debugfs none /sys/kernel/debug) and a kernel "
			   "with CONFIG_ZSWAP and CONFIG_DEBUG_FS",
			   g_strerror(-error));
}

static void value_clear(void *file)
{
	value_close(file);
}

int swap_sampler_open(const struct sample_target *target, void **state)
{
	int error, fd = text_open(sampler_root, "/proc/swaps");

	(void)target;
	struct swap *swap = g_new0(struct swap, 1);
	swap->fd = fd;
	swap->zswap = g_array_new(FALSE, FALSE, sizeof(struct value_file));
	g_array_set_clear_func(swap->zswap, value_clear);
	if (fd < 0)
		absent_add(&swap->absent, "swap", "/proc/swaps: %s: a kernel with CONFIG_SWAP has it",
			   g_strerror(-fd));
	swap->meminfo = keyed_open("/proc/meminfo", "", "zswap.", classify, &error);
	open_zswap(swap);
	*state = swap;
	return 0;
}

// "/dev/vda2  partition  8388604  1024  -2" below a heading; sizes in KiB, blanks in the name escaped.
static void put_devices(struct swap *swap, struct sink *sink)
{
	int64_t size, used, sum_size = 0, sum_used = 0;
	const char *line = strchr(swap->text.data, '\n');
	int devices = 0;

	for (; line && line[1]; line = strchr(line + 1, '\n')) {
		const char *name = line + 1;
		size_t len = strcspn(name, " \t\n");
		const char *p = name + len;
		p += strspn(p, " \t");
		p += strcspn(p, " \t\n"); // its type
		if (!(p = parse_i64(p, &size)) || !parse_i64(p, &used))
			continue;
		g_autofree char *series = g_strdup_printf("swap.used.%.*s", (int)len, name);
		sink->put(sink, series, "bytes", SERIES_GAUGE, used * 1024);
		sum_size += size * 1024;
		sum_used += used * 1024;
		devices++;
	}
	if (!devices) {
		absent_add(&swap->absent, "swap", "/proc/swaps lists no device: swapon(8) adds one");
		return;
	}
	sink->put(sink, "swap.used", "bytes", SERIES_GAUGE, sum_used);
	sink->put(sink, "swap.size", "bytes", SERIES_GAUGE, sum_size);
}

int swap_sampler_read(void *state, const struct sample_target *target, struct sink *sink)
{
	struct swap *swap = state;
	int64_t value;

	(void)target;
	if (swap->fd >= 0 && text_read(&swap->text, swap->fd) == 0)
		put_devices(swap, sink);
	if (swap->meminfo)
		keyed_read(swap->meminfo, sink);
	for (guint i = 0; i < swap->zswap->len; i++) {
		struct value_file *file = &g_array_index(swap->zswap, struct value_file, i);

		if (value_read(file, &value) == 0)
			sink->put(sink, file->series, file->unit, file->kind, value);
	}
	absent_say(&swap->absent, sink);
	return 0;
}

void swap_sampler_close(void *state)
{
	struct swap *swap = state;

	if (swap->fd >= 0)
		close(swap->fd);
	text_free(&swap->text);
	keyed_close(swap->meminfo);
	g_array_free(swap->zswap, TRUE);
	absent_free(&swap->absent);
	g_free(swap);
}
