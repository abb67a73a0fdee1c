// The controller of KSM; see ksmcontrol.h. In the process that it forks nothing is allocated and nothing is
// printed: files are kept open, read and written.
#include "system/ksmcontrol.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/journal.h"
#include "host/read.h"
#include "system/ksm.h"
#include "system/settings.h"
#include "system/spec.h"

#define PSI_TRIGGER "some 10000 1000000" // 10 ms of stall in a second: the kernel tells at most once in it
#define IDLE_MS 250                      // how often it looks while nothing happens

struct options {
	gint64 hard_pages, hard_sleep, soft_pages, cpu_cap, hold_ms, tick_ms;
};

struct look { // what is seen at one look
	gint64 ns, events, scanned, sharing, ksmd_ns;
};

struct control {
	struct options o;
	int run, pages, sleep, sharing, vmstat, psi, out; // files
	int psi_error;                                    // why psi is -1 from the start
	pid_t ksmd;
	gint64 soft_sleep; // as it was before
	bool awake;
	gint64 pages_now, woken_ns, last_reclaim_ns, ksmd_at_wake_ns;
	bool wake_pending; // ksmd was told to scan, and has not been seen to
	gint64 events, wakeups, by_psi, by_vmstat, coalesced, late, lost_wakeups, sleeps, throttled;
	gint64 scan_ns, overscan_ns, fruitless_ns, merged, merged_in_reclaim, awake_ns;
};

// --- reading and writing

static gint64 clock_ns(clockid_t clock)
{
	struct timespec t;

	return clock_gettime(clock, &t) ? 0 : (gint64)t.tv_sec * 1000000000 + t.tv_nsec;
}

static size_t read_file(int fd, char *text, size_t size)
{
	ssize_t n = pread(fd, text, size - 1, 0);

	text[MAX(n, 0)] = 0;
	return (size_t)MAX(n, 0);
}

static void write_number(int fd, gint64 value)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%lld\n", (long long)value);

	if (pwrite(fd, text, (size_t)n, 0) != n)
		return; // the kernel keeps what it had
}

// Sums the lines of /proc/vmstat that say how much reclaim there was.
static void read_vmstat(int fd, struct look *l)
{
	static const char *const events[] = {"pageoutrun ", "allocstall"}, *const scanned[] = {
									       "pgscan_kswapd ",
									       "pgscan_direct ",
									       "pgscan_khugepaged "};
	static char text[32768];

	read_file(fd, text, sizeof(text));
	for (const char *line = text; *line;) {
		const char *end = strchrnul(line, '\n'), *blank = memchr(line, ' ', (size_t)(end - line));
		gint64 value = blank ? atoll(blank + 1) : 0;

		for (size_t i = 0; i < G_N_ELEMENTS(events); i++)
			l->events += strncmp(line, events[i], strlen(events[i])) ? 0 : value;
		for (size_t i = 0; i < G_N_ELEMENTS(scanned); i++)
			l->scanned += strncmp(line, scanned[i], strlen(scanned[i])) ? 0 : value;
		line = *end ? end + 1 : end;
	}
}

static struct look look(const struct control *c)
{
	struct look l = {.ns = clock_ns(CLOCK_MONOTONIC)};
	char text[32];

	read_vmstat(c->vmstat, &l);
	read_file(c->sharing, text, sizeof(text));
	l.sharing = atoll(text);
	// MAKE_PROCESS_CPUCLOCK(ksmd, CPUCLOCK_SCHED) of include/linux/posix-timers.h
	l.ksmd_ns = clock_ns((clockid_t)(~(unsigned)c->ksmd << 3 | 2));
	return l;
}

