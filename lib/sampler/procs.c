// Which processes are the workload's. With a cgroup: cgroup.procs of it and of the cgroups below. Without:
// the tree below the root process, by /proc/PID/task/TID/children (CONFIG_PROC_CHILDREN) or by the ppid of
// every process. Follows fs/proc/array.c and kernel/cgroup/cgroup.c.
#include "sampler/procs.h"
#include "sampler/read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct member {
	struct proc_stat stat;
	unsigned seen; // the generation of the last refresh that found it alive
};

struct procs {
	GArray *pids;        // pid_t
	GHashTable *members; // pid -> struct member; without a cgroup only
	GArray *queue;       // pid_t, children to visit
	int top_fd;          // cgroup.procs of our cgroup
	GPtrArray *below;    // our cgroup and those below it
	bool started, no_children_files;
	int64_t walked_ns; // when `below` or all of /proc was last walked
	unsigned generation;
	int64_t lost_user, lost_system; // ticks of members that were reaped by a stranger
	struct text text;
};

int proc_stat_parse(const char *text, struct proc_stat *stat)
{
	// The name is whatever the process wants, ") R 1" and newlines included: only the last ')' ends it.
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	int64_t f[20] = {0}; // f[0] is ppid, the fourth field

	if (!open || !close || close < open || close[1] != ' ' || !close[2])
		return -EINVAL;
	g_strlcpy(stat->comm, open + 1, MIN(sizeof(stat->comm), (size_t)(close - open)));
	stat->state = close[2];
	const char *p = close + 3;
	for (int i = 0; i < 19; i++) {
		p = parse_i64(p, &f[i]);
		if (!p)
			return -EINVAL;
	}
	stat->ppid = (pid_t)f[0];
	stat->flags = (unsigned)f[5];
	stat->user = f[10];
	stat->system = f[11];
	stat->reaped_user = f[12];
	stat->reaped_system = f[13];
	stat->start = f[18];
	return 0;
}

int proc_stat_read(pid_t pid, struct proc_stat *stat)
{
	char path[32], line[1024];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	int fd = text_open(sampler_root, path);
	if (fd < 0)
		return fd;
	ssize_t n = read(fd, line, sizeof(line) - 1);
	int error = n < 0 ? -errno : 0;
	close(fd);
	if (error)
		return error;
	line[n] = 0;
	return proc_stat_parse(line, stat);
}

struct procs *procs_new(void)
{
	struct procs *procs = g_new0(struct procs, 1);

	procs->top_fd = -1;
	procs->pids = g_array_new(FALSE, FALSE, sizeof(pid_t));
	procs->queue = g_array_new(FALSE, FALSE, sizeof(pid_t));
	procs->members = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
	procs->below = g_ptr_array_new_with_free_func(g_free);
	return procs;
}

void procs_free(struct procs *procs)
{
	if (!procs)
		return;
	if (procs->top_fd >= 0)
		close(procs->top_fd);
	g_array_free(procs->pids, TRUE);
	g_array_free(procs->queue, TRUE);
	g_hash_table_destroy(procs->members);
	g_ptr_array_free(procs->below, TRUE);
	text_free(&procs->text);
	g_free(procs);
}

// --- with a cgroup

