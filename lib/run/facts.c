// What a run was made with: the machine's facts, the environment, the placement; see session_state.h.
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "host/placement.h"
#include "run/results.h"
#include "run/session_state.h"
#include "run/workload.h"
#include "store/store.h"
#include "system/system.h"

void session_facts_init(struct session *s)
{
	s->facts.keys = g_ptr_array_new_with_free_func(g_free);
	s->facts.values = g_ptr_array_new_with_free_func(g_free);
}

void session_facts_clear(struct session *s)
{
	g_ptr_array_unref(s->facts.keys);
	g_ptr_array_unref(s->facts.values);
}

static void keep_fact(void *ctx, const char *key, const char *value)
{
	struct facts *f = ctx;

	g_ptr_array_add(f->keys, g_strdup(key));
	g_ptr_array_add(f->values, g_strdup(value));
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

// The environment that the workload gets, as a digest: whether it differed can be told, what was in it can't.
static void keep_environment(struct facts *f)
{
	g_auto(GStrv) vars = g_get_environ();
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

	qsort(vars, g_strv_length(vars), sizeof(*vars), by_text);
	for (char **v = vars; *v; v++)
		g_checksum_update(sum, (const guchar *)*v, (gssize)strlen(*v) + 1);
	keep_fact(f, "workload.environment_sha256", g_checksum_get_string(sum));
}

void session_keep_pin(void *session, const char *key, const char *outcome)
{
	struct session *s = session;

	s->pins_not_done += g_str_has_prefix(outcome, PIN_NOT_DONE);
	keep_fact(&s->facts, key, outcome);
}

// The workload's CPUs, if they are not all.
static bool chosen_cpus(const struct session *s, cpu_set_t *set)
{
	const char *cpus = s->options->workload.cpus;

	if (!cpus || !placement_parse(cpus, set))
		CPU_ZERO(set);
	if (!CPU_COUNT(set) && sched_getaffinity(0, sizeof(*set), set))
		CPU_ZERO(set);
	return placement_chosen("", set);
}

static int put_facts(struct session *s)
{
	return store_run_facts(s->store, s->run, (const char *const *)s->facts.keys->pdata,
			       (const char *const *)s->facts.values->pdata, s->facts.keys->len);
}

int session_store_facts(struct session *s)
{
	struct facts *f = &s->facts;
	cpu_set_t set;

	host_facts("", keep_fact, f);
	if (s->options->known && s->options->known->kind)
		keep_fact(f, "system.kind", s->options->known->kind);
	if (chosen_cpus(s, &set))
		placement_facts("", &set, keep_fact, f);
	keep_environment(f);
	return put_facts(s);
}

int session_store_mergeable(struct session *s)
{
	g_autofree char *how = NULL;

	if (!s->options->workload.mergeable)
		return 0;
	how = workload_mergeable_how(s->workload);
	keep_fact(&s->facts, "workload.mergeable", how);
	return put_facts(s);
}

// Whether others shared the workload's cores; a benchmark knows itself which CPUs it was on.
int session_store_placement(struct session *s)
{
	g_autofree char *shared = NULL, *disturbed = NULL;
	guint before = s->facts.keys->len;
	cpu_set_t set;
	int rc = 0;

	if (s->results) {
		results_facts(s->results, keep_fact, &s->facts);
		return s->facts.keys->len > before ? put_facts(s) : 0;
	}
	if (!chosen_cpus(s, &set))
		return 0;
	shared = placement_shared("", &set);
	disturbed = placement_disturbed("", s->cpu_times, &set);
	if (shared)
		rc = store_not_measured(s->store, s->run, PLACEMENT_WARNING, shared);
	if (!rc && disturbed)
		rc = store_not_measured(s->store, s->run, PLACEMENT_WARNING, disturbed);
	return rc;
}
