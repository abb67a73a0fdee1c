// What the files of doctor's checks share. Private to lib/host.
#ifndef MMPROF_HOST_CHECKS_H
#define MMPROF_HOST_CHECKS_H

#include <linux/bpf.h>

#include "host/internal.h"

// The kernel's own test function: nothing calls it but BPF's self-test, so that a probe on it disturbs
// nobody.
#define EMPTY_FUNCTION "bpf_fentry_test1"

struct checks {
	host_check_fn check;
	void *ctx;
	const char *group;
};

// Reports one check of the group; `remedy` is NULL where there is nothing to do.
void check_say(const struct checks *c, const char *name, enum host_state state, const char *remedy,
	       const char *fmt, ...) __attribute__((format(printf, 5, 6)));

// The errno's name and words: of a file. g_free.
char *check_errno(int error);

// The same, and what it means for a probe or a BPF program on this machine. g_free.
char *check_why(int error);

// `remedy`, but being root comes first.
const char *check_remedy(const char *remedy);

// Loads a BPF program that does nothing. A descriptor, or -1 with errno and the verifier's last words in *why
// (g_free).
int check_load(enum bpf_prog_type type, enum bpf_attach_type attach, int btf_id, char **why);

// Opens a perf event of all processes on one CPU and lets the program run on it. Closing the descriptor
// undoes it. -1 with errno.
int check_attach_perf(uint32_t type, uint64_t config, uint64_t config1, int prog_fd);

// The end of a trial: what the program was attached with, or -1 with errno, and the program are closed. Was
// it attached? If not, *why says why not (g_free).
bool check_attached(int fd, int prog_fd, char **why);

// The number of a perf PMU, -1 when this kernel has none of that name.
int check_pmu(const char *name);

// The groups.
void checks_bpf(const struct checks *c);
void checks_probes(const struct checks *c);
void checks_tracepoints(const struct checks *c);
void checks_samplers(const struct checks *c);
void checks_mounts(const struct checks *c);
void checks_rights(const struct checks *c);
void checks_hardware(const struct checks *c);
void checks_memory(const struct checks *c);
void checks_config(const struct checks *c);

#endif
