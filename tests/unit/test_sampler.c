// Samplers against a tree of files of our own, for what this machine may lack or can't be made to do:
// cpufreq, two nodes, NUMA maps, dying kernel threads, wrapping interrupt counts, hostile names.
#include "sampler_sink.h"
#include "tree.h"

#include "run/samplers.h"
#include "sampler/kthreads.h"
#include "sampler/procs.h"
#include "sampler/spin.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

// --- a tree of our own

__attribute__((format(printf, 2, 3))) static void put_file(const char *path, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	g_autofree char *text = g_strdup_vprintf(fmt, args);
	va_end(args);
	tree_put(path, text);
}

static int fake(void **state)
{
	(void)state;
	tree_make();
	sampler_root = tree;
	return 0;
}

static int real(void **state)
{
	(void)state;
	sampler_root = "";
	tree_remove();
	return 0;
}

// --- parsing

static void hostile_names(void **state)
{
	struct proc_stat stat;

	(void)state;
	assert_int_equal(
	    proc_stat_parse("12 (a) R 1) S 7 1 1 0 -1 2097152 0 0 0 0 3 4 5 6 20 0 1 0 99 0 0\n", &stat), 0);
	assert_string_equal(stat.comm, "a) R 1");
	assert_int_equal(stat.state, 'S');
	assert_int_equal(stat.ppid, 7);
	assert_true(stat.flags & PROC_KTHREAD);
	assert_int_equal(stat.user, 3);
	assert_int_equal(stat.reaped_system, 6);
	assert_int_equal(stat.start, 99);
	assert_int_equal(
	    proc_stat_parse("12 (a\n(b) R 1 2 3\n) Z 8 1 1 0 -1 0 0 0 0 0 3 4 5 6 20 0 1 0 99 0", &stat), 0);
	assert_int_equal(stat.state, 'Z');
	assert_int_equal(proc_stat_parse("", &stat), -EINVAL);
	assert_int_equal(proc_stat_parse("1 (x)", &stat), -EINVAL);
	assert_int_equal(proc_stat_parse("1 (x) R 1 2", &stat), -EINVAL);
	assert_int_equal(proc_stat_parse(")(", &stat), -EINVAL);
}

static void vmstat_kinds(void **state)
{
	static const char *const rows[][2] = {
	    {"gauge pages 1", "nr_free_pages nr_dirty nr_writeback nr_isolated_anon nr_dirty_threshold"},
	    {"gauge count 1", "nr_shmem_hugepages nr_anon_transparent_hugepages workingset_nodes"},
	    {"gauge bytes 1024", "nr_kernel_stack"},
	    {"counter pages 1",
	     "nr_dirtied nr_written nr_throttled_written nr_vmscan_write nr_foll_pin_released "
	     "workingset_refault_anon pgpromote_success pgdemote_direct pgscan_direct"},
	    {"counter count 1",
	     "nr_tlb_remote_flush pgfault htmm_nr_promoted pgscan_direct_throttle numa_hit "
	     "thp_fault_alloc"},
	    {"counter bytes 1024", "pgpgin pgpgout"},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(GStrv) names = g_strsplit(rows[i][1], " ", -1);

		for (char **name = names; *name; name++) {
			struct key key = {.name = *name, .unit = "count", .scale = 1};
			vmstat_classify(&key);
			g_autofree char *is = g_strdup_printf("%s %s %d", key.kind ? "counter" : "gauge",
							      key.unit, (int)key.scale);
			assert_string_equal(is, rows[i][0]);
		}
	}
}

// --- a tree of our own

static void lines_that_move(void **state)
{
	(void)state;
	put_file("/proc/vmstat", "nr_free_pages 10\npgfault 5\n");
	void *s = start("vmstat");
	look("vmstat", s, NULL);
	assert_int_equal(get("vmstat.pgfault")->value, 5);
	put_file("/proc/vmstat", "nr_free_pages 11\nnr_new 7\npgfault 18446744073709551615\npgfaulty 1\n");
	look("vmstat", s, NULL);
	assert_int_equal(get("vmstat.nr_new")->value, 7);
	assert_int_equal(get("vmstat.pgfault")->value, -1);
	assert_int_equal(get("vmstat.pgfaulty")->value, 1);
	assert_int_equal(g_hash_table_size(values), 4);
	put_file("/proc/vmstat", "%s", "");
	look("vmstat", s, NULL);
	assert_int_equal(g_hash_table_size(values), 0);
	find("vmstat")->close(s);
}

