// Loading of kernel modules; see module.h.
#include "system/module.h"

#include <errno.h>
#include <glib.h>
#include <libkmod.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/err.h"
#include "base/journal.h"
#include "host/read.h"

struct found {
	struct kmod_ctx *ctx;
	struct kmod_module *module;
};

static void found_clear(struct found *f)
{
	if (f->module)
		kmod_module_unref(f->module);
	if (f->ctx)
		kmod_unref(f->ctx);
}

typedef int (*info_fn)(void *ctx, const char *key, const char *value); // nonzero ends it, and is returned

static int each_info(struct kmod_module *module, info_fn fn, void *ctx)
{
	struct kmod_list *list = NULL, *at;
	int rc = kmod_module_get_info(module, &list);

	if (rc < 0)
		return rc;
	rc = 0;
	kmod_list_foreach(at, list)
	{
		rc = fn(ctx, kmod_module_info_get_key(at), kmod_module_info_get_value(at));
		if (rc)
			break;
	}
	kmod_module_info_free_list(list);
	return rc;
}

// --- where it is

static int is_vermagic(void *release, const char *key, const char *value)
{
	size_t n = strlen(release);

	return !strcmp(key, "vermagic") && !strncmp(value, release, n) && value[n] == ' ';
}

// A file that was built for the running kernel.
static bool take_file(struct found *f, const char *path)
{
	struct utsname u;

	if (access(path, R_OK) || uname(&u) || kmod_module_new_from_path(f->ctx, path, &f->module) < 0)
		return false;
	if (each_info(f->module, is_vermagic, u.release) == 1)
		return true;
	kmod_module_unref(f->module);
	f->module = NULL;
	return false;
}

static bool take_installed(struct found *f, const char *name)
{
	struct kmod_list *list = NULL;

	if (kmod_module_new_from_lookup(f->ctx, name, &list) < 0 || !list)
		return false;
	f->module = kmod_module_get_module(list);
	kmod_module_unref_list(list);
	return f->module && kmod_module_get_path(f->module);
}

// kmod/build/KERNEL/NAME/NAME.ko beside build/mmprof
static bool take_built(struct found *f, const char *name)
{
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL),
			*dir = self ? g_path_get_dirname(self) : g_strdup("."),
			*kernels = g_build_filename(dir, "..", "kmod", "build", NULL);
	g_auto(GStrv) entries = host_entries(kernels);

	for (char **e = entries; *e; e++) {
		g_autofree char *file = g_strconcat(name, ".ko", NULL),
				*path = g_build_filename(kernels, *e, name, file, NULL);

		if (take_file(f, path))
			return true;
	}
	return false;
}

static int find(const char *name, struct found *f)
{
	const char *dir = g_getenv("MMPROF_MODULES");
	g_autofree char *file = g_strconcat(name, ".ko", NULL),
			*path = dir ? g_build_filename(dir, file, NULL) : NULL;
	struct utsname u;

	f->ctx = kmod_new(NULL, NULL);
	if (!f->ctx || uname(&u))
		return err_set(-ENOMEM, "libkmod can't be used");
	if ((path && take_file(f, path)) || take_installed(f, name) || take_built(f, name))
		return 0;
	return err_set(
	    -ENOENT,
	    "the module %s is not there for this kernel, %s: build it with make -C kmod (and name its "
	    "directory in $MMPROF_MODULES), or install it with DKMS (docs/%s.md)",
	    name, u.release, name);
}

// --- what it takes

// "ratio:of all levels ...", "parmtype" has the same before the colon
static int is_parameter(void *parameter, const char *key, const char *value)
{
	size_t n = strlen(parameter);

	return (!strcmp(key, "parm") || !strcmp(key, "parmtype")) && !strncmp(value, parameter, n) &&
	       value[n] == ':';
}

int module_has_parameter(const char *name, const char *parameter, bool *has)
{
	struct found f = {};
	int rc = find(name, &f), got = rc ? rc : each_info(f.module, is_parameter, (void *)parameter);

	*has = got == 1;
	if (!rc && got < 0)
		rc = err_set(got, "%s can't be read: %s", kmod_module_get_path(f.module), g_strerror(-got));
	found_clear(&f);
	return rc;
}

bool module_is_loaded(const char *name)
{
	g_autofree char *dir = g_strconcat("/sys/module/", name, NULL);

	return access(dir, F_OK) == 0;
}

int module_check(const char *name)
{
	struct found f = {};
	int rc = 0;

	if (module_is_loaded(name))
		rc = err_set(-EBUSY, "the module %s is loaded already (mmprof system %s down, or rmmod %s)",
			     name, name, name);
	if (!rc)
		rc = find(name, &f);
	found_clear(&f);
	return rc;
}

static int insert(struct kmod_module *module, const char *name, const char *parameters)
{
	int rc = journal_add(UNDO_RMMOD, name, NULL);

	if (rc < 0)
		return rc;
	rc = kmod_module_insert_module(module, 0, parameters);
	return rc < 0
		   ? err_set(rc,
			     "the kernel refused the module %s %s: %s (its log says more: dmesg | grep %s)",
			     name, parameters, g_strerror(-rc), name)
		   : 0;
}

// What it needs and is not loaded yet, itself without parameters; libkmod gives them in the order of loading.
static int insert_dependencies(struct kmod_module *module)
{
	struct kmod_list *list = kmod_module_get_dependencies(module), *at;
	int rc = 0;

	kmod_list_foreach(at, list)
	{
		struct kmod_module *needed = kmod_module_get_module(at);
		int state = kmod_module_get_initstate(needed);

		if (!rc && state != KMOD_MODULE_LIVE && state != KMOD_MODULE_BUILTIN)
			rc = insert(needed, kmod_module_get_name(needed), "");
		kmod_module_unref(needed);
	}
	kmod_module_unref_list(list);
	return rc;
}

int module_load(const char *name, const char *parameters)
{
	struct found f = {};
	int rc = module_check(name);

	if (!rc)
		rc = find(name, &f);
	if (!rc)
		rc = insert_dependencies(f.module);
	if (!rc)
		rc = insert(f.module, name, parameters);
	found_clear(&f);
	return rc;
}
