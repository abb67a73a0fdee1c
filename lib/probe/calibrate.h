// What measuring costs: each backend in use is attached to an empty kernel function (bpf_fentry_test1, which
// exists to be attached to) and that function is called a known number of times. Private to lib/probe.
#ifndef MMPROF_PROBE_CALIBRATE_H
#define MMPROF_PROBE_CALIBRATE_H

#include <stdbool.h>
#include <stdint.h>

struct probes;
struct store;

#define CALIBRATION_PROBES 3 // numbers kept free in the BPF maps, one a backend

// Can function probes be attached by "fentry" or "kprobe" here, tried on the empty function?
bool calibrate_backend_works(struct probes *set, const char *backend);

// Calibrates every backend that the set's probes may use, with all other probes off.
void calibrate_all(struct probes *set);

int calibrate_store(struct probes *set, struct store *store, int64_t run);

// What one call of a probed function costs by this backend, in ns; -1: not measured.
double calibrate_call_ns(const struct probes *set, const char *backend);

#endif