static void find_cgroups(struct procs *procs, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	if (!d)
		return;
	g_ptr_array_add(procs->below, g_strdup(dir));
	while ((e = readdir(d))) {
		if (e->d_type != DT_DIR || !strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		g_autofree char *sub = g_strconcat(dir, "/", e->d_name, NULL);
		find_cgroups(procs, sub);
	}
	closedir(d);
}

static void refresh_cgroup(struct procs *procs, const char *dir)
{
	// Cgroups made by the workload itself are looked for once a second.
	if (!procs->below->len || monotonic_ns() - procs->walked_ns > 1000000000LL) {
		g_ptr_array_set_size(procs->below, 0);
		find_cgroups(procs, dir);
		procs->walked_ns = monotonic_ns();
	}
	for (guint i = 0; i < procs->below->len; i++) {
		int64_t value;

		if (i == 0 && procs->top_fd < 0)
			procs->top_fd = text_open(dir, "/cgroup.procs");
		if ((i == 0 ? text_read(&procs->text, procs->top_fd)
			    : text_load(&procs->text, procs->below->pdata[i], "/cgroup.procs")) < 0)
			continue;
		for (const char *p = procs->text.data; (p = parse_i64(p, &value)); p += *p == '\n') {
			pid_t pid = (pid_t)value;
			if (pid > 0) // 0: a process outside of our pid namespace
				g_array_append_val(procs->pids, pid);
		}
	}
}

// --- without a cgroup

static int children_of_thread(pid_t pid, const char *tid, void (*add)(pid_t, void *), void *arg)
{
	struct text text = {0};
	char path[64];
	int64_t value;

	snprintf(path, sizeof(path), "/proc/%d/task/%.20s/children", pid, tid);
	int r = text_load(&text, sampler_root, path);
	if (r == 0)
		for (const char *p = text.data; (p = parse_i64(p, &value)); r++)
			add((pid_t)value, arg);
	text_free(&text);
	return r;
}

int proc_children(pid_t pid, void (*add)(pid_t child, void *arg), void *arg)
{
	g_autofree char *dir = g_strdup_printf("%s/proc/%d/task", sampler_root, pid);
	DIR *d = opendir(dir);
	struct dirent *e;
	int n = 0, r;

	if (!d)
		return -errno;
	while ((e = readdir(d))) {
		if (e->d_name[0] < '0' || e->d_name[0] > '9')
			continue;
		r = children_of_thread(pid, e->d_name, add, arg);
		if (r < 0 && atoi(e->d_name) == pid)
			n = r; // the first thread has no such file: nobody has
		if (n >= 0 && r > 0)
			n += r;
	}
	closedir(d);
	return n;
}

static void queue_child(pid_t child, void *arg)
{
	g_array_append_val(((struct procs *)arg)->queue, child);
}

// A parent of ours that reaped the dead has added its time to its own; a stranger took it away.
static void bury(struct procs *procs, const struct member *member)
{
	if (g_hash_table_contains(procs->members, GINT_TO_POINTER(member->stat.ppid)))
		return;
	procs->lost_user += member->stat.user + member->stat.reaped_user;
	procs->lost_system += member->stat.system + member->stat.reaped_system;
}

// Looks at one process and queues its children. `known`: it counts only if it still is the one seen before;
// otherwise it was found below a member, and an older bearer of its pid is dead.
static void visit(struct procs *procs, pid_t pid, bool known)
{
	struct member *member = g_hash_table_lookup(procs->members, GINT_TO_POINTER(pid));
	struct proc_stat stat;

	if ((member && member->seen == procs->generation) || proc_stat_read(pid, &stat) < 0)
		return;
	if (member && member->stat.start != stat.start) {
		if (known)
			return;
		bury(procs, member);
	}
	if (!member) {
		member = g_new0(struct member, 1);
		g_hash_table_insert(procs->members, GINT_TO_POINTER(pid), member);
	}
	member->stat = stat;
	member->seen = procs->generation;
	proc_children(pid, queue_child, procs);
}

static void visit_queue(struct procs *procs)
{
	while (procs->queue->len) {
		pid_t pid = g_array_index(procs->queue, pid_t, procs->queue->len - 1);

		g_array_set_size(procs->queue, procs->queue->len - 1);
		visit(procs, pid, false);
	}
}

// Everyone's parent, where the kernel has no children files; walked until no new member is found.
static void scan_parents(struct procs *procs)
{
	g_autofree char *path = g_strconcat(sampler_root, "/proc", NULL);
	guint before;

	if (monotonic_ns() - procs->walked_ns < 1000000000LL)
		return;
	do {
		DIR *d = opendir(path);
		struct dirent *e;

		before = g_hash_table_size(procs->members);
		while (d && (e = readdir(d))) {
			struct proc_stat stat;
			pid_t pid = atoi(e->d_name);

			if (pid > 0 && proc_stat_read(pid, &stat) == 0 &&
			    g_hash_table_contains(procs->members, GINT_TO_POINTER(stat.ppid)))
				visit(procs, pid, false);
		}
		if (d)
			closedir(d);
	} while (g_hash_table_size(procs->members) > before);
	procs->walked_ns = monotonic_ns();
}

static void nobody(pid_t child, void *arg)
{
	(void)child, (void)arg;
}

static void refresh_tree(struct procs *procs, pid_t root)
{
	g_autoptr(GList) known = g_hash_table_get_keys(procs->members);
	GHashTableIter iter;
	gpointer key, value;

	procs->generation++;
	if (!procs->started) {
		procs->started = true;
		procs->no_children_files = proc_children(getpid(), nobody, NULL) < 0;
		visit(procs, root, false);
	}
	for (GList *k = known; k; k = k->next)
		visit(procs, GPOINTER_TO_INT(k->data), true);
	visit_queue(procs);
	if (procs->no_children_files)
		scan_parents(procs);

	g_hash_table_iter_init(&iter, procs->members);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		struct member *member = value;
		pid_t pid = GPOINTER_TO_INT(key);

		if (member->seen == procs->generation) {
			if (member->stat.state != 'Z')
				g_array_append_val(procs->pids, pid);
			continue;
		}
		bury(procs, member);
		g_hash_table_iter_remove(&iter);
	}
}

const pid_t *procs_refresh(struct procs *procs, const struct sample_target *target, size_t *n)
{
	g_array_set_size(procs->pids, 0);
	if (target->cgroup_dir)
		refresh_cgroup(procs, target->cgroup_dir);
	else if (target->root_pid > 0)
		refresh_tree(procs, target->root_pid);
	return procs_last(procs, n);
}

const pid_t *procs_last(const struct procs *procs, size_t *n)
{
	*n = procs->pids->len;
	return (const pid_t *)procs->pids->data;
}

void procs_cpu_ns(const struct procs *procs, int64_t *user, int64_t *system)
{
	int64_t tick_ns = 1000000000LL / sysconf(_SC_CLK_TCK);
	GHashTableIter iter;
	gpointer value;

	*user = procs->lost_user;
	*system = procs->lost_system;
	g_hash_table_iter_init(&iter, procs->members);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct member *member = value;
		*user += member->stat.user + member->stat.reaped_user;
		*system += member->stat.system + member->stat.reaped_system;
	}
	*user *= tick_ns;
	*system *= tick_ns;
}
