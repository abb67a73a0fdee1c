// Runs that nobody ended: their mmprof was killed, or the machine went down under it. Told by boot id,
// process id and the process's start time; the reason comes from pstore
// (Documentation/admin-guide/pstore-blk.rst) if it has one.
#include "store/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *store_pstore_dir = "/sys/fs/pstore";

int64_t store_process_start(int64_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%" PRId64 "/stat", pid), *stat = NULL;
	g_auto(GStrv) field = NULL;
	const char *after;

	if (!g_file_get_contents(path, &stat, NULL, NULL))
		return -1;
	after = strrchr(stat, ')'); // the name before may hold anything
	if (!after)
		return -1;
	field = g_strsplit(after + 1, " ", 22);
	return g_strv_length(field) > 20 ? g_ascii_strtoll(field[20], NULL, 10) : -1;
}

static char *boot_id(void)
{
	char *id = NULL;

	if (!g_file_get_contents("/proc/sys/kernel/random/boot_id", &id, NULL, NULL))
		return g_strdup("");
	return g_strchomp(id);
}

// The line of a crash log that says most: the panic or the oops, else the first.
static char *telling_line(const char *log)
{
	static const char *const words[] = {"Kernel panic", "BUG:", "Oops", "Out of memory", "sysrq:"};
	g_auto(GStrv) line = g_strsplit(log, "\n", 2000);

	for (size_t w = 0; w < G_N_ELEMENTS(words); w++)
		for (char **l = line; *l; l++)
			if (strstr(*l, words[w]))
				return g_strdup(*l);
	return line[0] && *line[0] ? g_strdup(line[0]) : NULL;
}

// What pstore holds from after the run's start; records stay there over many boots, their time is the
// crash's.
static char *pstore_line(int64_t since_unix_ns)
{
	GDir *dir = g_dir_open(store_pstore_dir, 0, NULL);
	const char *name;
	char *found = NULL;

	while (dir && !found && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(store_pstore_dir, name, NULL), *log = NULL;
		struct stat st;

		if (stat(path, &st) || (int64_t)st.st_mtim.tv_sec < since_unix_ns / 1000000000)
			continue;
		if (g_file_get_contents(path, &log, NULL, NULL))
			found = telling_line(log);
	}
	if (dir)
		g_dir_close(dir);
	if (found && strlen(found) > 300)
		found[300] = 0;
	return found;
}

static char *reason(int64_t pid, const char *boot, bool same_boot, int64_t started)
{
	g_autofree char *log = NULL;

	if (same_boot)
		return g_strdup_printf("mmprof (pid %" PRId64 ") was killed during the run", pid);
	log = pstore_line(started);
	if (log)
		return g_strdup_printf("the machine crashed during the run: %s", log);
	return g_strdup_printf("mmprof (pid %" PRId64
			       ") is gone: killed, or the machine crashed or was restarted; boot %s",
			       pid, boot);
}

static int mark(struct store *s, int64_t run, const char *why)
{
	return STORE_DO(
	    s, "UPDATE run SET status = 'crashed', status_why = ?2 WHERE id = ?1 AND status = 'running'",
	    v_int(run), v_text(why));
}

int store_mark_crashed(struct store *s)
{
	static const char sql[] =
	    "SELECT id, ifnull(boot_id, ''), ifnull(mmprof_pid, 0), ifnull(mmprof_start_ticks, -1),"
	    " started_unix_ns FROM run WHERE status = 'running'";
	g_autofree char *this_boot = boot_id();
	sqlite3_stmt *stmt;
	int result, rc = store_stmt(s, sql, NULL, 0, &stmt);

	if (rc)
		return rc;
	while ((result = sqlite3_step(stmt)) == SQLITE_ROW && !rc) {
		int64_t pid = sqlite3_column_int64(stmt, 2), start = sqlite3_column_int64(stmt, 3);
		const char *boot = (const char *)sqlite3_column_text(stmt, 1);
		bool same_boot = !g_strcmp0(boot, this_boot);
		g_autofree char *why = NULL;

		if (same_boot && start >= 0 && store_process_start(pid) == start)
			continue;
		why = reason(pid, boot, same_boot, sqlite3_column_int64(stmt, 4));
		rc = mark(s, sqlite3_column_int64(stmt, 0), why);
	}
	if (!rc && result != SQLITE_DONE && result != SQLITE_ROW)
		rc = store_error(s, result);
	sqlite3_reset(stmt);
	return rc;
}
