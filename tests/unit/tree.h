// A tree of files of a test's own, in the place of /sys and /proc, for hardware that this machine lacks and
// for what it can't be made to say.
#ifndef MMPROF_TESTS_TREE_H
#define MMPROF_TESTS_TREE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *tree; // its root, free of links; NULL: there is none

static inline char *in_tree(const char *path)
{
	return g_build_filename(tree, path, NULL);
}

static inline void tree_make(void)
{
	g_autofree char *dir = g_dir_make_tmp("mmprof-test-XXXXXX", NULL);

	assert_non_null(dir);
	tree = realpath(dir, NULL);
	assert_non_null(tree);
}

static inline void tree_remove(void)
{
	char *argv[] = {"rm", "-rf", tree, NULL};

	assert_true(g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
	free(tree);
	tree = NULL;
}

static inline void tree_make_parent(const char *full)
{
	g_autofree char *dir = g_path_get_dirname(full);

	assert_int_equal(g_mkdir_with_parents(dir, 0755), 0);
}

// In place if it is there already: a program keeps its descriptor, as it does with the kernel's files.
static inline void tree_put(const char *path, const char *text)
{
	g_autofree char *full = in_tree(path);
	int fd;

	tree_make_parent(full);
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

#endif
