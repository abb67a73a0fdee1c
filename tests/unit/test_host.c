// lib/host on a tree of files of our own, for what this machine may lack (cpufreq, several nodes, tiers,
// HMAT, other systems' knobs) and for hostile files; and on the real kernel, where the checks must leave
// nothing behind.
#include "tree.h"

#include "host/host.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

static GHashTable *facts;
static int n_facts;

// --- a tree of our own

static char *at(const char *path)
{
	char *full = in_tree(path);

	tree_make_parent(full);
	return full;
}

static void put_mode(const char *path, mode_t mode, const char *text)
{
	g_autofree char *full = in_tree(path);

	tree_put(path, text);
	assert_int_equal(chmod(full, mode), 0);
}

static int fresh_tree(void **state)
{
	(void)state;
	tree_make();
	facts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	n_facts = 0;
	return 0;
}

static int drop_tree(void **state)
{
	(void)state;
	tree_remove();
	g_clear_pointer(&facts, g_hash_table_unref);
	return 0;
}

// Whatever the files hold, a fact is one clean line.
static void keep(void *ctx, const char *key, const char *value)
{
	(void)ctx;
	n_facts++;
	assert_false(g_hash_table_contains(facts, key));
	assert_true(*key && strspn(key, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-") == strlen(key));
	assert_true(*value && strlen(value) <= 1024 && g_utf8_validate(value, -1, NULL));
	for (const char *p = value; *p; p = g_utf8_next_char(p))
		assert_false(g_unichar_iscntrl(g_utf8_get_char(p)));
	g_hash_table_insert(facts, g_strdup(key), g_strdup(value));
}

static void gather(void)
{
	g_hash_table_remove_all(facts);
	n_facts = 0;
	host_facts(tree, keep, NULL);
}

static const char *fact(const char *key)
{
	return g_hash_table_lookup(facts, key);
}

#define assert_fact(key, value)                                                                              \
	do {                                                                                                 \
		assert_non_null(fact(key));                                                                  \
		assert_string_equal(fact(key), value);                                                       \
	} while (0)

// --- facts

static void nothing(void **state)
{
	(void)state;
	gather();
	assert_int_equal(n_facts, 1);
	assert_fact("cgroup.layout", "none");
}

static void knobs_and_counters(void **state)
{
	(void)state;
	tree_put("/proc/sys/kernel/osrelease", "6.1.0-56-amd64\n");
	tree_put("/proc/sys/vm/swappiness", "60\n");
	tree_put("/proc/sys/vm/lowmem_reserve_ratio", "256\t256\t32\t0\t0\n");
	put_mode("/proc/sys/vm/compact_memory", 0200, "");
	put_mode("/proc/sys/vm/stat_refresh", 0600, "1");
	tree_put("/proc/sys/kernel/numa_balancing", "2\n");
	tree_put("/proc/sys/kernel/numa_balancing_promote_rate_limit_MBps", "65536\n");
	tree_put("/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n");
	tree_put("/sys/kernel/mm/transparent_hugepage/khugepaged/defrag", "1\n");
	put_mode("/sys/kernel/mm/transparent_hugepage/khugepaged/full_scans", 0444, "7\n");
	tree_put("/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled", "inherit [never]\n");
	put_mode("/sys/kernel/mm/transparent_hugepage/hugepages-64kB/stats/nr_anon", 0444, "3\n");
	tree_put("/sys/kernel/mm/ksm/run", "1\n");
	put_mode("/sys/kernel/mm/ksm/pages_shared", 0444, "812\n");
	tree_put("/sys/kernel/mm/lru_gen/enabled", "0x0007\n");
	tree_put("/sys/kernel/mm/numa/demotion_enabled", "true\n");
	tree_put("/sys/kernel/mm/htmm/htmm_sample_period", "199\n");
	tree_put("/sys/kernel/mm/damon/admin/kdamonds/0/contexts/0/schemes/0/action", "pageout\n");
	tree_put("/sys/kernel/mm/damon/admin/kdamonds/0/contexts/0/targets/0/pid_target", "4711\n");
	tree_put("/sys/module/zswap/parameters/enabled", "Y\n");
	gather();
	assert_fact("kernel.release", "6.1.0-56-amd64");
	assert_fact("sysctl.vm.swappiness", "60");
	assert_fact("sysctl.vm.lowmem_reserve_ratio", "256 256 32 0 0");
	assert_fact("sysctl.kernel.numa_balancing", "2");
	assert_fact("sysctl.kernel.numa_balancing_promote_rate_limit_MBps", "65536");
	assert_fact("thp.enabled", "[always] madvise never");
	assert_fact("thp.khugepaged.defrag", "1");
	assert_fact("thp.hugepages-64kB.enabled", "inherit [never]");
	assert_fact("ksm.run", "1");
	assert_fact("lru_gen.enabled", "0x0007");
	assert_fact("numa.demotion_enabled", "true");
	assert_fact("htmm.htmm_sample_period", "199");
	assert_fact("damon.admin.kdamonds.0.contexts.0.schemes.0.action", "pageout");
	assert_fact("zswap.enabled", "Y");
	assert_int_equal(n_facts, 15);
}

static void hostile_files(void **state)
{
	g_autofree char *fifo = at("/sys/kernel/mm/x/fifo"), *loop = at("/sys/kernel/mm/x/loop"),
			*bin = at("/sys/kernel/mm/x/bitmap");
	g_autofree char *big = g_strnfill(100000, 'x'), *utf8 = NULL;
	GString *long_text = g_string_new(NULL);

	(void)state;
	assert_int_equal(mkfifo(fifo, 0644), 0);
	assert_int_equal(symlink(".", loop), 0);
	assert_true(g_file_set_contents(bin, "ab\0cd", 5, NULL));
	tree_put("/sys/kernel/mm/x/big", big);
	tree_put("/sys/kernel/mm/x/latin1", "caf\xe9");
	tree_put("/sys/kernel/mm/x/blank", " \n\t\n");
	tree_put("/sys/kernel/mm/x/escape", "\x1b[31mred\x7f\nnext\r\n");
	tree_put("/sys/kernel/mm/x/odd name=\n", "v");
	for (int i = 0; i < 1000; i++)
		g_string_append(long_text,
				"\xc3\xa4"); // 2000 bytes, a cut in the middle of one would be no UTF-8
	utf8 = g_string_free(long_text, FALSE);
	tree_put("/proc/cmdline", utf8);
	tree_put("/proc/cpuinfo", ":\n\nprocessor\nmodel name\nflags\t\t:\n");
	tree_put("/proc/meminfo", "MemTotal");
	tree_put("/proc/swaps", "Filename\n/dev/x\n");
	tree_put("/proc/self/mountinfo", "x - \n - cgroup\n1 2 3 / \n");
	gather();
	assert_null(fact("x.fifo"));
	assert_null(fact("x.loop"));
	assert_null(fact("x.bitmap"));
	assert_null(fact("x.big"));
	assert_null(fact("x.blank"));
	assert_null(fact("x.latin1"));
	assert_fact("x.escape", "[31mred next");
	assert_fact("x.odd_name__", "v");
	assert_int_equal(strlen(fact("kernel.cmdline")), 1024);
}

static void a_huge_tree_is_bounded(void **state)
{
	(void)state;
	for (int i = 0; i < 3000; i++) {
		g_autofree char *path = g_strdup_printf("/sys/kernel/mm/many/f%d", i);

		tree_put(path, "1");
	}
	gather();
	assert_true(n_facts > 1000 && n_facts < 2100);
}

static void nodes_and_tiers(void **state)
{
	(void)state;
	tree_put("/sys/devices/system/node/online", "0-1\n");
	tree_put("/sys/devices/system/node/has_cpu", "0\n");
	tree_put("/sys/devices/system/node/has_memory", "0-1\n");
	tree_put("/sys/devices/system/node/node0/distance", "10 20\n");
	tree_put("/sys/devices/system/node/node1/distance", "20 10\n");
	tree_put("/sys/devices/system/node/node0/cpulist", "0-1\n");
	tree_put("/sys/devices/system/node/node1/cpulist", "\n");
	tree_put("/sys/devices/system/node/node1/meminfo",
		 "Node 1 MemTotal:        2097152 kB\nNode 1 MemFree:  1 kB\n");
	tree_put("/sys/devices/system/node/node1/access0/initiators/read_latency", "400\n");
	tree_put("/sys/devices/system/node/node1/access0/initiators/write_bandwidth", "10000\n");
	tree_put("/sys/devices/virtual/memory_tiering/memory_tier4/nodelist", "0\n");
	tree_put("/sys/devices/virtual/memory_tiering/memory_tier225/nodelist", "1\n");
	tree_put("/sys/devices/virtual/memory_tiering/power/control", "auto\n");
	tree_put("/proc/meminfo", "MemTotal:        4046512 kB\nMemFree: 5 kB\nSwapTotal:       0 kB\n");
	tree_put("/proc/swaps",
		 "Filename\tType\tSize\tUsed\tPriority\n/dev/sda2   partition\t1048572\t77\t-2\n");
	gather();
	assert_fact("numa.nodes", "0-1");
	assert_fact("numa.has_cpu", "0");
	assert_fact("numa.distance.0", "10 20");
	assert_fact("numa.distance.1", "20 10");
	assert_fact("numa.node0.cpus", "0-1");
	assert_null(fact("numa.node1.cpus"));
	assert_fact("numa.node1.total", "2097152 kB");
	assert_fact("numa.node1.read_latency_ns", "400");
	assert_fact("numa.node1.write_bandwidth_mib_s", "10000");
	assert_fact("memory_tier4.nodes", "0");
	assert_fact("memory_tier225.nodes", "1");
	assert_fact("memory.total", "4046512 kB");
	assert_fact("swap.total", "0 kB");
	assert_fact("swap.device.0", "/dev/sda2 partition 1048572 kB priority -2");
}

static void processor(void **state)
{
	(void)state;
	tree_put("/proc/cpuinfo",
		 "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 106\n"
		 "model name\t: Xeon\nstepping\t: 6\nmicrocode\t: 0xd0003a5\nflags\t\t: fpu pcid "
		 "pse hypervisor\n\n"
		 "processor\t: 1\nmodel name\t: another\nflags\t\t: la57\n\n");
	for (int i = 0; i < 3; i++) {
		g_autofree char *dir = g_strdup_printf("/sys/devices/system/cpu/cpufreq/policy%d/", i);
		g_autofree char *driver = g_strconcat(dir, "scaling_driver", NULL),
				*governor = g_strconcat(dir, "scaling_governor", NULL);

		tree_put(driver, "intel_pstate\n");
		tree_put(governor, i == 1 ? "performance\n" : "powersave\n");
	}
	tree_put("/sys/devices/system/cpu/intel_pstate/no_turbo", "1\n");
	tree_put("/sys/devices/system/cpu/vulnerabilities/meltdown", "Mitigation: PTI\n");
	tree_put("/sys/devices/system/cpu/cpu0/cache/index0/level", "1\n");
	tree_put("/sys/devices/system/cpu/cpu0/cache/index0/type", "Data\n");
	tree_put("/sys/devices/system/cpu/cpu0/cache/index0/size", "48K\n");
	tree_put("/sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n");
	gather();
	assert_fact("cpu.model", "Xeon");
	assert_fact("cpu.family_model_stepping", "6/106/6");
	assert_fact("cpu.microcode", "0xd0003a5");
	assert_fact("cpu.count", "2");
	assert_fact("cpu.mm_features", "pse pcid");
	assert_int_equal(strlen(fact("cpu.flags_sha256")), 64);
	assert_fact("machine.virtual", "yes");
	assert_fact("cpufreq.driver", "intel_pstate");
	assert_fact("cpufreq.governor", "powersave (0 2), performance (1)");
	assert_fact("cpufreq.no_turbo", "1");
	assert_fact("mitigation.meltdown", "Mitigation: PTI");
	assert_fact("cpu.cache.L1d", "48K, ?-way, ?-byte lines, CPUs ?");
	assert_fact("clocksource", "tsc");
}

static void configuration(void **state)
{
	static const char text[] = "# Linux\nCONFIG_KPROBES=y\n";
	g_autofree char *packed = at("/proc/config.gz"),
			*digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
	gzFile gz;

	(void)state;
	tree_put("/proc/sys/kernel/osrelease", "5.15.0\n");
	tree_put("/boot/config-5.15.0", text);
	tree_put("/boot/config-6.1.0", "CONFIG_WRONG=y\n");
	gather();
	assert_fact("kernel.config_source", "/boot/config-5.15.0");
	assert_fact("kernel.config_sha256", digest);
	gz = gzopen(packed, "wb");
	assert_int_equal(gzwrite(gz, text, sizeof(text) - 1), sizeof(text) - 1);
	gzclose(gz);
	gather();
	assert_fact("kernel.config_source", "/proc/config.gz");
	assert_fact("kernel.config_sha256", digest); // of what it says, not of how it is packed
	tree_put("/proc/config.gz", "\x1f\x8b\x08 torn");
	gather();
	assert_fact("kernel.config_source", "/boot/config-5.15.0");
}

static void cgroup_layouts(void **state)
{
	static const char v1[] =
	    "31 23 0:28 / /sys/fs/cgroup/memory rw,relatime shared:9 master:2 - cgroup cgroup rw,memory\n";
	static const char v2[] = "41 31 0:38 / /sys/fs/cgroup\\040x rw,relatime - cgroup2 cgroup2 rw\n";
	g_autofree char *both = g_strconcat(v1, v2, NULL);

	(void)state;
	tree_put("/proc/self/mountinfo", v1);
	gather();
	assert_fact("cgroup.layout", "v1");
	tree_put("/proc/self/mountinfo", v2);
	gather();
	assert_fact("cgroup.layout", "v2");
	tree_put("/proc/self/mountinfo", both);
	gather();
	assert_fact("cgroup.layout", "hybrid (v1 with v2 at /sys/fs/cgroup x)");
}

// --- this machine

static void real_facts(void **state)
{
	struct utsname u;

	(void)state;
	uname(&u);
	g_hash_table_remove_all(facts);
	n_facts = 0;
	host_facts("", keep, NULL);
	assert_fact("kernel.release", u.release);
	assert_non_null(fact("kernel.version"));
	assert_non_null(fact("sysctl.vm.swappiness"));
	assert_non_null(fact("memory.total"));
	assert_true(n_facts > 50);
}

static void real_questions(void **state)
{
	cap_t caps = cap_get_proc();
	cap_flag_value_t value;

	(void)state;
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++) {
		if (cap_get_flag(caps, cap, CAP_EFFECTIVE, &value) == 0)
			assert_int_equal(host_has_cap(cap), value == CAP_SET);
	}
	cap_free(caps);
	assert_int_equal(strlen(host_boot_id()), 36);
	assert_ptr_equal(host_boot_id(), host_boot_id());
	if (host_config_source()) {
		assert_string_equal(host_config("NO_SUCH_OPTION_AT_ALL"), "n");
		assert_string_equal(host_config("MMU"), "y");
		assert_ptr_equal(host_config("MMU"), host_config("MMU"));
	} else {
		assert_null(host_config("MMU"));
	}
	if (host_tracefs()) {
		g_autofree char *events = g_build_filename(host_tracefs(), "events", NULL);

		assert_true(access(events, F_OK) == 0 || errno == EACCES);
	}
#ifdef __x86_64__
	assert_true(host_tsc_hz() > 100000000 && host_tsc_hz() < 20000000000);
	assert_int_equal(host_tsc_hz(), host_tsc_hz());
#endif
}

struct seen {
	int n, vmstat_yes, root;
};

static void look(void *ctx, const char *group, const char *name, enum host_state state, const char *detail,
		 const char *remedy)
{
	struct seen *s = ctx;

	s->n++;
	if (!group || !*group || !name || !*name || !detail || !*detail || (remedy && !*remedy) ||
	    strpbrk(detail, "\n\r\033") || state > HOST_UNKNOWN) {
		fprintf(stderr, "bad check: %s/%s: %s\n", group, name, detail);
		abort();
	}
	if (!strcmp(name, "vmstat"))
		s->vmstat_yes = state == HOST_YES;
	if (!strcmp(name, "root"))
		s->root = state;
}

static int entries_in(const char *path)
{
	g_autoptr(GDir) dir = path ? g_dir_open(path, 0, NULL) : NULL;
	int n = 0;

	while (dir && g_dir_read_name(dir))
		n++;
	return n;
}

static void checks_leave_nothing(void **state)
{
	g_autofree char *instances =
	    host_tracefs() ? g_build_filename(host_tracefs(), "instances", NULL) : NULL;
	int n_instances = entries_in(instances), n_cgroups = entries_in(host_cgroup2()), n_fds;
	struct rlimit before, after;
	struct seen s = {};
	clock_t start;

	(void)state;
	host_check_all(look, &s); // once, for what is cached
	getrlimit(RLIMIT_MEMLOCK, &before);
	n_fds = entries_in("/proc/self/fd");
	s = (struct seen){};
	start = clock();
	host_check_all(look, &s);
	assert_true(clock() - start < (getenv("MMPROF_LAB") ? 20 : 2) * CLOCKS_PER_SEC); // of CPU time
	getrlimit(RLIMIT_MEMLOCK, &after);
	assert_int_equal(entries_in("/proc/self/fd"), n_fds);
	assert_int_equal(before.rlim_cur, after.rlim_cur);
	assert_int_equal(before.rlim_max, after.rlim_max);
	assert_int_equal(entries_in(instances), n_instances);
	assert_int_equal(entries_in(host_cgroup2()), n_cgroups);
	assert_true(s.n > 60 && s.vmstat_yes);
	assert_int_equal(s.root, geteuid() == 0 ? HOST_YES : HOST_NO);
}

static void checks_without_root(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		struct seen s = {};

		if (setgid(65534) || setuid(65534))
			_exit(3);
		host_check_all(look, &s);
		_exit(s.n > 60 && s.vmstat_yes && s.root == HOST_NO ? 0 : 4);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh_tree, drop_tree)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(nothing),
	    TEST(knobs_and_counters),
	    TEST(hostile_files),
	    TEST(a_huge_tree_is_bounded),
	    TEST(nodes_and_tiers),
	    TEST(processor),
	    TEST(configuration),
	    TEST(cgroup_layouts),
	    TEST(real_facts),
	    TEST(real_questions),
	    TEST(checks_leave_nothing),
	    TEST(checks_without_root),
	};

	return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