static void tell(const struct control *c)
{
	static char text[1024];
	size_t n = 0;
	const struct {
		const char *name;
		gint64 value;
	} lines[] = {
	    {"events", c->events},
	    {"wakeups", c->wakeups},
	    {"by_vmstat", c->by_vmstat},
	    {"coalesced", c->coalesced},
	    {"late", c->late},
	    {"lost_wakeups", c->lost_wakeups},
	    {"sleeps", c->sleeps},
	    {"throttled", c->throttled},
	    {"scan_ns", c->scan_ns},
	    {"overscan_ns", c->overscan_ns},
	    {"fruitless_ns", c->fruitless_ns},
	    {"merged", c->merged},
	    {"merged_in_reclaim", c->merged_in_reclaim},
	    {"awake_ns", c->awake_ns},
	    {"self_ns", clock_ns(CLOCK_PROCESS_CPUTIME_ID)},
	    {"psi_error", c->psi_error},
	    {c->psi_error ? NULL : "by_psi", c->by_psi},
	    {"awake", c->awake},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
		if (lines[i].name)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s %lld\n", lines[i].name,
					      (long long)lines[i].value);
	if (pwrite(c->out, text, n, 0) != (ssize_t)n)
		return;
}

// --- deciding

static void wake(struct control *c, const struct look *l, bool by_psi)
{
	c->awake = c->wake_pending = true;
	c->woken_ns = l->ns;
	c->ksmd_at_wake_ns = l->ksmd_ns;
	c->pages_now = c->o.hard_pages;
	c->wakeups++;
	*(by_psi ? &c->by_psi : &c->by_vmstat) += 1;
	write_number(c->pages, c->pages_now);
	write_number(c->run, 1);
	write_number(c->sleep, c->o.hard_sleep); // wakes a sleeping ksmd, too
}

static void scan_softly(const struct control *c)
{
	if (c->o.soft_pages) {
		write_number(c->pages, c->o.soft_pages);
		write_number(c->sleep, c->soft_sleep);
	} else {
		write_number(c->run, 0);
	}
}

static void let_sleep(struct control *c)
{
	c->awake = false;
	c->sleeps++;
	scan_softly(c);
}

// Half as much above the cap, half as much again below it.
static void hold_to_cap(struct control *c, gint64 used_ns, gint64 past_ns)
{
	gint64 most = past_ns * c->o.cpu_cap / 100, pages = c->pages_now;

	if (used_ns > most) {
		c->throttled++;
		pages = MAX(pages / 2, 10);
	} else {
		pages = MIN(pages + pages / 2, c->o.hard_pages);
	}
	if (pages != c->pages_now)
		write_number(c->pages, c->pages_now = pages);
}

static void account(struct control *c, const struct look *before, const struct look *now, bool reclaim)
{
	gint64 cpu = MAX(now->ksmd_ns - before->ksmd_ns, 0), events = now->events - before->events,
	       merged = MAX(now->sharing - before->sharing, 0);

	c->events += events;
	c->coalesced += c->awake ? events : 0;
	c->late += c->awake || reclaim ? 0 : events;
	c->scan_ns += cpu;
	c->overscan_ns += reclaim ? 0 : cpu;
	c->fruitless_ns += merged ? 0 : cpu;
	c->merged += merged;
	c->merged_in_reclaim += reclaim ? merged : 0;
	c->awake_ns += c->awake ? now->ns - before->ns : 0;
	if (!c->wake_pending)
		return;
	if (now->ksmd_ns > c->ksmd_at_wake_ns)
		c->wake_pending = false;
	else if (now->ns - c->woken_ns > 2 * c->o.tick_ms * 1000000) {
		c->wake_pending = false;
		c->lost_wakeups++;
	}
}

static void step(struct control *c, const struct look *before, const struct look *now, bool by_psi)
{
	bool reclaim = now->scanned > before->scanned;

	account(c, before, now, reclaim);
	if (reclaim || now->events > before->events || by_psi)
		c->last_reclaim_ns = now->ns;
	if (c->awake && now->ns - c->last_reclaim_ns > c->o.hold_ms * 1000000)
		let_sleep(c);
	else if (c->awake)
		hold_to_cap(c, now->ksmd_ns - before->ksmd_ns, now->ns - before->ns);
	else if (c->last_reclaim_ns == now->ns)
		wake(c, now, by_psi);
	tell(c);
}

