// The private directory in which gnuplot works, which is removed again: what it writes goes to its place from
// there, so that nothing that lies in the user's directory is followed.
#include "plot/internal.h"

#include <unistd.h>

int scratch_make(char **path)
{
	g_autoptr(GError) error = NULL;

	*path = g_dir_make_tmp("mmprof-plot.XXXXXX", &error);
	return *path ? 0 : err_set(-EIO, "%s", error->message);
}

int scratch_write(const char *path, const char *name, const GString *text)
{
	g_autofree char *file = g_build_filename(path, name, NULL);
	g_autoptr(GError) error = NULL;

	if (!g_file_set_contents(file, text->str, (gssize)text->len, &error))
		return err_set(-EIO, "%s", error->message);
	return 0;
}

// The directory is flat: it holds what scratch_write() and gnuplot put there.
void scratch_remove(char *path)
{
	GDir *dir = path ? g_dir_open(path, 0, NULL) : NULL;
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *file = g_build_filename(path, name, NULL);

		unlink(file);
	}
	if (dir)
		g_dir_close(dir);
	if (path)
		rmdir(path);
	g_free(path);
}