static void frequencies(void **state)
{
	void *s;

	(void)state;
	put_file("/sys/devices/system/cpu/online", "0-1,4\n");
	if (spin_check()) {
		assert_int_equal(find("cpufreq")->open(NULL, &s), -ENOENT);
		assert_non_null(strstr(err_text(), "no cpufreq driver"));
	} else {
		s = start("cpufreq");
		look("cpufreq", s, NULL);
		assert_true(get("cpufreq.spin")->value > 0);
		assert_non_null(g_hash_table_lookup(missing, "cpufreq"));
		find("cpufreq")->close(s);
	}
	put_file("/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "1000000\n");
	put_file("/sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq", "3000000\n");
	s = start("cpufreq");
	look("cpufreq", s, NULL);
	assert_int_equal(get("cpufreq.min")->value, 1000000000);
	assert_int_equal(get("cpufreq.mean")->value, 2000000000);
	assert_int_equal(get("cpufreq.max")->value, 3000000000);
	assert_string_equal(get("cpufreq.max")->unit, "hz");
	assert_non_null(
	    g_hash_table_lookup(missing, "/sys/devices/system/cpu/cpu4/cpufreq/scaling_cur_freq"));
	put_file("/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "<unknown>\n");
	look("cpufreq", s, NULL);
	assert_int_equal(get("cpufreq.min")->value, 3000000000);
	find("cpufreq")->close(s);
}

static void put_node(int node, int promoted)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/meminfo", node);
	put_file(path, "Node %d MemFree:  %d kB\nNode %d HugePages_Total:     3\n", node, 100 + node, node);
	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/numastat", node);
	put_file(path, "numa_hit 4\nother_node 1\n");
	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/vmstat", node);
	put_file(path, "nr_free_pages 25\nnuma_hit 4\npgpromote_success %d\n", promoted);
}

static void several_nodes(void **state)
{
	(void)state;
	put_file("/sys/devices/system/node/online", "0\n");
	put_node(0, 5);
	put_node(12, 6);
	void *s = start("nodes");
	look("nodes", s, NULL);
	assert_null(g_hash_table_lookup(values, "node12.MemFree"));
	put_file("/sys/devices/system/node/online", "0,12-13\n"); // memory that comes during the run
	look("nodes", s, NULL);
	assert_int_equal(get("node0.MemFree")->value, 100 * 1024);
	assert_int_equal(get("node12.MemFree")->value, 112 * 1024);
	assert_int_equal(get("node12.HugePages_Total")->value, 3);
	assert_int_equal(get("node12.numa_hit")->kind, SERIES_COUNTER);
	assert_int_equal(get("node12.vmstat.pgpromote_success")->value, 6);
	assert_null(g_hash_table_lookup(values, "node0.vmstat.numa_hit"));
	assert_non_null(g_hash_table_lookup(missing, "/sys/devices/system/node/node13/meminfo"));
	find("nodes")->close(s);
}

static void interrupts_wrap(void **state)
{
	(void)state;
	put_file("/proc/interrupts", "           CPU0       CPU2       \n  0:  1 2 IO-APIC CPU1 TLB: x\n"
				     "TLB:  4294967290   7   TLB shootdowns\nERR:  0\n");
	void *s = start("interrupts");
	look("interrupts", s, NULL);
	assert_int_equal(get("interrupts.TLB")->value, 4294967297);
	assert_non_null(g_hash_table_lookup(missing, "interrupts.CAL"));
	put_file("/proc/interrupts", "   CPU0  CPU1  CPU2\nTLB:  4  1000  8   TLB shootdowns\n");
	look("interrupts", s, NULL);
	assert_int_equal(get("interrupts.TLB")->value, 4294967297 + 10 + 1); // CPU1 came online: from now on
	put_file("/proc/interrupts", "   CPU1\nTLB:  1005 TLB shootdowns\n");
	look("interrupts", s, NULL);
	assert_int_equal(get("interrupts.TLB")->value, 4294967297 + 11 + 5);
	find("interrupts")->close(s);
}

static void *merging; // the sampler ksm's state

static void swap_devices(void **state)
{
	(void)state;
	put_file("/proc/swaps", "Filename Type Size Used Priority\n");
	void *s = start("swap");
	look("swap", s, NULL);
	assert_non_null(strstr(g_hash_table_lookup(missing, "swap"), "swapon"));
	assert_non_null(strstr(g_hash_table_lookup(missing, "zswap"), "debugfs"));
	put_file("/proc/swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
				"/dev/vda2                               partition\t1000\t\t10\t\t-2\n"
				"/a\\040b                                file\t\t2000\t\t0\t\t-3\n");
	look("swap", s, NULL);
	assert_int_equal(get("swap.used")->value, 10 * 1024);
	assert_int_equal(get("swap.size")->value, 3000 * 1024);
	assert_int_equal(get("swap.used./dev/vda2")->value, 10 * 1024);
	assert_int_equal(get("swap.used./a\\040b")->value, 0);
	find("swap")->close(s);

	put_file("/sys/kernel/mm/ksm/general_profit", "-64\n");
	s = start("ksm");
	look("ksm", s, NULL);
	assert_int_equal(get("ksm.general_profit")->value, -64);
	assert_int_equal(g_hash_table_size(missing), 10);
	find("ksm")->close(s);
}

static void put_merging(int sharing, int scanned)
{
	g_autofree char *pages = g_strdup_printf("%d\n", sharing),
			*vmstat = g_strdup_printf(
			    "pgscan_kswapd 5\npgscan_direct %d\npgscan_direct_throttle 9\n", scanned);

	put_file("/sys/kernel/mm/ksm/pages_sharing", pages);
	put_file("/proc/vmstat", vmstat);
	look("ksm", merging, NULL);
}

// Growth is split by whether pages were scanned meanwhile; what is given back is not taken off.
static void ksm_merged_when(void **state)
{
	(void)state;
	put_file("/sys/kernel/mm/ksm/pages_sharing", "100\n");
	put_file("/proc/vmstat", "pgscan_kswapd 5\npgscan_direct 7\n");
	merging = start("ksm");
	put_merging(100, 7);
	assert_int_equal(get("ksm.merged_in_reclaim")->value, 0);
	put_merging(130, 7);
	put_merging(150, 8);
	put_merging(50, 9);
	put_merging(51, 9);
	assert_int_equal(get("ksm.merged_in_reclaim")->value, 20);
	assert_int_equal(get("ksm.merged_outside_reclaim")->value, 31);
	find("ksm")->close(merging);
}

// There is a controller only while its system is set up: nothing is missing without. While it lives it has a
// lock on its file; tests/unit/test_ksmcontrol.c has a real one.
static void controller(void **state)
{
	void *s;
	int lock;

	(void)state;
	s = start("control");
	look("control", s, NULL);
	assert_int_equal(g_hash_table_size(missing), 0);
	find("control")->close(s);
	put_file("/run/mmprof/control",
		 "wakeups 3\nscan_ns 1000\nmerged 7\npsi_error 0\nby_psi 2\nawake 1\n");
	lock = text_open(sampler_root, "/run/mmprof/control");
	assert_int_equal(flock(lock, LOCK_EX), 0);
	s = start("control");
	look("control", s, NULL);
	assert_int_equal(get("control.wakeups")->value, 3);
	assert_int_equal(get("control.wakeups")->kind, SERIES_COUNTER);
	assert_string_equal(get("control.scan_ns")->unit, "ns");
	assert_string_equal(get("control.merged")->unit, "pages");
	assert_int_equal(get("control.awake")->kind, SERIES_GAUGE);
	assert_int_equal(get("control.by_psi")->value, 2);
	assert_null(g_hash_table_lookup(values, "control.psi_error"));
	assert_int_equal(g_hash_table_size(missing), 0);
	find("control")->close(s);
	close(lock);
}

static void put_kthread(int pid, const char *name, int64_t ns)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	put_file(path, "%d (%s) S 2 0 0 0 -1 2097152 0 0 0 0 0 0 0 0 20 0 1 0 %d 0\n", pid, name, pid);
	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	put_file(path, "%" PRId64 " 0 0\n", ns);
}