static void control(struct control *c)
{
	struct look before = look(c);

	scan_softly(c);
	tell(c);
	for (;;) {
		struct pollfd psi = {c->psi, POLLPRI, 0};
		struct look now;
		bool by_psi =
		    poll(&psi, 1, (int)(c->awake ? c->o.tick_ms : IDLE_MS)) > 0 && psi.revents & POLLPRI;

		if (psi.revents & (POLLERR | POLLNVAL))
			c->psi = -1;
		now = look(c);
		step(c, &before, &now, by_psi);
		before = now;
	}
}

// --- starting it

static char *below(const char *path)
{
	return g_strconcat(settings_root, path, NULL);
}

// Anybody may be called ksmd; only a kernel thread is a child of kthreadd, whose pid is 2.
static bool is_kernel_thread(const char *proc)
{
	g_autofree char *path = g_build_filename(proc, "stat", NULL), *stat = host_read(path);
	const char *name_end = stat ? strrchr(stat, ')') : NULL;
	int parent;

	return name_end && sscanf(name_end + 1, " %*c %d", &parent) == 1 && parent == 2;
}

static pid_t find_ksmd(void)
{
	g_autofree char *proc = below("/proc");
	g_auto(GStrv) pids = host_entries(proc);

	for (char **p = pids; *p; p++) {
		g_autofree char *dir = g_build_filename(proc, *p, NULL),
				*path = g_build_filename(dir, "comm", NULL), *comm = NULL;

		if (g_ascii_isdigit(**p) && (comm = host_read(path)) && !strcmp(comm, "ksmd") &&
		    is_kernel_thread(dir))
			return atoi(*p);
	}
	return 0;
}

static int number_of(const struct system_spec *spec, const char *key, gint64 least, gint64 most,
		     gint64 *value)
{
	const char *text = system_spec_option(spec, key);

	return g_ascii_string_to_signed(text, 10, least, most, value, NULL)
		   ? 0
		   : err_set(-EINVAL, "%s=%s: a number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, key,
			     text, least, most);
}

static int read_options(const struct system_spec *spec, struct options *o)
{
	int rc = number_of(spec, "hard_pages", 10, 1000000, &o->hard_pages);

	if (!rc)
		rc = number_of(spec, "hard_sleep_ms", 0, 60000, &o->hard_sleep);
	if (!rc)
		rc = number_of(spec, "soft_pages", 0, 1000000, &o->soft_pages);
	if (!rc)
		rc = number_of(spec, "cpu_cap", 1, 100, &o->cpu_cap);
	if (!rc)
		rc = number_of(spec, "hold_ms", 0, 600000, &o->hold_ms);
	if (!rc)
		rc = number_of(spec, "tick_ms", 5, 10000, &o->tick_ms);
	return rc;
}

int ksmcontrol_check(const struct system_spec *spec)
{
	const char *on = system_spec_option(spec, "control");
	struct options o;
	int rc;

	if (strcmp(on, "on") && strcmp(on, "off"))
		return err_set(-EINVAL, "control=%s: on or off", on);
	rc = read_options(spec, &o);
	if (!rc && !strcmp(on, "on") && !find_ksmd())
		rc = err_set(-ENOENT,
			     "control=on: the thread ksmd, whose CPU time it watches, is not seen here "
			     "(in a container?)");
	return rc;
}

// Without it reclaim is only seen at the next look.
static void open_psi(struct control *c)
{
	g_autofree char *path = below("/proc/pressure/memory");

	c->psi = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (c->psi >= 0 && write(c->psi, PSI_TRIGGER, sizeof(PSI_TRIGGER)) >= 0)
		return;
	c->psi_error = errno;
	if (c->psi >= 0)
		close(c->psi);
	c->psi = -1;
}

