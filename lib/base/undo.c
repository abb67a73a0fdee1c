// Undoing changes to the machine; see undo.h.
#include "base/undo.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/kfile.h"

static int write_file(const char *path, const char *value, int flags)
{
	g_autofree char *text = g_strconcat(value, "\n", NULL);

	return kfile_write(path, flags, text);
}

// A device is busy for a moment when somebody looks at it, as udev does.
static int put_back(const char *path, const char *value)
{
	int rc = write_file(path, value, O_TRUNC);

	for (int i = 0; i < 1000 && rc == -EBUSY; i++) {
		g_usleep(10000);
		rc = write_file(path, value, O_TRUNC);
	}
	return rc;
}

// ENODEV: the driver has no such device (any more).
static int unbind(const char *path, const char *device)
{
	int rc = write_file(path, device, 0);

	return rc == -ENODEV ? 0 : rc;
}

// Moves a cgroup's processes up and removes it; a dying process may hold it for a moment.
static int remove_cgroup(const char *path, const char *value)
{
	g_autofree char *procs = g_build_filename(path, "cgroup.procs", NULL);
	g_autofree char *parent = g_path_get_dirname(path);
	g_autofree char *up = g_build_filename(parent, "cgroup.procs", NULL);

	(void)value;
	for (int i = 0; i < 100; i++) {
		g_autofree char *pids = NULL;
		g_auto(GStrv) pid = NULL;

		if (rmdir(path) == 0 || errno == ENOENT)
			return 0;
		if (g_file_get_contents(procs, &pids, NULL, NULL)) {
			pid = g_strsplit(g_strchomp(pids), "\n", -1);
			for (char **p = pid; *p && **p; p++)
				write_file(up, *p, 0);
		}
		g_usleep(10000);
	}
	return -EBUSY;
}

static int remove_instance(const char *path, const char *value)
{
	g_autofree char *on = g_build_filename(path, "tracing_on", NULL);
	g_autofree char *tracer = g_build_filename(path, "current_tracer", NULL);
	g_autofree char *events = g_build_filename(path, "events", "enable", NULL);

	(void)value;
	if (access(path, F_OK))
		return 0;
	write_file(on, "0", 0);
	write_file(tracer, "nop", 0);
	write_file(events, "0", 0);
	return rmdir(path) ? -errno : 0;
}

static int unmount(const char *path, const char *value)
{
	(void)value;
	if (umount2(path, MNT_DETACH) && errno != EINVAL && errno != ENOENT)
		return -errno;
	rmdir(path);
	return 0;
}

static int swap_on(const char *path, const char *priority)
{
	int number = atoi(priority),
	    flags = number < 0 ? 0 : SWAP_FLAG_PREFER | (number & SWAP_FLAG_PRIO_MASK);

	return swapon(path, flags) && errno != EBUSY ? -errno : 0; // EBUSY: it was never turned off
}

// EINVAL: it is not on.
static int swap_off(const char *path, const char *value)
{
	(void)value;
	return swapoff(path) && errno != EINVAL ? -errno : 0;
}

// When it started, in ticks since boot: the 22nd field. NULL: there is no such process, or it has ended.
char *undo_process_start(const char *pid)
{
	g_autofree char *path = g_build_filename("/proc", pid, "stat", NULL), *text = NULL;
	const char *name_end;
	g_auto(GStrv) field = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL) || !(name_end = strrchr(text, ')')))
		return NULL;
	field = g_strsplit(name_end + 2, " ", 21);
	return g_strv_length(field) == 21 && *field[0] != 'Z' ? g_strdup(field[19]) : NULL;
}

static int end_process(const char *pid, const char *start)
{
	for (int i = 0; i < 1000; i++) {
		g_autofree char *now = undo_process_start(pid);

		if (g_strcmp0(now, start))
			return 0; // gone, or another has its number
		if (kill(atoi(pid), i < 50 ? SIGTERM : SIGKILL) && errno != ESRCH)
			return -errno;
		waitpid(atoi(pid), NULL, WNOHANG); // it may be a child of ours
		g_usleep(10000);
	}
	return -EBUSY;
}

// A probe that is being detached may hold it for a moment.
static int unload(const char *module, const char *value)
{
	(void)value;
	for (int i = 0; i < 100; i++) {
		if (syscall(SYS_delete_module, module, O_NONBLOCK) == 0 || errno == ENOENT)
			return 0;
		if (errno != EWOULDBLOCK && errno != EBUSY)
			break;
		g_usleep(50000);
	}
	return -errno;
}

static int append(const char *path, const char *value)
{
	return write_file(path, value, O_APPEND);
}

static int remove_file(const char *path, const char *value)
{
	(void)value;
	return unlink(path) ? -errno : 0;
}

// --- the kinds: a line's first word, and what is done with its path and value

static const struct {
	const char *name;
	int (*undo)(const char *path, const char *value);
} kinds[] = {
    [UNDO_RMDIR] = {"rmdir", remove_cgroup}, [UNDO_INSTANCE] = {"instance", remove_instance},
    [UNDO_WRITE] = {"write", put_back},      [UNDO_APPEND] = {"append", append},
    [UNDO_UMOUNT] = {"umount", unmount},     [UNDO_SWAPON] = {"swapon", swap_on},
    [UNDO_SWAPOFF] = {"swapoff", swap_off},  [UNDO_RMMOD] = {"rmmod", unload},
    [UNDO_UNLINK] = {"unlink", remove_file}, [UNDO_KILL] = {"kill", end_process},
    [UNDO_UNBIND] = {"unbind", unbind},
};

const char *undo_kind_name(enum undo_kind kind)
{
	return kinds[kind].name;
}

int undo_line(const char *line)
{
	g_auto(GStrv) f = g_strsplit(line, "\t", 3);
	g_autofree char *path = NULL, *value = NULL;
	int rc = -EINVAL;

	if (g_strv_length(f) != 3)
		return 0; // torn by a crash: its change was never made
	path = g_strcompress(f[1]);
	value = g_strcompress(f[2]);
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (!strcmp(f[0], kinds[i].name))
			rc = kinds[i].undo(path, value);
	if (rc && rc != -ENOENT)
		return err_set(rc, "could not undo \"%s %s\": %s", f[0], path, g_strerror(-rc));
	return 0;
}
