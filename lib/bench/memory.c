// Mappings for benchmarks; see memory.h.
#include "bench/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/err.h"
#include "bench/bench.h"
#include "bench/limits.h"

static int make_file(struct memory *m)
{
	static unsigned number;
	const char *dir = getenv("TMPDIR");
	g_autofree char *path = NULL;

	// not O_TMPFILE, which an overlay before 6.3 hasn't; not mkostemp(), which reads the TSC (vDSO)
	do {
		g_free(path);
		path =
		    g_strdup_printf("%s/mmprof-bench-%d-%u", dir && *dir ? dir : "/tmp", getpid(), number++);
		m->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	} while (m->fd < 0 && errno == EEXIST);
	if (m->fd < 0)
		return err_set(-errno, "can't make a temporary file %s: %m", path);
	unlink(path);
	for (size_t done = 0; done < m->bytes; done += BASE_PAGE) {
		static const char page[BASE_PAGE] = {1};

		if (pwrite(m->fd, page, sizeof(page), (off_t)done) != (ssize_t)sizeof(page))
			return err_set(-errno, "can't write a temporary file of %zu bytes: %m", m->bytes);
	}
	return 0;
}

int memory_map(struct memory *m, enum memory_kind kind, size_t bytes)
{
	int flags = kind == MEMORY_ANON ? MAP_PRIVATE : MAP_SHARED, rc;
	void *at;

	*m = (struct memory){.bytes = bytes, .room = bytes + HUGE_PAGE, .fd = -1};
	if (!bytes || bytes % BASE_PAGE)
		return err_set(-EINVAL, "a mapping of %zu bytes is not of whole pages", bytes);
	rc = limits_room(bytes);
	if (rc)
		return rc;
	m->base = mmap(NULL, m->room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->base == MAP_FAILED)
		return err_set(-errno, "mmap of %zu bytes: %m", bytes);
	m->start = (char *)(((uintptr_t)m->base + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
	rc = kind == MEMORY_FILE ? make_file(m) : 0;
	if (rc) {
		memory_unmap(m);
		return rc;
	}
	at = mmap(m->start, bytes, PROT_READ | PROT_WRITE,
		  flags | MAP_FIXED | (m->fd < 0 ? MAP_ANONYMOUS : 0), m->fd, 0);
	if (at == MAP_FAILED) {
		rc = err_set(-errno, "mmap of %zu bytes: %m", bytes);
		memory_unmap(m);
		return rc;
	}
	madvise(m->start, bytes, MADV_NOHUGEPAGE);
	return 0;
}

void memory_unmap(struct memory *m)
{
	if (m->base && m->base != MAP_FAILED)
		munmap(m->base, m->room);
	if (m->fd >= 0)
		close(m->fd);
	*m = (struct memory){.fd = -1};
}

int memory_drop(struct memory *m)
{
	return madvise(m->start, m->bytes, MADV_DONTNEED) ? err_set(-errno, "madvise(MADV_DONTNEED): %m") : 0;
}

void memory_write(const struct memory *m)
{
	for (size_t i = 0; i < m->bytes; i += BASE_PAGE)
		((volatile char *)m->start)[i] = 1;
}

uint64_t memory_read(const struct memory *m)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < m->bytes; i += BASE_PAGE)
		sum += (uint64_t)((volatile char *)m->start)[i];
	return sum;
}

void memory_faults(uint64_t *minor, uint64_t *major)
{
	struct rusage u;

	// twice: the first may fault itself, where it writes, after it has read the count
	*minor = *major = 0;
	getrusage(RUSAGE_THREAD, &u);
	getrusage(RUSAGE_THREAD, &u);
	*minor = (uint64_t)u.ru_minflt;
	*major = (uint64_t)u.ru_majflt;
}

const char *memory_file_system(const struct memory *m)
{
	static const struct {
		long magic;
		const char *name;
	} known[] = {{EXT4_SUPER_MAGIC, "ext4"},
		     {XFS_SUPER_MAGIC, "xfs"},
		     {BTRFS_SUPER_MAGIC, "btrfs"},
		     {TMPFS_MAGIC, "tmpfs, which is memory"},
		     {OVERLAYFS_SUPER_MAGIC, "an overlay, which may be on memory"}};
	struct statfs s;

	for (size_t i = 0; !fstatfs(m->fd, &s) && i < G_N_ELEMENTS(known); i++)
		if (s.f_type == known[i].magic)
			return known[i].name;
	return "of a kind unknown here";
}

bool memory_have_swap(void)
{
	g_autofree char *text = NULL;
	const char *line;

	return g_file_get_contents("/proc/swaps", &text, NULL, NULL) && (line = strchr(text, '\n')) &&
	       line[1];
}

size_t memory_swapped(const struct memory *m)
{
	size_t pages = m->bytes / BASE_PAGE, n = 0;
	g_autofree uint64_t *entries = g_new0(uint64_t, pages);
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return 0;
	got = pread(fd, entries, pages * sizeof(*entries),
		    (off_t)((uintptr_t)m->start / BASE_PAGE * sizeof(*entries)));
	close(fd);
	for (ssize_t i = 0; i < got / (ssize_t)sizeof(*entries); i++)
		n += entries[i] >> 62 & 1; // Documentation/admin-guide/mm/pagemap.rst
	return n;
}

int memory_must_be_swapped(const struct memory *m)
{
	size_t pages = m->bytes / BASE_PAGE, swapped = memory_swapped(m);

	return swapped * 10 >= pages * 9
		   ? 0
		   : err_set(BENCH_NOT_SO, "only %zu of %zu pages went to swap", swapped, pages);
}
