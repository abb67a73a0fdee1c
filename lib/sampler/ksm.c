// What KSM has merged and how much it scanned. Follows mm/ksm.c (ksm_attrs) and
// Documentation/admin-guide/mm/ksm.rst. Its knobs are part of a run's provenance and aren't sampled.
#include "base/err.h"
#include "sampler/read.h"

#include <errno.h>
#include <glib.h>
#include <unistd.h>

SAMPLER_FUNCTIONS(ksm);

#define KSM "/sys/kernel/mm/ksm"

static const struct {
	const char *name, *unit;
	enum series_kind kind;
} rows[] = {
    {"pages_shared", "pages", SERIES_GAUGE},       {"pages_sharing", "pages", SERIES_GAUGE},
    {"pages_unshared", "pages", SERIES_GAUGE},     {"pages_volatile", "pages", SERIES_GAUGE},
    {"ksm_zero_pages", "pages", SERIES_GAUGE}, // 6.6
    {"general_profit", "bytes", SERIES_GAUGE}, // 6.4; may be negative
    {"stable_node_chains", "count", SERIES_GAUGE}, {"stable_node_dups", "count", SERIES_GAUGE},
    {"pages_scanned", "pages", SERIES_COUNTER}, // 6.6
    {"pages_skipped", "pages", SERIES_COUNTER}, // 6.7
    {"full_scans", "count", SERIES_COUNTER},
};

// Pages that were merged between two readings in which reclaim scanned pages, and between two in which it did
// not: growth only, as merged pages also go when processes end.
struct merged {
	int vmstat, sharing;
	struct text text;
	int64_t last_scanned, last_sharing, in_reclaim, outside;
	bool began;
};

struct ksm {
	struct merged merged;
	struct value_file files[G_N_ELEMENTS(rows)];
	struct absent *absent;
};

int ksm_sampler_open(const struct sample_target *target, void **state)
{
	struct ksm *ksm = g_new0(struct ksm, 1);
	int error = 0;
	size_t found = 0;

	(void)target;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strconcat(KSM "/", rows[i].name, NULL);
		int r = value_open(&ksm->files[i], path, rows[i].unit, rows[i].kind, 1);

		if (r < 0) {
			error = r;
			absent_add(&ksm->absent, path, "%s: %s: a newer kernel may have it", path,
				   g_strerror(-r));
			continue;
		}
		ksm->files[i].series = g_strconcat("ksm.", rows[i].name, NULL);
		found++;
	}
	ksm->merged.vmstat = text_open(sampler_root, "/proc/vmstat");
	ksm->merged.sharing = text_open(sampler_root, KSM "/pages_sharing");
	*state = ksm;
	if (found)
		return 0;
	ksm_sampler_close(ksm);
	*state = NULL;
	return err_set(error, KSM ": %s: the kernel is built without CONFIG_KSM", g_strerror(-error));
}

static void put_merged(struct merged *m, struct sink *sink)
{
	int64_t scanned = 0, sharing, one;

	if (m->vmstat < 0 || m->sharing < 0 || text_read(&m->text, m->sharing) < 0 ||
	    !parse_i64(m->text.data, &sharing) || text_read(&m->text, m->vmstat) < 0)
		return;
	if (parse_keyed(m->text.data, "pgscan_kswapd ", &one))
		scanned += one;
	if (parse_keyed(m->text.data, "pgscan_direct ", &one))
		scanned += one;
	if (m->began && sharing > m->last_sharing)
		*(scanned > m->last_scanned ? &m->in_reclaim : &m->outside) += sharing - m->last_sharing;
	m->began = true;
	m->last_sharing = sharing;
	m->last_scanned = scanned;
	sink->put(sink, "ksm.merged_in_reclaim", "pages", SERIES_COUNTER, m->in_reclaim);
	sink->put(sink, "ksm.merged_outside_reclaim", "pages", SERIES_COUNTER, m->outside);
}

int ksm_sampler_read(void *state, const struct sample_target *target, struct sink *sink)
{
	struct ksm *ksm = state;
	int64_t value;

	(void)target;
	absent_say(&ksm->absent, sink);
	put_merged(&ksm->merged, sink);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct value_file *file = &ksm->files[i];

		if (file->series && value_read(file, &value) == 0)
			sink->put(sink, file->series, file->unit, file->kind, value);
	}
	return 0;
}

void ksm_sampler_close(void *state)
{
	struct ksm *ksm = state;

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		value_close(&ksm->files[i]);
	if (ksm->merged.vmstat >= 0)
		close(ksm->merged.vmstat);
	if (ksm->merged.sharing >= 0)
		close(ksm->merged.sharing);
	text_free(&ksm->merged.text);
	absent_free(&ksm->absent);
	g_free(ksm);
}