static int64_t class_ns(const struct kthreads *k, const char *class)
{
	const char *name;
	int64_t ns;

	for (int i = 0; (name = kthreads_class(k, i, &ns)); i++)
		if (!strcmp(name, class))
			return ns;
	fail_msg("no class %s", class);
	return -1;
}

static void kernel_threads_come_and_go(void **state)
{
	(void)state;
	assert_null(kthreads_new());
	put_kthread(2, "kthreadd", 0);
	put_kthread(40, "kswapd0", 1000);
	put_kthread(41, "kswapd1", 500);
	put_kthread(50, "kworker/u8:0-events) R 1", 70);
	put_file("/proc/2/task/2/children", "40 41 50 ");
	struct kthreads *k = kthreads_new();
	assert_non_null(k);
	kthreads_update(k, 1);
	assert_int_equal(class_ns(k, "cpu.kswapd"), 1500);
	assert_int_equal(class_ns(k, "cpu.kworker"), 70);
	assert_int_equal(class_ns(k, "cpu.kmigraterd"), 0);

	put_kthread(40, "kswapd0", 1100);
	put_file("/proc/41/schedstat", "%s", ""); // died
	put_file("/proc/41/stat", "%s", "");
	put_kthread(60, "kmigraterd0", 9); // was born
	put_kthread(61, "ktiering_sample", 30);
	put_kthread(62, "ktiering_migrat", 12); // as the kernel cuts it
	put_file("/proc/2/task/2/children", "40 60 61 62 ");
	kthreads_update(k, 1);
	assert_int_equal(class_ns(k, "cpu.kswapd"), 1600);
	assert_int_equal(class_ns(k, "cpu.ktiering"), 42);
	assert_int_equal(class_ns(k, "cpu.kmigraterd"), 9);

	// 50 wasn't in the list although it lives; 40's pid is another process' now, with more time
	put_kthread(50, "kworker/u8:0", 80);
	put_file("/proc/40/stat", "40 (cat) R 9 0 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 77777 0\n");
	put_file("/proc/40/schedstat", "999999 0 0\n");
	kthreads_update(k, 1);
	assert_int_equal(class_ns(k, "cpu.kworker"), 80);
	assert_int_equal(class_ns(k, "cpu.kswapd"), 1600);
	kthreads_free(k);
}

