// Lists of what a database holds.
#include <time.h>

#include "report/internal.h"
#include "report/report.h"

static void started_cell(struct doc_section *sec, int64_t unix_ns)
{
	time_t seconds = (time_t)(unix_ns / 1000000000);
	struct tm tm;
	char text[64];

	if (localtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
		doc_text(sec, "%s", text);
	else
		doc_text(sec, "?");
}

// What `time` would end with: the workload's status, or 128 + signal.
static void exit_cell(struct doc_section *sec, const struct store_run_row *run)
{
	if (run->signal > 0 && run->signal < 128)
		doc_int(sec, 128 + run->signal);
	else if (run->exit_status != STORE_NULL)
		doc_int(sec, run->exit_status);
	else
		doc_none_as(sec, "", "the workload's end was not seen");
}

static void run_row(struct doc_section *sec, const struct store_run_row *run)
{
	doc_row(sec);
	doc_int(sec, run->id);
	doc_text(sec, "%.8s", run->uuid);
	started_cell(sec, run->started_unix_ns);
	doc_text(sec, "%s", run->name);
	doc_text(sec, "%s", run->system);
	doc_int(sec, run->iteration);
	doc_text(sec, "%s", run->status);
	if (run->elapsed_ns == STORE_NULL)
		doc_none_as(sec, "", "the run did not reach its end");
	else
		doc_int(sec, run->elapsed_ns);
	exit_cell(sec, run);
	report_text(sec, run->status_why);
}

int report_list_runs(struct store *store, struct doc *doc)
{
	static const struct doc_column columns[] = {
	    {"run", "run", DOC_PLAIN},         {"uuid8", "uuid", DOC_PLAIN},
	    {"started", "started", DOC_PLAIN}, {"name", "workload", DOC_PLAIN},
	    {"system", "system", DOC_PLAIN},   {"iteration", "iteration", DOC_COUNT},
	    {"status", "status", DOC_PLAIN},   {"elapsed_ns", "elapsed", DOC_NS},
	    {"exit", "exit", DOC_COUNT},       {"why", "remark", DOC_PLAIN}};
	g_autoptr(GArray) runs = NULL;
	struct doc_section *sec;
	int rc = store_read_runs(store, &runs);

	if (rc)
		return rc;
	sec = doc_section(doc, "runs", "Runs", columns, G_N_ELEMENTS(columns));
	for (guint i = 0; i < runs->len; i++)
		run_row(sec, ROW(runs, store_run_row, i));
	for (guint i = 0; i < runs->len; i++)
		if (ROW(runs, store_run_row, i)->warmup) {
			doc_note(sec, "Iteration 0 is a warm-up.");
			break;
		}
	if (!runs->len)
		doc_note(sec, "None yet: mmprof record -- WORKLOAD makes one.");
	return 0;
}

struct system_sum {
	const char *name;
	int64_t runs, done;
};

static void count_systems(const GArray *runs, GArray *systems)
{
	for (guint i = 0; i < runs->len; i++) {
		const struct store_run_row *run = ROW(runs, store_run_row, i);
		guint k = 0;

		while (k < systems->len && strcmp(ROW(systems, system_sum, k)->name, run->system))
			k++;
		if (k == systems->len) {
			struct system_sum sum = {.name = run->system};

			g_array_append_val(systems, sum);
		}
		ROW(systems, system_sum, k)->runs++;
		ROW(systems, system_sum, k)->done += !strcmp(run->status, "done") && !run->warmup;
	}
}

int report_list_systems(struct store *store, struct doc *doc)
{
	static const struct doc_column columns[] = {{"system", "system", DOC_PLAIN},
						    {"runs", "runs", DOC_COUNT},
						    {"done", "completed, without warm-ups", DOC_COUNT}};
	g_autoptr(GArray) runs = NULL;
	g_autoptr(GArray) systems = g_array_new(FALSE, TRUE, sizeof(struct system_sum));
	struct doc_section *sec;
	int rc = store_read_runs(store, &runs);

	if (rc)
		return rc;
	count_systems(runs, systems);
	sec = doc_section(doc, "systems", "Systems under test in this database", columns,
			  G_N_ELEMENTS(columns));
	for (guint i = 0; i < systems->len; i++) {
		doc_row(sec);
		doc_text(sec, "%s", ROW(systems, system_sum, i)->name);
		doc_int(sec, ROW(systems, system_sum, i)->runs);
		doc_int(sec, ROW(systems, system_sum, i)->done);
	}
	doc_note(sec, "A system is a label for now: `record --system NAME` sets nothing up. \"none\" is the "
		      "kernel as it is.");
	return 0;
}
