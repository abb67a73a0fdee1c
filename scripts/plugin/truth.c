// Writes the truth file (base/truth_format.h). Each vCPU ends its own interval; what it counted since is
// written at once and set to zero.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "plugin.h"

struct buffer {
	uint8_t *at;
	size_t used, room;
};

uint64_t truth_interval_ticks;
static int fd = -1;
static uint64_t lost; // records that could not be written
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void put(struct buffer *b, uint64_t value)
{
	if (b->room - b->used < 10) {
		b->room = b->room ? 2 * b->room : 1 << 16;
		b->at = realloc(b->at, b->room);
		if (!b->at)
			plugin_fail("no memory for the truth file");
	}
	for (; value >= 0x80; value >>= 7)
		b->at[b->used++] = (uint8_t)(value | 0x80);
	b->at[b->used++] = (uint8_t)value;
}

static int write_all(const void *from, size_t bytes)
{
	while (bytes) {
		ssize_t n = write(fd, from, bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		from = (const char *)from + n;
		bytes -= (size_t)n;
	}
	return 0;
}

// A record that does not fit on the disk is taken back, so that the file stays readable.
static void write_record(enum truth_record type, const struct buffer *b)
{
	uint8_t head[11] = {(uint8_t)type};
	size_t n = 1, left = b->used;
	off_t start;

	for (; left >= 0x80; left >>= 7)
		head[n++] = (uint8_t)(left | 0x80);
	head[n++] = (uint8_t)left;
	pthread_mutex_lock(&lock);
	start = lseek(fd, 0, SEEK_CUR);
	if (write_all(head, n) || write_all(b->at, b->used)) {
		lost++;
		if (ftruncate(fd, start) || lseek(fd, start, SEEK_SET) < 0)
			lost++;
	}
	pthread_mutex_unlock(&lock);
}

void truth_begin(void)
{
	struct timespec now;
	struct truth_header h = {.magic = TRUTH_MAGIC,
				 .version = TRUTH_VERSION,
				 .header_bytes = sizeof(h),
				 .page_shift = TRUTH_PAGE_SHIFT,
				 .cpus = options.cpus,
				 .tiers = TRUTH_TIERS,
				 .ranges = options.ranges,
				 .interval_ns = options.interval_ns,
				 .cache_bytes = options.cache ? options.cache_bytes : 0,
				 .cache_ways = options.cache_ways,
				 .cache_line = options.cache_line};

	clock_gettime(CLOCK_REALTIME, &now);
	h.started_unix_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec - time_ns(time_now());
	for (unsigned i = 0; options.slow && i < TRUTH_TIERS; i++) {
		h.latency_ns[i] = options.latency_ns[i];
		h.bytes_per_s[i] = options.bytes_per_s[i];
	}
	memcpy(h.range, options.range, sizeof(h.range));
	fd = open(options.truth, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0 || write_all(&h, sizeof(h)))
		plugin_fail("--truth: cannot write %s: %s", options.truth, strerror(errno));
	truth_interval_ticks = time_ticks((double)options.interval_ns);
}

static void put_pages(struct buffer *b, struct cpu *c)
{
	uint64_t words = (space_frames() + 63) / 64, last = 0;

	for (uint64_t w = 0; w < words; w++) {
		for (uint64_t bits = c->touched[w]; bits; bits &= bits - 1) {
			uint64_t frame = w * 64 + (uint64_t)__builtin_ctzll(bits);
			struct page_count *p = &c->pages[frame];

			put(b, frame - last);
			put(b, p->reads);
			put(b, p->writes);
			put(b, p->read_fills);
			put(b, p->write_fills);
			*p = (struct page_count){0};
			last = frame;
		}
		c->touched[w] = 0;
	}
}

static uint64_t count_pages(const struct cpu *c)
{
	uint64_t words = (space_frames() + 63) / 64, n = 0;

	for (uint64_t w = 0; w < words; w++)
		n += (uint64_t)__builtin_popcountll(c->touched[w]);
	return n;
}

void truth_flush(struct cpu *c, uint64_t now)
{
	struct labcall_counts *was = &c->flushed, *is = &c->counts;
	struct buffer b = {0};
	uint64_t from = time_ns(c->from), to = time_ns(c->idle && c->idle > c->from ? c->idle : now);

	c->from = now;
	if (was->reads == is->reads && was->writes == is->writes)
		return;
	put(&b, (uint64_t)(c - cpus));
	put(&b, from);
	put(&b, to - from);
	put(&b, is->reads - was->reads);
	put(&b, is->writes - was->writes);
	for (unsigned i = 0; i < TRUTH_TIERS; i++)
		put(&b, is->fills[i] - was->fills[i]);
	for (unsigned i = 0; i < TRUTH_TIERS; i++)
		put(&b, is->write_backs[i] - was->write_backs[i]);
	put(&b, count_pages(c));
	put_pages(&b, c);
	*was = *is;
	write_record(TRUTH_INTERVAL, &b);
	free(b.at);
}

static void flush_all(uint64_t now)
{
	for (unsigned i = 0; i < options.cpus; i++)
		if (cpus[i].pages)
			truth_flush(&cpus[i], now);
}

void truth_sync(uint64_t now, unsigned vcpu, const struct labcall *call, uint64_t frame)
{
	struct buffer b = {0};

	if (fd < 0)
		return;
	// so that what came before the mark is in intervals that end there; others' counts are their threads'
	if (options.threads)
		truth_flush(&cpus[vcpu], now);
	else
		flush_all(now);
	put(&b, time_ns(now));
	put(&b, call->kind);
	put(&b, call->clock_ns[0]);
	put(&b, call->clock_ns[1]);
	put(&b, frame);
	put(&b, call->frame);
	for (size_t i = 0; i < sizeof(call->text) && call->text[i]; i++) {
		put(&b, 0); // makes room
		b.at[b.used - 1] = (uint8_t)call->text[i];
	}
	write_record(TRUTH_SYNC, &b);
	free(b.at);
}

void truth_end(void)
{
	struct buffer b = {0};
	struct labcall_counts all = {0};
	uint64_t outside = 0, waited = 0, now = time_now();

	if (fd < 0)
		return;
	flush_all(now);
	for (unsigned i = 0; i < options.cpus; i++) {
		all.reads += cpus[i].counts.reads;
		all.writes += cpus[i].counts.writes;
		outside += cpus[i].outside;
		waited += cpus[i].waited;
	}
	put(&b, time_ns(now));
	put(&b, all.reads);
	put(&b, all.writes);
	put(&b, outside);
	put(&b, space_checks);
	put(&b, space_failed);
	put(&b, (uint64_t)((double)waited * time_ns_per_tick));
	put(&b, lost);
	write_record(TRUTH_END, &b);
	free(b.at);
	close(fd);
	fd = -1;
}
