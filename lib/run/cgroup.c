// Makes and empties the workload's cgroup; see cgroup.h and Documentation/admin-guide/cgroup-v2.rst.
#include "run/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/journal.h"
#include "host/host.h"
#include "run/cgroup_limits.h"

#define OWN_MOUNT "/run/mmprof/cgroup2"

static const char *hierarchy(void)
{
	const char *mounted = host_cgroup2();

	if (mounted)
		return mounted;
	if (journal_add(UNDO_UMOUNT, OWN_MOUNT, NULL) < 0)
		return NULL;
	if ((mkdir(OWN_MOUNT, 0755) && errno != EEXIST) || mount("mmprof", OWN_MOUNT, "cgroup2", 0, NULL)) {
		err_set(-errno, "no cgroup v2 hierarchy is mounted, and mounting one failed: %m");
		return NULL;
	}
	return OWN_MOUNT;
}

int run_cgroup_make(struct run_cgroup *cg)
{
	static int number;
	const char *root = hierarchy();

	*cg = (struct run_cgroup){.fd = -1};
	if (!root)
		return -ENOENT;
	cg->path = g_strdup_printf("%s/mmprof-%d-%d", root, getpid(), ++number);
	if (journal_add(UNDO_RMDIR, cg->path, NULL) < 0)
		return -EIO;
	if (mkdir(cg->path, 0755))
		return err_set(-errno, "can't make the cgroup %s: %m", cg->path);
	cg->fd = open(cg->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cg->fd < 0)
		return err_set(-errno, "can't open the cgroup %s: %m", cg->path);
	return cgroup_limits_copy(root, cg->path);
}

static int write_at(const struct run_cgroup *cg, const char *file, const char *text)
{
	int fd = openat(cg->fd, file, O_WRONLY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

int run_cgroup_add(const struct run_cgroup *cg, pid_t pid)
{
	g_autofree char *text = g_strdup_printf("%d\n", pid);
	int rc = write_at(cg, "cgroup.procs", text);

	return rc ? err_set(rc, "can't move the workload into %s: %s", cg->path, g_strerror(-rc)) : 0;
}

static char **processes(const struct run_cgroup *cg)
{
	g_autofree char *path = g_build_filename(cg->path, "cgroup.procs", NULL), *text = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL) || !*text)
		return g_new0(char *, 1);
	return g_strsplit(g_strchomp(text), "\n", -1);
}

int run_cgroup_population(const struct run_cgroup *cg)
{
	g_auto(GStrv) pid = processes(cg);

	return (int)g_strv_length(pid);
}

void run_cgroup_kill(const struct run_cgroup *cg)
{
	if (write_at(cg, "cgroup.kill", "1") == 0) // 5.14
		return;
	for (int i = 0; i < 20; i++) {
		g_auto(GStrv) pid = processes(cg);

		for (char **p = pid; *p; p++)
			kill(atoi(*p), SIGKILL);
		if (!*pid)
			return;
		g_usleep(10000);
	}
}

void run_cgroup_free(struct run_cgroup *cg)
{
	if (cg->fd >= 0)
		close(cg->fd);
	cg->fd = -1;
	g_clear_pointer(&cg->path, g_free);
}
