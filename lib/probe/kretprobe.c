// Return probes through tracefs' kprobe_events; see kretprobe.h and Documentation/trace/kprobetrace.rst.
#include "probe/kretprobe.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/journal.h"
#include "base/kfile.h"
#include "host/host.h"

#define GROUP "mmprof"
#define MAX_ACTIVE 1024 // calls of one function in progress at once; about 100 bytes each

static int append(const char *text)
{
	g_autofree char *path = g_build_filename(host_tracefs() ? host_tracefs() : "", "kprobe_events", NULL);
	int rc = kfile_write(path, O_APPEND, text);

	return rc ? err_set(rc, "%s does not take \"%s\": %s", path, text, g_strerror(-rc)) : 0;
}

int kretprobe_make(const char *symbol, uint32_t number, struct kretprobe *k)
{
	g_autofree char *name = g_strdup_printf("r%d_%u_", getpid(), number);
	g_autofree char *make = g_strdup_printf("r%d:" GROUP "/%s %s\n", MAX_ACTIVE, name, symbol);
	g_autofree char *undo = g_strdup_printf("-:" GROUP "/%s", name);
	g_autofree char *events = NULL, *id = NULL, *text = NULL;
	int rc;

	if (!host_tracefs())
		return err_set(-ENOENT, "tracefs is not mounted");
	events = g_build_filename(host_tracefs(), "kprobe_events", NULL);
	rc = journal_add(UNDO_APPEND, events, undo);
	if (rc >= 0)
		rc = append(make);
	if (rc < 0)
		return rc;
	k->name = g_steal_pointer(&name);
	id = g_build_filename(host_tracefs(), "events", GROUP, k->name, "id", NULL);
	if (!g_file_get_contents(id, &text, NULL, NULL)) {
		kretprobe_remove(k);
		return err_set(-ENOENT, "can't read %s", id);
	}
	k->id = strtoull(text, NULL, 10);
	return 0;
}

int64_t kretprobe_missed(const struct kretprobe *k)
{
	g_autofree char *path = g_build_filename(host_tracefs(), "kprobe_profile", NULL), *text = NULL;
	const char *at;
	unsigned long long hits, missed;

	if (!k->name || !g_file_get_contents(path, &text, NULL, NULL))
		return -1;
	at = strstr(text, k->name); // no name begins with another: each ends in _
	if (!at || sscanf(at + strlen(k->name), "%llu %llu", &hits, &missed) != 2)
		return -1;
	return (int64_t)missed;
}

void kretprobe_remove(struct kretprobe *k)
{
	g_autofree char *undo = k->name ? g_strdup_printf("-:" GROUP "/%s\n", k->name) : NULL;

	if (undo)
		append(undo);
	g_clear_pointer(&k->name, g_free);
}
