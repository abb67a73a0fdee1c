// Turning swap off; see swap.h. /proc/swaps: "Filename Type Size Used Priority", blanks in names as \040.
#include "system/swap.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/swap.h>

#include "base/err.h"
#include "base/journal.h"
#include "host/read.h"
#include "system/settings.h"

struct device {
	char *path;
	gint64 priority;
};

static void device_clear(void *device)
{
	g_free(((struct device *)device)->path);
}

static int lowest_first(const void *a, const void *b)
{
	const struct device *x = a, *y = b;

	return (x->priority > y->priority) - (x->priority < y->priority);
}

// Lowest priority first: so they come back highest first, and the kernel, which numbers those without a
// priority of their own downwards, gives each the same one again.
static GArray *devices(void)
{
	g_autofree char *text = host_read_below(settings_root, "/proc/swaps");
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
	GArray *list = g_array_new(FALSE, FALSE, sizeof(struct device));

	g_array_set_clear_func(list, device_clear);
	for (char **l = lines; *l; l++) {
		const char *priority = strrchr(*l, '\t');
		size_t n = strcspn(*l, " \t");

		if (**l == '/' && priority) {
			g_autofree char *name = g_strndup(*l, n);
			struct device d = {g_strcompress(name), g_ascii_strtoll(priority + 1, NULL, 10)};

			g_array_append_val(list, d);
		}
	}
	g_array_sort(list, lowest_first);
	return list;
}

bool swap_is_on(void)
{
	g_autoptr(GArray) list = devices();

	return list->len > 0;
}

int swap_off(void)
{
	g_autoptr(GArray) list = devices();

	for (guint i = 0; i < list->len; i++) {
		const struct device *d = &g_array_index(list, struct device, i);
		g_autofree char *priority = g_strdup_printf("%" G_GINT64_FORMAT, d->priority);
		int rc = journal_add(UNDO_SWAPON, d->path, priority);

		if (rc < 0)
			return rc;
		if (swapoff(d->path))
			return err_set(-errno, "can't turn the swap %s off: %m", d->path);
	}
	return (int)list->len;
}
