// A realistic run, made through the store's writers, for the tests of store and report: what a page-fault
// workload on a 6.1 kernel with two nodes gives. Random figures are the same each time.
#ifndef MMPROF_TESTS_SAMPLE_RUN_H
#define MMPROF_TESTS_SAMPLE_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <glib.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "stats/hist.h"
#include "store/store.h"

#define SAMPLE_ELAPSED_NS 2315000000ll

static inline void must(int rc)
{
	if (rc)
		fail_msg("%d: %s", rc, err_text());
}

// About `median` with a long tail; a number generator of its own, so that runs are equal everywhere.
static inline uint64_t sample_latency(uint64_t *seed, double median)
{
	double u = 0;

	for (int i = 0; i < 4; i++) {
		*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
		u += (double)(*seed >> 40) / (double)(1 << 24);
	}
	u = u / 4; // near 0.5
	return (uint64_t)(median * (0.4 + 1.2 * u) * (*seed >> 57 == 0 ? 20 : 1));
}

static inline void sample_hist(struct store *s, int64_t probe, const char *part, const char *class, int n,
			       double median)
{
	struct hist h = {};
	uint64_t seed = (uint64_t)n * 31 + (uint64_t)median;

	for (int i = 0; i < n; i++)
		hist_add(&h, sample_latency(&seed, median));
	must(
	    store_hist(s, probe, &(struct store_hist){part, class, h.count, h.sum, h.min, h.max, h.buckets}));
}

static inline int64_t sample_probe(struct store *s, int64_t run, struct store_probe p)
{
	int64_t id;

	must(store_probe(s, run, &p, &id));
	return id;
}

static inline void sample_series(struct store *s, int64_t run, const char *name, const char *unit,
				 bool counter, int64_t from, int64_t to)
{
	int64_t id;

	must(store_series(s, run, name, unit, counter, &id));
	for (int i = 0; i <= 23; i++)
		must(store_sample(s, id, i * 100000000ll, from + (to - from) * i / 23, i == 23));
}

static inline void sample_probes(struct store *s, int64_t run)
{
	int64_t fault, shoot, flush, lock, numa;

	fault =
	    sample_probe(s, run,
			 (struct store_probe){"handle_mm_fault", "func", "handle_mm_fault", "fentry",
					      "attached", NULL, "a page fault from entry to return", NULL});
	numa = sample_probe(s, run,
			    (struct store_probe){"change_prot_numa", "func", "change_prot_numa", "kprobe",
						 "attached", "fentry: not in BTF as a traceable function",
						 "NUMA-balancing's unmapping of a range", NULL});
	sample_probe(
	    s, run,
	    (struct store_probe){"tlb_flush", "alias", NULL, NULL, "alias",
				 "inline in the kernel: tlb_flush_range and tlb_flush_count stand for it",
				 "flushing the TLB after unmapping", NULL});
	shoot = sample_probe(
	    s, run,
	    (struct store_probe){"tlb_flush_range", "func", "flush_tlb_mm_range", "fentry", "attached", NULL,
				 "a flush of a range of an address space on all its CPUs", NULL});
	sample_probe(s, run,
		     (struct store_probe){"__update_pginfo", "func", NULL, NULL, "absent",
					  "no kernel symbol __update_pginfo: a memtis kernel has it",
					  "memtis' access histogram", NULL});
	flush =
	    sample_probe(s, run,
			 (struct store_probe){"tlb_flush_count", "tp", "tlb:tlb_flush", "raw_tp", "attached",
					      NULL, "TLB flushes and pages by reason", "pages"});
	lock = sample_probe(s, run,
			    (struct store_probe){"mmap_lock", "lock", "mmap_lock:*", "raw_tp", "attached",
						 NULL, "waiting for and holding mmap_lock", NULL});
	sample_hist(s, fault, "", "workload", 65842, 780);
	sample_hist(s, fault, "", "other", 1203, 1100);
	sample_hist(s, fault, "", "kworker", 3, 900);
	sample_hist(s, numa, "", "workload", 210, 45000);
	sample_hist(s, shoot, "", "workload", 512, 1900);
	sample_hist(s, lock, "read wait", "workload", 120, 15000);
	sample_hist(s, lock, "read hold", "workload", 66000, 900);
	sample_hist(s, lock, "write hold", "workload", 340, 5200);
	sample_hist(s, lock, "write wait", "other", 3, 2600);
	must(store_count(s, flush,
			 &(struct store_count){"", "workload", 0, "flush on task switch", 310, true, 24}));
	must(store_count(
	    s, flush, &(struct store_count){"full", "workload", 0, "flush on task switch", 300, false, 0}));
	must(store_count(s, flush,
			 &(struct store_count){"", "workload", 1, "remote shootdown", 87, true, 1040}));
	must(store_count(s, flush,
			 &(struct store_count){"", "other", 2, "local shootdown", 4100, true, 9000}));
	must(store_count(s, flush, &(struct store_count){"", "kworker", 7, NULL, 2, true, 2}));
	must(store_count(s, lock,
			 &(struct store_count){"read trylock", "workload", 1, "ok", 65800, false, 0}));
	must(store_count(s, lock,
			 &(struct store_count){"read trylock", "workload", 0, "failed", 120, false, 0}));
	must(store_count(s, lock, &(struct store_count){"read trylock", "other", 1, "ok", 1200, false, 0}));
	must(store_count(s, lock, &(struct store_count){"read wait", "workload", -1, "killed", 1, false, 0}));
	must(store_loss(s, run, fault, "recursion_misses_entry", 0, "skipped by the kernel"));
	must(store_loss(s, run, numa, "nmissed_exit", 4, "the kprobe was hit but could not run"));
	must(store_loss(s, run, fault, "in_flight", 2, "had not returned when the run ended"));
}

