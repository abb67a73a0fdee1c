// The options of `mmprof record` and the work behind them, which `mmprof bench` shares.
#ifndef MMPROF_CMD_RECORD_H
#define MMPROF_CMD_RECORD_H

#include "cmd/command.h"
#include "system/pin.h"

struct record_options {
	char *db, *name, *backend, *user, *cpus, *membind, *preferred, *interleave, *stdin_path, *stdout_path;
	char **systems, **tags, **probes, **no_probes, **extracts, **marks;
	int runs, warmup, timeout, interval;
	double pause, sampling;
	int quiet, json, bpf_stats;
	struct pin_options pin;
	const char *bench; // the workload is this benchmark of ours; NULL: it is not
};

#define RECORD_DEFAULTS ((struct record_options){.runs = 1, .interval = 100, .sampling = 1})

// clang-format off
#define RECORD_OPTIONS(o) \
    {"db", 0, POPT_ARG_STRING, &(o).db, 0, "database (default: $MMPROF_DB, else ./mmprof.db)", "FILE"}, \
    {"system", 0, POPT_ARG_ARGV, &(o).systems, 0, \
     "the memory-management system under test, a name (default: none), and how the machine is set up for it; " \
     "several are run in turn, in random order", \
     "NAME[,SETTING=VALUE...]"}, \
{"name", 0, POPT_ARG_STRING, &(o).name, 0, \
     "the workload's name in reports (default: its program's)", "NAME"}, \
    {"tag", 0, POPT_ARG_ARGV, &(o).tags, 0, "a remark stored with the run (repeatable)", "KEY=VALUE"}, \
    {"runs", 'n', POPT_ARG_INT, &(o).runs, 0, "how often to run it (default 1)", "N"}, \
    {"warmup", 0, POPT_ARG_INT, &(o).warmup, 0, "runs before these, stored as warm-ups", "N"}, \
    {"pause", 0, POPT_ARG_DOUBLE, &(o).pause, 0, "seconds between runs", "S"}, \
    {"timeout", 0, POPT_ARG_INT, &(o).timeout, 0, "end the workload after so many seconds", "S"}, \
    {"interval", 0, POPT_ARG_INT, &(o).interval, 0, "milliseconds between samples (default 100)", "MS"}, \
    {"sampling", 0, POPT_ARG_DOUBLE, &(o).sampling, 0, \
     "percent of one CPU that sampling may take: slow readings become rarer (default 1)", "PERCENT"}, \
    {"probe", 'p', POPT_ARG_ARGV, &(o).probes, 0, \
     "instead of the default probes: a catalogue name or group, a kernel function, a GLOB*, " \
     "tracepoint:SYSTEM:EVENT, or `default`; FUNCTION@BACKEND picks a backend (repeatable)", \
     "SPEC"}, \
    {"no-probe", 0, POPT_ARG_ARGV, &(o).no_probes, 0, \
     "leave this probe or group out; `all` for none (repeatable)", "SPEC"}, \
    {"backend", 0, POPT_ARG_STRING, &(o).backend, 0, \
     "how to time functions: auto, fentry, kprobe, ftrace (default auto)", "NAME"}, \
    {"cpus", 0, POPT_ARG_STRING, &(o).cpus, 0, "CPUs for the workload, e.g. 0-3,8", "LIST"}, \
    {"membind", 0, POPT_ARG_STRING, &(o).membind, 0, "its memory from these NUMA nodes only", "NODES"}, \
    {"preferred", 0, POPT_ARG_STRING, &(o).preferred, 0, \
     "its memory from this NUMA node while it lasts", "NODE"}, \
    {"interleave", 0, POPT_ARG_STRING, &(o).interleave, 0, "its memory from these NUMA nodes in turn", \
     "NODES"}, \
    {"lock-freq", 0, POPT_ARG_STRING, &(o).pin.lock_freq, 0, \
     "hold all CPUs at one frequency: MHz, the highest without turbo, or the highest", "MHZ|base|max"}, \
    {"governor", 0, POPT_ARG_STRING, &(o).pin.governor, 0, "the cpufreq governor", "NAME"}, \
    {"no-turbo", 0, POPT_ARG_NONE, &(o).pin.no_turbo, 0, "turn turbo (boost) off", NULL}, \
    {"thp", 0, POPT_ARG_STRING, &(o).pin.thp, 0, "transparent huge pages: always, madvise, never", "WHEN"}, \
    {"no-swap", 0, POPT_ARG_NONE, &(o).pin.no_swap, 0, "turn all swap off", NULL}, \
    {"no-aslr", 0, POPT_ARG_NONE, &(o).pin.no_aslr, 0, "the workload's addresses are the same in each run", \
     NULL}, \
    {"drop-caches", 0, POPT_ARG_NONE, &(o).pin.drop_caches, 0, \
     "write out and drop the page cache before each run", NULL}, \
    {"quiet-machine", 0, POPT_ARG_NONE, &(o).pin.quiet, 0, \
     "base frequency, governor performance, no turbo, swap nor ASLR, dropped caches: what of it this " \
     "machine can; what it can't is told and stored", \
     NULL}, \
    {"user", 0, POPT_ARG_STRING, &(o).user, 0, \
     "run the workload as this user (default: who called sudo)", "NAME"}, \
    {"stdin", 0, POPT_ARG_STRING, &(o).stdin_path, 0, \
     "the workload's standard input (default: mmprof's)", "FILE"}, \
    {"stdout", 0, POPT_ARG_STRING, &(o).stdout_path, 0, \
     "the workload's standard output (default: mmprof's)", "FILE"}, \
    {"extract", 0, POPT_ARG_ARGV, &(o).extracts, 0, \
     "a figure that the workload prints: the regular expression's first group; + more, - less is " \
     "better " \
     "(repeatable)", \
     "NAME[:UNIT][+|-]=REGEX"}, \
    {"mark", 0, POPT_ARG_ARGV, &(o).marks, 0, \
     "a line that the workload prints when a phase begins, which the first group names (repeatable)", \
     "REGEX"}, \
    {"bpf-stats", 0, POPT_ARG_NONE, &(o).bpf_stats, 0, \
     "let the kernel measure BPF run time (costs two clock reads a probe hit)", NULL}, \
    {"quiet", 'q', POPT_ARG_NONE, &(o).quiet, 0, "say nothing but errors", NULL}, \
    {"json", 0, POPT_ARG_NONE, &(o).json, 0, "one JSON object a run on standard output", NULL}
// clang-format on

// Measures a workload as the options say, warm-ups first. The exit code: the workload's, or EXIT_USAGE after
// one line on stderr.
int record_workload(const struct command *cmd, const struct record_options *o, const char **workload);

#endif