// The lock on it ends with the controller, however it ends: so the sampler knows.
static int open_files(struct control *c)
{
	const struct {
		int *fd;
		const char *path;
		int flags;
	} files[] = {
	    {&c->run, KSM "run", O_WRONLY},
	    {&c->pages, KSM "pages_to_scan", O_WRONLY},
	    {&c->sleep, KSM "sleep_millisecs", O_WRONLY},
	    {&c->sharing, KSM "pages_sharing", O_RDONLY},
	    {&c->vmstat, "/proc/vmstat", O_RDONLY},
	    {&c->out, KSMCONTROL_FILE, O_RDWR | O_CREAT},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = below(files[i].path);

		*files[i].fd = open(path, files[i].flags | O_CLOEXEC | O_NOFOLLOW, 0644);
		if (*files[i].fd < 0)
			return err_set(-errno, "%s: %m", path);
	}
	if (flock(c->out, LOCK_EX | LOCK_NB))
		return err_set(-errno, "KSM has a controller already (mmprof system ksm-zswap down)");
	if (ftruncate(c->out, 0))
		return err_set(-errno, "%s: %m", KSMCONTROL_FILE);
	open_psi(c);
	return 0;
}

// Everything else is closed: the journal's lock must end with its owner, the database with its writer.
static void keep_files_only(const struct control *c)
{
	const int kept[] = {c->run, c->pages, c->sleep, c->sharing, c->vmstat, c->psi, c->out};

	for (int fd = 3, most = (int)sysconf(_SC_OPEN_MAX); fd < MIN(most, 65536); fd++) {
		bool keep = false;

		for (size_t i = 0; i < G_N_ELEMENTS(kept); i++)
			keep |= kept[i] == fd;
		if (!keep)
			close(fd);
	}
}

static void child(struct control *c, int go)
{
	int null = open("/dev/null", O_RDWR);
	sigset_t none;
	char byte;

	for (int fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
	if (read(go, &byte, 1) != 1)
		_exit(1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGTERM, SIG_DFL);
	setsid();
	prctl(PR_SET_NAME, "mmprof-ksm");
	keep_files_only(c);
	mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT); // what watches reclaim must not wait for it
	control(c);
}

static void close_files(const struct control *c)
{
	const int all[] = {c->run, c->pages, c->sleep, c->sharing, c->vmstat, c->psi, c->out};

	for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
		if (all[i] >= 0)
			close(all[i]);
}

// The files that it writes are put back by the journal once it has ended.
static int write_down(pid_t pid)
{
	static const char *const written[] = {KSM "run", KSM "pages_to_scan", KSM "sleep_millisecs"};
	g_autofree char *number = g_strdup_printf("%d", pid), *start = undo_process_start(number);
	g_autofree char *file = below(KSMCONTROL_FILE);
	int rc = journal_add(UNDO_UNLINK, file, NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(written) && rc >= 0; i++) {
		g_autofree char *path = below(written[i]), *now = host_read(path);

		rc = journal_add(UNDO_WRITE, path, now);
	}
	if (rc >= 0)
		rc = journal_add(UNDO_KILL, number, start);
	return MIN(rc, 0);
}

int ksmcontrol_start(const struct system_spec *spec)
{
	struct control c = {
	    .run = -1, .pages = -1, .sleep = -1, .sharing = -1, .vmstat = -1, .psi = -1, .out = -1};
	int rc = read_options(spec, &c.o), go[2] = {-1, -1};
	g_autofree char *soft_sleep = NULL;
	pid_t pid;

	if (rc || strcmp(system_spec_option(spec, "control"), "on"))
		return rc;
	c.ksmd = find_ksmd();
	soft_sleep = host_read_below(settings_root, KSM "sleep_millisecs");
	c.soft_sleep = soft_sleep ? g_ascii_strtoll(soft_sleep, NULL, 10) : 0;
	rc = open_files(&c);
	if (!rc && pipe2(go, O_CLOEXEC))
		rc = err_set(-errno, "pipe: %m");
	pid = rc ? -1 : fork();
	if (pid == 0) {
		close(go[1]);
		child(&c, go[0]);
	}
	if (!rc && pid < 0)
		rc = err_set(-errno, "fork: %m");
	if (pid > 0)
		rc = write_down(pid);
	if (!rc && write(go[1], "g", 1) != 1)
		rc = err_set(-errno, "the controller of KSM could not be started: %m");
	if (go[0] >= 0) {
		close(go[0]);
		close(go[1]);
	}
	close_files(&c);
	return rc;
}