static inline void sample_samples(struct store *s, int64_t run)
{
	sample_series(s, run, "vmstat.pgfault", "count", true, 1000000, 1070211);
	sample_series(s, run, "vmstat.pgmajfault", "count", true, 12, 12);
	sample_series(s, run, "vmstat.numa_pte_updates", "count", true, 500, 12500);
	sample_series(s, run, "vmstat.nr_free_pages", "pages", false, 900000, 830000);
	sample_series(s, run, "workload.rss", "bytes", false, 1 << 20, 268435456);
	sample_series(s, run, "workload.node0", "bytes", false, 0, 200000000);
	sample_series(s, run, "workload.node1", "bytes", false, 0, 68435456);
	sample_series(s, run, "pagetables.workload", "bytes", false, 40960, 581632);
	sample_series(s, run, "pagetables.system.PageTables", "bytes", false, 8040960, 8581632);
	sample_series(s, run, "node0.MemFree", "bytes", false, 1500000000, 1300000000);
	sample_series(s, run, "cpu.total.user", "ns", true, 8000000000, 9100000000);
	sample_series(s, run, "cpu.total.system", "ns", true, 3000000000, 4050000000);
	sample_series(s, run, "cpu.total.idle", "ns", true, 300000000000, 302300000000);
	sample_series(s, run, "cpu.workload.user", "ns", true, 0, 900000000);
	sample_series(s, run, "cpu.workload.system", "ns", true, 0, 1010000000);
	sample_series(s, run, "cpu.kswapd", "ns", true, 5000, 32005000);
	sample_series(s, run, "cpu.ksmd", "ns", true, 77, 77);
	sample_series(s, run, "self.sampler.vmstat.readings", "count", false, 24, 24);
	sample_series(s, run, "self.sampler.vmstat.cpu", "ns", false, 1900000, 1900000);
}

static inline void sample_facts(struct store *s, int64_t run)
{
	static const char *const keys[] = {"kernel.release",
					   "kernel.version",
					   "kernel.cmdline",
					   "lab.accel",
					   "lab.kernel",
					   "cpu.model",
					   "cpu.online",
					   "memory.MemTotal",
					   "sysctl.vm.swappiness",
					   "mm.transparent_hugepage.enabled",
					   "sysctl.kernel.numa_balancing",
					   "zswap.enabled",
					   "mm.ksm.run",
					   "mm.lru_gen.enabled",
					   "mitigation.meltdown",
					   "numa.distance.0"};
	static const char *const values[] = {"6.1.0-56-amd64",
					     "#1 SMP PREEMPT_DYNAMIC Debian 6.1.174-1 (2026-06-02)",
					     "console=ttyS0 quiet",
					     "tcg",
					     "6.1.0-56-amd64",
					     "QEMU TCG CPU version 2.5+",
					     "0-1",
					     "2097152 kB",
					     "60",
					     "[always] madvise never",
					     "1",
					     "N",
					     "0",
					     "0x0007",
					     "Mitigation: PTI",
					     "10 20"};

	must(store_run_facts(s, run, keys, values, G_N_ELEMENTS(keys)));
}