static void numa_maps(void **state)
{
	struct sample_target target = {.root_pid = 77};

	(void)state;
	put_kthread(77, "w", 0);
	put_file("/proc/77/task/77/children", "%s", "");
	put_file("/proc/self/numa_maps", "%s", "");
	put_file("/sys/devices/system/node/online", "0-2\n");
	put_file("/proc/77/numa_maps",
		 "55 default file=/N1\\0757\\040N1\\0757 mapped=2 N0=2 kernelpagesize_kB=4\n"
		 "56 bind:0-1 heap anon=5 dirty=5 N0=3 N1=2 kernelpagesize_kB=4\n"
		 "57 default huge anon=1 dirty=1 N1=1 kernelpagesize_kB=2048\n58 default\n");
	void *s = start("residency");
	look("residency", s, &target);
	assert_int_equal(get("workload.node0")->value, 5 * 4096);
	assert_int_equal(get("workload.node1")->value, 2 * 4096 + 2048 * 1024);
	assert_int_equal(get("workload.node2")->value, 0);
	find("residency")->close(s);
}

static void budget_of_the_dear(void **state)
{
	struct sample_target alive = {.root_pid = getpid()}, before = {0};
	struct budget budget = {.min_interval_ms = 3600 * 1000};

	(void)state;
	assert_true(budget_begin(&budget, &alive));
	budget_end(&budget);
	assert_false(budget_begin(&budget, &alive));
	assert_true(budget_begin(&budget, &before));
	assert_float_equal(budget.rest, 200, 0); // half of 1 %, or of what is allowed
	alive.percent = 20;
	budget.free_at_ns = 0;
	assert_true(budget_begin(&budget, &alive));
	assert_float_equal(budget.rest, 10, 0);
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	siginfo_t info;
	assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	struct sample_target ended = {.root_pid = child};
	assert_true(budget_begin(&budget, &ended)); // the last reading, reaped or not
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_true(budget_begin(&budget, &ended));
}

static void one_slow_reading(void **state)
{
	(void)state;
	assert_int_equal(samplers_pause_ns(5000000, 5000000, 1), 5000000000); // at 1 %, a tenth of it each
	assert_int_equal(samplers_pause_ns(5000000, 40000, 1), 40000000);     // a page fault on the way
	assert_int_equal(samplers_pause_ns(40000, 5000000, 1), 40000000);
	assert_int_equal(samplers_pause_ns(5000000, 5000000, 100), 50000000);
}

static int tests(void)
{
	const struct CMUnitTest list[] = {
	    cmocka_unit_test(hostile_names),
	    cmocka_unit_test(vmstat_kinds),
	    cmocka_unit_test_setup_teardown(lines_that_move, fake, real),
	    cmocka_unit_test_setup_teardown(frequencies, fake, real),
	    cmocka_unit_test_setup_teardown(several_nodes, fake, real),
	    cmocka_unit_test_setup_teardown(interrupts_wrap, fake, real),
	    cmocka_unit_test_setup_teardown(swap_devices, fake, real),
	    cmocka_unit_test_setup_teardown(ksm_merged_when, fake, real),
	    cmocka_unit_test_setup_teardown(controller, fake, real),
	    cmocka_unit_test_setup_teardown(kernel_threads_come_and_go, fake, real),
	    cmocka_unit_test_setup_teardown(numa_maps, fake, real),
	    cmocka_unit_test(budget_of_the_dear),
	    cmocka_unit_test(one_slow_reading),
	};

	return cmocka_run_group_tests(list, NULL, NULL);
}

int main(void)
{
	return with_sink(tests);
}
