// Return probes made through tracefs, which alone lets one say how many calls may be in progress at once: the
// kernel's default (twice the CPUs, at least ten) loses the returns of all others. Private to lib/probe.
#ifndef MMPROF_PROBE_KRETPROBE_H
#define MMPROF_PROBE_KRETPROBE_H

#include <stdint.h>

struct kretprobe {
	char *name;  // of its event, NULL: none
	uint64_t id; // for perf_event_open
};

// Makes the event (journalled). -errno with an err chain.
int kretprobe_make(const char *symbol, uint32_t number, struct kretprobe *k);

// Hits that could not be handled, as the kernel counts them (kprobe_profile); -1: not known.
int64_t kretprobe_missed(const struct kretprobe *k);

// Removes it; its perf events must be closed.
void kretprobe_remove(struct kretprobe *k);

#endif
