// The CPUs that a run keeps to: whether they are isolated from others' work, and who shares their cores.
#ifndef MMPROF_HOST_PLACEMENT_H
#define MMPROF_HOST_PLACEMENT_H

#include <sched.h>
#include <stdbool.h>

#include "host/host.h"

#define PLACEMENT_WARNING "a core of its own" // what is then not measured

// "0-3,8" ⇄ a set. False when the text is no such list.
bool placement_parse(const char *list, cpu_set_t *set);
char *placement_list(const cpu_set_t *set); // g_free

// Is the set smaller than what is online? Else it was not chosen. Paths are read below `root`, "" for this
// machine.
bool placement_chosen(const char *root, const cpu_set_t *set);

// pin.cpus "2-3"; pin.cpus_isolated and pin.cpus_tickless (isolcpus=, nohz_full=) "yes", "no", "2 only";
// pin.cpus_cores "to themselves", or who shares them.
void placement_facts(const char *root, const cpu_set_t *set, host_fact_fn fact, void *ctx);

// A warning when two of the set share a core, NULL when not. g_free.
char *placement_shared(const char *root, const cpu_set_t *set);

// Each CPU's time, and whether CPUs outside of the set that share a core with one of it worked meanwhile: a
// warning, NULL when all of them idled (less than 1 % of the time). g_free.
struct placement_times;
struct placement_times *placement_begin(const char *root); // never NULL
char *placement_disturbed(const char *root, const struct placement_times *begin, const cpu_set_t *set);
void placement_free(struct placement_times *times);

#endif
