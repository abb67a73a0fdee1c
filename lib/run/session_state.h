// What a run is while it is made: shared by session.c, which begins and ends it, watch.c, which follows it,
// and facts.c, which tells what it was made with. Nobody else needs it.
#ifndef MMPROF_RUN_SESSION_STATE_H
#define MMPROF_RUN_SESSION_STATE_H

#include <glib.h>
#include <signal.h>
#include <sys/resource.h>

#include "run/cgroup.h"
#include "run/session.h"
#include "sampler/sampler.h"

// What is told of a run beside its figures: keys and values, owned.
struct facts {
	GPtrArray *keys, *values;
};

struct session {
	const struct session_options *options;
	struct store *store;
	int64_t run;
	struct run_cgroup cgroup;
	struct probes *probes;
	struct workload *workload;
	struct output *output;   // NULL: not searched
	struct results *results; // NULL: no benchmark of ours
	struct sample_target target;
	struct samplers *samplers;
	struct snapshots *snapshots;       // NULL: not in the lab with --truth
	struct placement_times *cpu_times; // when the workload started
	int signal_fd, timer_fd, kmsg_fd;
	int stdout_fd; // of --stdout; 0: not given
	int journal_mark, pins_not_done;
	bool system_began; // its end() is due
	struct facts facts;
	int64_t flushed_ns;
	uint64_t late_ticks; // that another had come after before it was served
	const char *status, *status_why;
	bool interrupted, killed;
	struct rusage self_before;
};

// facts.c: keeps what is told from now on; session_facts_clear frees it.
void session_facts_init(struct session *s);
void session_facts_clear(struct session *s);

// Keeps what came of one pin, for pin_set_up(); counts those that could not be done.
void session_keep_pin(void *session, const char *key, const char *outcome);

// Stores the machine's facts, the workload's placement and environment, and what was kept. -errno with an err
// chain.
int session_store_facts(struct session *s);

// The fact of how the workload that is prepared was offered to KSM.
int session_store_mergeable(struct session *s);

// At the run's end: whether others shared the workload's cores. -errno with an err chain.
int session_store_placement(struct session *s);

// watch.c: the signals that a session handles; the next one that has come, after which the run counts as
// interrupted, or 0.
void session_signals(sigset_t *set);
int session_signal(struct session *s, bool *from_terminal);

// Follows the workload to its end: readings, output, signals, time-out. -errno with an err chain.
int session_watch(struct session *s);

#endif
