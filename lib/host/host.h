// What machine is this: read-only questions about kernel, CPU, clock, NUMA, cgroups, capabilities. Nothing
// here changes the machine.
#ifndef MMPROF_HOST_HOST_H
#define MMPROF_HOST_HOST_H

#include <stdbool.h>
#include <stdint.h>

// Provenance: calls `fact` once for each fact of this machine (kernel release, build, command line, config
// digest, every MM knob as "sysctl.vm.swappiness", "thp.enabled", "ksm.run", "zswap.enabled",
// "lru_gen.enabled", "numa.demotion_enabled", "memory_tier4.nodes"..., "cpu.model", "cpu.microcode",
// "cpufreq.driver", "numa.distance.0", "mitigation.meltdown", "clocksource", "lab.kernel" ...). Files that
// are absent give no fact. Paths are read below `root` ("" for this machine; tests give a tree of their own).
typedef void (*host_fact_fn)(void *ctx, const char *key, const char *value);
void host_facts(const char *root, host_fact_fn fact, void *ctx);

// One capability of this machine, as `mmprof doctor` shows it.
enum host_state { HOST_YES, HOST_PARTLY, HOST_NO, HOST_UNKNOWN };
typedef void (*host_check_fn)(void *ctx, const char *group, const char *name, enum host_state state,
			      const char *detail, const char *remedy);
// Calls `check` for each capability; detail says what was found or exactly why not, remedy what to do (NULL:
// nothing to do).
void host_check_all(host_check_fn check, void *ctx);

// CONFIG_NAME of the running kernel: "y", "m", a value, "n" (config known, option not set), NULL (no config
// to read). Name without the CONFIG_ prefix. The string lives as long as the process.
const char *host_config(const char *name);

// The name of the CONFIG source that was read ("/boot/config-6.1.0-56-amd64", "/proc/config.gz"), NULL if
// none.
const char *host_config_source(void);

const char *host_boot_id(void); // static
uint64_t
host_tsc_hz(void); // TSC frequency, 0 when unknown (CPUID 0x15/0x16, kernel log, or measured over 10 ms)
bool host_has_cap(int capability); // CAP_* in the effective set

// The tracefs mount point ("/sys/kernel/tracing" or below debugfs), NULL when not mounted. Static.
const char *host_tracefs(void);

// Where a cgroup v2 hierarchy is mounted (pure v2, or hybrid's "unified"), NULL when none. Static. Does not
// say that one may write there.
const char *host_cgroup2(void);

#endif
