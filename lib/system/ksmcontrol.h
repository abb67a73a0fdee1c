// A controller of KSM: a process of its own that watches for reclaim and makes KSM scan hard while it is
// under way, so that identical pages are merged instead of swapped out, and lets it sleep afterwards. It
// lives until the journal ends it: through a run, or until `mmprof system ksm-zswap down`.
//
// It is woken by pressure stall information (Documentation/accounting/psi.rst: a trigger) and looks at
// /proc/vmstat, which counts kswapd's wake-ups (pageoutrun), direct reclaims (allocstall*) and pages scanned.
// What it did it tells in KSMCONTROL_FILE, "name value" lines, which the sampler `control` reads:
//   events        wake-ups of kswapd and direct reclaims
//   wakeups       times that KSM was made to scan hard; by_psi, by_vmstat: what told of the reclaim
//   psi_error     the errno of what kept it from using PSI, and then there is no by_psi; else 0
//   coalesced     events that came while KSM was scanning already
//   late          events that were over when they were seen: no page was scanned between the last two looks
//   lost_wakeups  KSM was told to scan, and ksmd used no CPU time until the next look
//   sleeps        times that it was let sleep again
//   throttled     looks at which ksmd was over its share of CPU time, and was slowed down
//   scan_ns       ksmd's CPU time; overscan_ns: that without any reclaim going on, fruitless_ns: that in
//                 which no page was merged
//   merged        pages merged; merged_in_reclaim: while reclaim went on
//   awake_ns      how long KSM was to scan hard; self_ns: the controller's own CPU time
// While it lives it has a lock (flock) on the file.
#ifndef MMPROF_SYSTEM_KSMCONTROL_H
#define MMPROF_SYSTEM_KSMCONTROL_H

#include "system/system.h"

#define KSMCONTROL_FILE "/run/mmprof/control"

// hard_pages, hard_sleep_ms: what KSM scans at once, and its pause, while memory is reclaimed. soft_pages:
// what it scans otherwise, 0: it sleeps. cpu_cap: ksmd's share of one CPU, percent. hold_ms: how long it goes
// on after the last sign of reclaim. tick_ms: how often the controller looks while it is awake.
#define KSMCONTROL_KEYS                                                                                      \
	{"control", NULL, "off"}, {"hard_pages", NULL, "2000"}, {"hard_sleep_ms", NULL, "10"},               \
	    {"soft_pages", NULL, "0"}, {"cpu_cap", NULL, "50"}, {"hold_ms", NULL, "500"},                    \
	{                                                                                                    \
		"tick_ms", NULL, "50"                                                                        \
	}

int ksmcontrol_check(const struct system_spec *spec); // -EINVAL with an err chain

// Nothing when `control` is off.
int ksmcontrol_start(const struct system_spec *spec);

#endif