static inline int64_t sample_begin(struct store *s, const char *experiment, int iteration)
{
	static const char *const argv[] = {"./memhog", "--size", "256M", "two words", NULL};
	g_autofree char *boot = NULL;
	int64_t run;

	g_file_get_contents("/proc/sys/kernel/random/boot_id", &boot, NULL, NULL);
	g_strchomp(boot);
	must(store_run_begin(s,
			     &(struct store_run){.experiment = experiment,
						 .name = "memhog",
						 .system = "none",
						 .argv = argv,
						 .cwd = "/home/me",
						 .user = "me",
						 .boot_id = boot,
						 .version = "0.1.0",
						 .iteration = iteration,
						 .warmup = iteration == 0,
						 .started_unix_ns = 1780000000000000000ll,
						 .interval_ms = 100},
			     &run));
	return run;
}

static inline const struct store_result *sample_result(void)
{
	static const struct store_result result = {
	    .status = "done",
	    .exit_status = 0,
	    .signal = -1,
	    .elapsed_ns = SAMPLE_ELAPSED_NS,
	    .user_ns = 900000000,
	    .system_ns = 1010000000,
	    .maxrss_bytes = 268435456,
	    .minflt = 65830,
	    .majflt = 0,
	    .nvcsw = 12,
	    .nivcsw = 301,
	    .inblock = 0,
	    .oublock = 8,
	    .self_user_ns = 8000000,
	    .self_system_ns = 12000000,
	    .self_maxrss_bytes = 21000000,
	    .bpf_ns = 9500000,
	    .bpf_ns_source = "estimated: calls of probed functions times their calibrated cost"};
	return &result;
}

// One whole run.
static inline int64_t sample_run(struct store *s, const char *experiment, int iteration)
{
	int64_t run = sample_begin(s, experiment, iteration);

	must(store_begin(s));
	must(store_run_tag(s, run, "purpose", "test"));
	sample_facts(s, run);
	sample_probes(s, run);
	sample_samples(s, run);
	must(store_loss(s, run, 0, "ftrace_overrun", 0, "events that ftrace's ring buffers lost"));
	must(store_calibration(
	    s, run, &(struct store_calibration){"fentry", "bpf_fentry_test1", 1000, 92, 94.5, 210, NULL}));
	must(store_calibration(s, run,
			       &(struct store_calibration){"kprobe", "bpf_fentry_test1", 1000, 1100, 1150.25,
							   -1, "the pair was measured through kretprobe"}));
	must(store_not_measured(s, run, "__update_pginfo",
				"no kernel symbol __update_pginfo: a memtis kernel has it"));
	must(store_not_measured(
	    s, run, "cpufreq",
	    "/sys/devices/system/cpu/cpu*/cpufreq: No such file or directory: no cpufreq driver: usual in a "
	    "virtual machine; on real hardware load intel_pstate, amd-pstate or acpi-cpufreq"));
	must(store_kernel_log(s, run, 120000000, 4, "memhog (1234): drop_caches: 3"));
	must(store_commit(s));
	must(store_run_end(s, run, sample_result()));
	return run;
}

// A directory for a test's files, and the path of a database there, which does not exist yet.
static char *dir, *db;

static inline int sample_set_up(void **state)
{
	(void)state;
	dir = g_dir_make_tmp("mmprof-test-XXXXXX", NULL);
	assert_non_null(dir);
	db = g_build_filename(dir, "a.db", NULL);
	return 0;
}

static inline int sample_tear_down(void **state)
{
	char *argv[] = {"rm", "-rf", dir, NULL};

	(void)state;
	assert_true(g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
	g_clear_pointer(&dir, g_free);
	g_clear_pointer(&db, g_free);
	return 0;
}

static inline struct store *open_ok(const char *path, enum store_mode mode)
{
	struct store *s = NULL;

	must(store_open(path, mode, &s));
	return s;
}

// A process that begins a run in `db` and is killed.
static inline void sample_killed_writer(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		sample_begin(open_ok(db, STORE_WRITE), NULL, 1);
		raise(SIGKILL);
	}
	waitpid(pid, NULL, 0);
}

static inline int files_in(const char *path)
{
	GDir *d = g_dir_open(path, 0, NULL);
	int n = 0;

	while (g_dir_read_name(d))
		n++;
	g_dir_close(d);
	return n;
}

#endif
