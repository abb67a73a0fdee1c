// A benchmark as a workload: what `mmprof bench`, `record --bench` and a plan's `bench =` have in common.
#ifndef MMPROF_CMD_BENCH_H
#define MMPROF_CMD_BENCH_H

// The command that runs it: this program's own worker, with every parameter, so that the run's argv tells
// them all. `words`: "NAME", then "--PARAMETER", "VALUE" or "--PARAMETER=VALUE"; NULL-terminated. -EINVAL
// with an err chain. g_strfreev() *argv; its [2] is the benchmark's name. *title, "NAME PARAMETER=VALUE" of
// those that were given, may be NULL; g_free it.
int bench_argv(const char *const *words, char ***argv, char **title);

#endif
