// The kind `hint` of the benchmark `fault`.
#ifndef MMPROF_BENCH_HINT_H
#define MMPROF_BENCH_HINT_H

struct bench_run;

// 0, also where it can't be measured, which is told; -errno with an err chain.
int hint_run(struct bench_run *run);

#endif
