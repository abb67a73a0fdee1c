// The small questions: kernel configuration, boot id, capabilities, mounts, TSC. Each is asked once.
#include "host/host.h"

#include <cpuid.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/utsname.h>
#include <time.h>
#include <x86intrin.h>
#include <zlib.h>

#include "host/internal.h"

static GHashTable *config;
static char *config_source;

static bool read_config(const char *path)
{
	gzFile f = gzopen(path, "re"); // reads plain files as well
	char line[1024];

	if (!f)
		return false;
	config = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	while (gzgets(f, line, sizeof(line))) {
		char *eq = strchr(line, '=');

		if (strncmp(line, "CONFIG_", 7) || !eq)
			continue;
		*eq = 0;
		g_strdelimit(g_strchomp(eq + 1), "\"", ' ');
		g_hash_table_insert(config, g_strdup(line + 7), g_strdup(g_strstrip(eq + 1)));
	}
	gzclose(f);
	config_source = g_strdup(path);
	return true;
}

static void find_config(void)
{
	static bool tried;
	struct utsname u;
	const char *given = getenv("MMPROF_LAB_CONFIG");
	g_autofree char *boot = NULL, *modules = NULL;

	if (tried)
		return;
	tried = true;
	uname(&u);
	boot = g_strdup_printf("/boot/config-%s", u.release);
	modules = g_strdup_printf("/lib/modules/%s/config", u.release);
	if (given && read_config(given))
		return;
	if (!read_config("/proc/config.gz") && !read_config(boot))
		read_config(modules);
}

const char *host_config(const char *name)
{
	const char *value;

	find_config();
	if (!config)
		return NULL;
	value = g_hash_table_lookup(config, name);
	return value ? value : "n";
}

const char *host_config_source(void)
{
	find_config();
	return config_source;
}

const char *host_boot_id(void)
{
	static char *id;

	if (!id)
		id = host_read("/proc/sys/kernel/random/boot_id");
	return id ? id : "unknown";
}

bool host_has_cap(int capability)
{
	cap_t caps = cap_get_proc();
	cap_flag_value_t value = CAP_CLEAR;

	if (caps)
		cap_get_flag(caps, capability, CAP_EFFECTIVE, &value);
	cap_free(caps);
	return value == CAP_SET;
}

// Where a file system of this type is mounted; with several the first. NULL: nowhere.
static char *mount_of(const char *type)
{
	FILE *f = fopen("/proc/self/mounts", "re");
	char line[4096], where[1024], kind[64];
	char *found = NULL;

	while (f && !found && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %1023s %63s", where, kind) == 2 && !strcmp(kind, type))
			found = g_strcompress(where); // mounts writes a space as \040
	if (f)
		fclose(f);
	return found;
}

const char *host_mount(const char *type)
{
	static GHashTable *known;

	if (!known)
		known = g_hash_table_new(g_str_hash, g_str_equal);
	if (!g_hash_table_contains(known, type))
		g_hash_table_insert(known, g_strdup(type), mount_of(type));
	return g_hash_table_lookup(known, type);
}

const char *host_tracefs(void)
{
	return host_mount("tracefs");
}

const char *host_cgroup2(void)
{
	return host_mount("cgroup2");
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static uint64_t tsc_from_cpuid(void)
{
	unsigned a, b, c, d;

	if (__get_cpuid_count(0x15, 0, &a, &b, &c, &d) && a && b && c)
		return (uint64_t)c * b / a;
	return 0;
}

uint64_t host_tsc_hz(void)
{
	static uint64_t hz;
	uint64_t t0, t1, c0, c1;

	if (!hz)
		hz = tsc_from_cpuid();
	if (hz)
		return hz;
	t0 = now_ns();
	c0 = __rdtsc();
	do {
		t1 = now_ns();
	} while (t1 - t0 < 10000000);
	c1 = __rdtsc();
	hz = (uint64_t)((double)(c1 - c0) * 1e9 / (double)(t1 - t0));
	return hz;
}

char *host_read(const char *path)
{
	char *text = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return NULL;
	return g_strchomp(text);
}
