// Page-table pages by level; see ptlevels.h and Documentation/admin-guide/mm/pagemap.rst. Addresses rise in
// /proc/self/maps, so a table is new when its index differs from the last one seen: no set is needed.
#include "bench/ptlevels.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PGD, P4D, PUD, PMD, PTE };

#define CHUNK 512 // pagemap entries at a time: one PTE page's

struct walk {
	struct ptlevels *levels;
	uint64_t last[PTLEVELS]; // index + 1 of the last table seen
	int pagemap;
};

static void seen(struct walk *w, uint64_t address)
{
	static const int shifts[PTLEVELS] = {[P4D] = 48, [PUD] = 39, [PMD] = 30, [PTE] = 21};

	for (int l = PUD; l <= PTE; l++) {
		uint64_t index = (address >> shifts[l]) + 1;

		if (w->last[l] == index)
			continue;
		w->last[l] = index;
		w->levels->pages[l]++;
	}
}

// The entries of one PTE table's range: is anything in them (present, swapped, or a special entry)?
static void look(struct walk *w, uint64_t from, uint64_t to)
{
	uint64_t entries[CHUNK];
	ssize_t n =
	    pread(w->pagemap, entries, (to - from) / 4096 * sizeof(uint64_t), (off_t)(from / 4096 * 8));

	for (ssize_t i = 0; i < n / 8; i++)
		if (entries[i] >> 62) { // bit 63: present, bit 62: swapped
			seen(w, from + (uint64_t)i * 4096);
			return;
		}
}

static void look_at_range(struct walk *w, uint64_t from, uint64_t to)
{
	while (from < to) {
		uint64_t end = (from | ((1ull << 21) - 1)) + 1;

		look(w, from, end < to ? end : to);
		from = end;
	}
}

// One line of /proc/self/maps: "from-to ...".
static void take_line(struct walk *w, const char *line)
{
	char *end;
	uint64_t from = strtoull(line, &end, 16), to = *end == '-' ? strtoull(end + 1, NULL, 16) : 0;

	if (to > from && to - from < 1ull << 40 && from < 1ull << 47) // not [vsyscall]
		look_at_range(w, from, to);
}

static void take_maps(struct walk *w, int maps)
{
	char buf[8192];
	size_t have = 0;
	ssize_t n;

	while ((n = read(maps, buf + have, sizeof(buf) - 1 - have)) > 0) {
		char *line = buf, *end;

		have += (size_t)n;
		buf[have] = 0;
		for (; (end = strchr(line, '\n')); line = end + 1)
			take_line(w, line);
		have -= (size_t)(line - buf);
		memmove(buf, line, have);
	}
}

uint64_t ptlevels_bytes(void)
{
	char buf[4096];
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
	const char *at;

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return 0;
	buf[n] = 0;
	at = strstr(buf, "VmPTE:");
	return at ? strtoull(at + 6, NULL, 10) * 1024 : 0;
}

// The flag is there if the kernel makes use of it. The first CPU's are in the first few KiB.
static bool five_levels(void)
{
	char buf[8192];
	int fd = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);

	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = 0;
	return strstr(buf, " la57");
}

int ptlevels_read(struct ptlevels *levels)
{
	struct walk w = {.levels = levels};
	int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);

	memset(levels, 0, sizeof(*levels));
	levels->pages[PGD] = 1;
	// addresses above 2^47 are only given to those who ask, so that one p4d page covers all
	levels->pages[P4D] = five_levels() ? 1 : -1;
	w.pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (maps < 0 || w.pagemap < 0)
		return -errno;
	take_maps(&w, maps);
	levels->ok = true;
	close(maps);
	close(w.pagemap);
	return 0;
}
