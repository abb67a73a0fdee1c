// See snapshots.h. What is read is /proc/PID/pagemap (Documentation/admin-guide/mm/pagemap.rst) of anonymous
// and shared memory; pages of files are left out: whose accesses those are nobody knows.
#include "run/snapshots.h"

#include <fcntl.h>
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "host/lab.h"
#include "store/store.h"
#include "store/store_read.h"
#include "store/truth.h"

#define COST_FACTOR 8 // rests so many times the CPU time that it took
#define LEAST_PAUSE_NS 200000000ll
#define PRESENT (1ull << 63)
#define FRAME ((1ull << 55) - 1)
#define CHUNK 8192 // entries

struct snapshots {
	struct store *store;
	int64_t run, due_ns;
	const struct sample_target *target;
	int64_t (*clock_ns)(void *ctx);
	void *ctx;
	char uuid[40];
	uint64_t entries[CHUNK];
};

// With those of snapshots a run that is never ended has its clock related to the file's too.
static int mark(struct snapshots *s, enum labcall_sync kind)
{
	int64_t error_ns;
	g_autofree char *why = NULL;

	if (!host_lab_sync(kind, s->clock_ns, s->ctx, s->uuid, &error_ns) || error_ns < 1000000 ||
	    kind == LABCALL_SNAPSHOT)
		return 0;
	why = g_strdup_printf("the mark in the truth file took %" PRIi64 " us", error_ns / 1000);
	return store_not_measured(s->store, s->run, "exact time of the truth file's marks", why);
}

struct snapshots *snapshots_open(struct store *store, int64_t run, const struct sample_target *target,
				 int64_t (*clock_ns)(void *ctx), void *ctx)
{
	g_autofree char *id = g_strdup_printf("%" PRIi64, run);
	struct labcall hello;
	struct store_run_row row;
	struct snapshots *s;

	if (!host_lab_plugin(&hello) || !(hello.out.hello.features & LABCALL_TRUTH))
		return NULL;
	if (store_find_run(store, id, &row))
		return NULL;
	s = g_new0(struct snapshots, 1);
	s->store = store;
	s->run = run;
	s->target = target;
	s->clock_ns = clock_ns;
	s->ctx = ctx;
	g_strlcpy(s->uuid, row.uuid, sizeof(s->uuid));
	mark(s, LABCALL_RUN_BEGINS);
	return s;
}

static void read_range(struct snapshots *s, int fd, uint64_t from, uint64_t to, GArray *places)
{
	while (from < to) {
		size_t n = MIN(to - from, CHUNK);
		ssize_t got = pread(fd, s->entries, n * 8, (off_t)(from * 8));

		if (got < 8)
			return;
		for (size_t i = 0; i < (size_t)got / 8; i++) {
			struct store_place p = {from + i, s->entries[i] & FRAME};

			if (s->entries[i] & PRESENT && p.frame)
				g_array_append_val(places, p);
		}
		from += (size_t)got / 8;
	}
}

static bool is_memory(const char *name)
{
	return !*name || g_str_has_prefix(name, "[heap]") || g_str_has_prefix(name, "[stack") ||
	       g_str_has_prefix(name, "[anon") || g_str_has_prefix(name, "/dev/zero") ||
	       g_str_has_prefix(name, "/dev/shm/") || g_str_has_prefix(name, "/memfd:") ||
	       g_str_has_prefix(name, "/SYSV");
}

static void read_maps(struct snapshots *s, FILE *maps, int fd, GArray *places)
{
	unsigned long from, to;
	char line[512];

	while (fgets(line, sizeof(line), maps)) {
		int name = 0;

		if (sscanf(line, "%lx-%lx %*4s %*x %*s %*u %n", &from, &to, &name) == 2 && name &&
		    is_memory(g_strchomp(line + name)))
			read_range(s, fd, from / 4096, to / 4096, places);
		while (!strchr(line, '\n') && strlen(line) == sizeof(line) - 1 &&
		       fgets(line, sizeof(line), maps))
			;
	}
}

static int take_one(struct snapshots *s, int64_t t_ns, long pid)
{
	g_autofree char *maps_path = g_strdup_printf("/proc/%ld/maps", pid);
	g_autofree char *pagemap_path = g_strdup_printf("/proc/%ld/pagemap", pid);
	g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(struct store_place));
	FILE *maps = fopen(maps_path, "re");
	int fd = open(pagemap_path, O_RDONLY | O_CLOEXEC), rc = 0;
	int64_t from = s->clock_ns(s->ctx);

	if (maps && fd >= 0) // else it has ended
		read_maps(s, maps, fd, places);
	if (places->len)
		rc = store_places(s->store, s->run, t_ns, pid, s->clock_ns(s->ctx) - from, places);
	if (maps)
		fclose(maps);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int snapshots_take(struct snapshots *s)
{
	g_autofree char *path = NULL, *text = NULL;
	g_auto(GStrv) pids = NULL;
	int64_t now = s ? s->clock_ns(s->ctx) : 0, cpu = cpu_ns();
	int rc = 0;

	if (!s || now < s->due_ns)
		return 0;
	path = g_strdup_printf("%s/cgroup.procs", s->target->cgroup_dir ?: "");
	if (!s->target->cgroup_dir || !g_file_get_contents(path, &text, NULL, NULL))
		text = g_strdup_printf("%d", (int)s->target->root_pid);
	pids = g_strsplit(text, "\n", -1);
	mark(s, LABCALL_SNAPSHOT);
	for (char **p = pids; *p && !rc; p++)
		if (**p)
			rc = take_one(s, now, atol(*p));
	s->due_ns = now + MAX(LEAST_PAUSE_NS, COST_FACTOR * (cpu_ns() - cpu));
	return rc;
}

int snapshots_close(struct snapshots *s)
{
	int rc = s ? mark(s, LABCALL_RUN_ENDS) : 0;

	g_free(s);
	return rc;
}
