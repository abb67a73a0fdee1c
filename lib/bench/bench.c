// The process that a benchmark runs in: its parameters, and its results on their way to the recording mmprof.
#include "bench/bench.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/err.h"
#include "bench/cpus.h"
#include "bench/internal.h"

const struct bench_param bench_common_params[] = {
    {"limit", "1", "SECONDS", "time limit of one operation's measuring"},
    {"precision", "0.02", "RATIO", "half the width of the median's 95 % interval at which measuring ends"},
    {"seed", "1", "N", "of random numbers"},
    {}};

static volatile sig_atomic_t stopped;

static void on_signal(int signal)
{
	stopped = signal;
}

bool bench_stopped(const struct bench_run *run G_GNUC_UNUSED)
{
	return stopped != 0;
}

// --- parameters

// "64M" → 67108864; only BYTES have suffixes.
static bool parse_number(const char *text, bool bytes, double *value)
{
	static const char suffixes[] = "KMGT";
	char *end;
	const char *suffix;

	*value = g_ascii_strtod(text, &end);
	if (end == text || !isfinite(*value) || *value < 0 || *value > 1e18)
		return false;
	if (!*end)
		return true;
	suffix = bytes ? strchr(suffixes, g_ascii_toupper(*end)) : NULL;
	if (!suffix || (end[1] && strcmp(end + 1, "iB")))
		return false;
	*value *= pow(1024, 1 + (double)(suffix - suffixes));
	return true;
}

static bool is_word(const char *words, const char *value)
{
	g_auto(GStrv) list = g_strsplit(words, "|", -1);

	return g_strv_contains((const char *const *)list, value);
}

const struct bench_param *bench_param_find(const struct bench *b, const char *name)
{
	const struct bench_param *const lists[] = {b->params, bench_common_params};

	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
		for (const struct bench_param *p = lists[i]; p && p->name; p++)
			if (!strcmp(p->name, name))
				return p;
	return NULL;
}

int bench_param_check(const struct bench_param *p, const char *value)
{
	double number;

	if (strchr(p->form, '|'))
		return is_word(p->form, value)
			   ? 0
			   : err_set(-EINVAL, "--%s \"%s\": one of %s", p->name, value, p->form);
	if (!strcmp(p->form, "NODES") || !strcmp(p->form, "PATH") || !strcmp(p->form, "LIST"))
		return 0;
	if (!parse_number(value, !strcmp(p->form, "BYTES"), &number))
		return err_set(-EINVAL, "--%s \"%s\" is not a number%s", p->name, value,
			       strcmp(p->form, "BYTES") ? "" : " of bytes (K, M, G are powers of 1024)");
	if (!strcmp(p->form, "RATIO") && number > 1)
		return err_set(-EINVAL, "--%s \"%s\" is not from 0 to 1", p->name, value);
	if (!strcmp(p->form, "N") && number != floor(number))
		return err_set(-EINVAL, "--%s \"%s\" is not a whole number", p->name, value);
	return 0;
}

static double number_of(const struct bench_run *run, const char *param)
{
	const char *text = g_hash_table_lookup(run->params, param);
	double value = 0;

	if (!text || !parse_number(text, true, &value))
		g_error("benchmark %s has no parameter %s that is a number", run->bench->name, param);
	return value;
}

int64_t bench_int(const struct bench_run *run, const char *param)
{
	return (int64_t)number_of(run, param);
}

double bench_real(const struct bench_run *run, const char *param)
{
	return number_of(run, param);
}

const char *bench_text(const struct bench_run *run, const char *param)
{
	return g_hash_table_lookup(run->params, param);
}

const struct timing *bench_timing(const struct bench_run *run)
{
	return &run->timing;
}

static void take_defaults(struct bench_run *run, const struct bench_param *p)
{
	for (; p && p->name; p++)
		g_hash_table_insert(run->params, g_strdup(p->name), g_strdup(p->fallback));
}

static int take_args(struct bench_run *run, const char *const *args)
{
	for (; args && *args; args++) {
		const char *sign = strchr(*args, '=');
		g_autofree char *name = g_strndup(*args, sign ? (gsize)(sign - *args) : strlen(*args));
		const struct bench_param *p = bench_param_find(run->bench, name);
		int rc = 0;

		if (!p || !sign)
			return err_set(-EINVAL, "%s has no parameter \"%s\"", run->bench->name, name);
		rc = bench_param_check(p, sign + 1);
		if (rc)
			return rc;
		g_hash_table_insert(run->params, g_steal_pointer(&name), g_strdup(sign + 1));
	}
	return 0;
}

void bench_die_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
}

// --- results

static void send(struct bench_run *run, json_t *object)
{
	g_autofree char *line = NULL;
	char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(17));

	line = g_strdup_printf("%s\n", text ? text : "{}");
	free(text);
	json_decref(object);
	for (size_t done = 0, n = strlen(line); done < n;) {
		ssize_t some = write(run->fd >= 0 ? run->fd : STDOUT_FILENO, line + done, n - done);

		if (some <= 0 && errno != EINTR)
			return (void)(stopped = SIGPIPE); // nobody listens any more
		done += some > 0 ? (size_t)some : 0;
	}
}

