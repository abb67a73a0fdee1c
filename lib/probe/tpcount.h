// Tracepoint counters through BPF. Private to lib/probe.
#ifndef MMPROF_PROBE_TPCOUNT_H
#define MMPROF_PROBE_TPCOUNT_H

#include "probe/bpf.h"

struct tpcount;

int tpcount_new(struct bpf *bpf, uint32_t n_probes, struct tpcount **tpcount);
void tpcount_free(struct tpcount *tpcount);

#endif