void bench_metric(struct bench_run *run, const char *name, double value, const char *unit, const char *better)
{
	if (!isfinite(value)) {
		bench_cannot(run, name, "its value is not a finite number");
		return;
	}
	send(run, json_pack("{s:s, s:f, s:s, s:s}", "metric", name, "value", value, "unit", unit, "better",
			    better));
}

void bench_cannot(struct bench_run *run, const char *what, const char *why, ...)
{
	g_autofree char *text = NULL;
	va_list ap;

	va_start(ap, why);
	text = g_strdup_vprintf(why, ap);
	va_end(ap);
	send(run, json_pack("{s:s, s:s}", "not_measured", what, "why", text));
}

void bench_loss(struct bench_run *run, const char *kind, uint64_t count, const char *detail)
{
	send(run, json_pack("{s:s, s:I, s:s}", "loss", kind, "count", (json_int_t)count, "detail", detail));
}

void bench_fact(struct bench_run *run, const char *key, const char *value)
{
	send(run, json_pack("{s:s, s:s}", "fact", key, "value", value));
}

void bench_mark(struct bench_run *run, const char *phase)
{
	send(run, json_pack("{s:s, s:I}", "mark", phase, "at_us",
			    (json_int_t)(timing_clock_of(CLOCK_MONOTONIC) / 1000)));
}

struct hist *bench_hist(struct bench_run *run, const char *name)
{
	struct hist *h = g_hash_table_lookup(run->hists, name);

	if (h)
		return h;
	h = g_new0(struct hist, 1);
	g_hash_table_insert(run->hists, g_strdup(name), h);
	g_ptr_array_add(run->order, g_strdup(name));
	return h;
}

static void send_hist(struct bench_run *run, const char *name, const struct hist *h)
{
	json_t *buckets = json_array();

	for (unsigned i = 0; i < HIST_BUCKETS; i++)
		if (h->buckets[i])
			json_array_append_new(buckets,
					      json_pack("[i, I]", (int)i, (json_int_t)h->buckets[i]));
	send(run,
	     json_pack("{s:s, s:I, s:I, s:I, s:I, s:s, s:o}", "hist", name, "count", (json_int_t)h->count,
		       "sum", (json_int_t)h->sum, "min", (json_int_t)h->min, "max", (json_int_t)h->max,
		       "clock", run->timing.tsc ? "rdtsc" : "clock_gettime", "buckets", buckets));
}

static void send_timing(struct bench_run *run)
{
	const struct timing *t = &run->timing;
	int64_t skew = timing_skew(t);
	bool had_tsc = t->tsc;

	if (run->bench->spread)
		timing_across_cpus(&run->timing, skew);
	bench_metric(run, "timing.hz", t->hz, "hz", "neither");
	bench_metric(run, "timing.hz_error", t->hz_error, "ratio", "less");
	bench_metric(run, "timing.overhead", (double)t->overhead, "cycles", "less");
	if (!t->tsc)
		bench_cannot(run, "TSC cycles", "%s", t->why);
	if (had_tsc && skew < 0)
		bench_cannot(run, "whether CPUs' TSCs agree", "there is one CPU only");
	else if (had_tsc)
		bench_metric(run, "timing.skew", (double)skew, "cycles", "less");
}

// --- the process

static void set_up(struct bench_run *run, const struct bench *b, int fd)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction action = {.sa_handler = on_signal};

	run->bench = b;
	run->fd = fd;
	run->params = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	run->hists = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	run->order = g_ptr_array_new_with_free_func(g_free);
	take_defaults(run, bench_common_params);
	take_defaults(run, b->params);
	// whatever the recording mmprof passes on, and also where a shell has them ignored in the background
	for (size_t i = 0; i < G_N_ELEMENTS(signals); i++)
		sigaction(signals[i], &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	// A benchmark that nobody records any more must not go on; if that is so already, send() finds out.
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void tear_down(struct bench_run *run)
{
	for (guint i = 0; i < run->order->len; i++)
		send_hist(run, run->order->pdata[i], g_hash_table_lookup(run->hists, run->order->pdata[i]));
	g_hash_table_unref(run->params);
	g_hash_table_unref(run->hists);
	g_ptr_array_unref(run->order);
}

int bench_main(const char *name, const char *const *args, int fd)
{
	const struct bench *b = bench_find(name);
	struct bench_run run = {};
	int rc;

	if (!b)
		return err_set(-EINVAL, "there is no benchmark \"%s\": mmprof bench list", name);
	set_up(&run, b, fd);
	rc = take_args(&run, args);
	cpus_begin();
	if (!rc) {
		timing_init(&run.timing);
		send_timing(&run);
		if (!b->spread && cpus_pin(0))
			bench_cannot(&run, "on one CPU", "the kernel does not let it be pinned");
		rc = b->run(&run);
	}
	if (rc)
		bench_cannot(&run, b->name, "%s", err_text());
	cpus_tell(&run);
	tear_down(&run);
	return rc;
}
