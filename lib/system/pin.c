// The table of what can be held still; see pin.h.
#include "system/pin.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/journal.h"
#include "base/kfile.h"
#include "system/frequency.h"
#include "system/settings.h"
#include "system/swap.h"

#define THP_ENABLED "/sys/kernel/mm/transparent_hugepage/enabled"
#define DROP_CACHES "/proc/sys/vm/drop_caches"

// A thing that can be held still. `plan` looks, and says what is to be written; `act` does what is not
// written into a setting. Either may be NULL.
struct pin {
	const char *key, *option;
	const char *(*wanted)(const struct pin_options *options); // the value, NULL: not named itself
	const char *quiet;                                        // its value under `quiet`, NULL: left alone
	int (*plan)(const char *value, GArray *settings, char **done);
	int (*act)(char **done);
};

static const char *wanted_governor(const struct pin_options *o)
{
	return o->governor;
}

static const char *wanted_thp(const struct pin_options *o)
{
	return o->thp;
}

static const char *wanted_no_turbo(const struct pin_options *o)
{
	return o->no_turbo ? "off" : NULL;
}

// The highest frequency without turbo is the base frequency.
static const char *wanted_frequency(const struct pin_options *o)
{
	bool max = g_strcmp0(o->lock_freq, "max") == 0;

	return max && (o->no_turbo || o->quiet) ? "base" : o->lock_freq;
}

static const char *wanted_no_swap(const struct pin_options *o)
{
	return o->no_swap ? "off" : NULL;
}

static const char *wanted_drop_caches(const struct pin_options *o)
{
	return o->drop_caches ? "drop" : NULL;
}

static const char *wanted_no_aslr(const struct pin_options *o)
{
	return o->no_aslr ? "off" : NULL;
}

static int plan_turbo(const char *value, GArray *settings, char **done)
{
	(void)value;
	return frequency_turbo_off(settings, done);
}

static int plan_thp(const char *value, GArray *settings, char **done)
{
	struct setting s = {g_strdup("--thp"), g_strdup(THP_ENABLED), g_strdup(value), 0};

	g_array_append_val(settings, s);
	*done = g_strdup(value);
	return 0;
}

static int act_swap(char **done)
{
	int n = swap_off();

	if (n >= 0)
		*done = n ? g_strdup_printf("off (%d)", n) : g_strdup("off (there was none)");
	return MIN(n, 0);
}

// What is dirty can't be dropped, so it is written out first. Nothing to put back.
static int act_caches(char **done)
{
	g_autofree char *path = g_strconcat(settings_root, DROP_CACHES, NULL);
	int rc;

	sync();
	rc = kfile_write(path, 0, "3\n");
	if (rc)
		return err_set(rc, "can't write %s: %s", path, g_strerror(-rc));
	*done = g_strdup("dropped before the run");
	return 0;
}

static int act_aslr(char **done)
{
	*done = g_strdup("off");
	return 0;
}

// In this order: limits are taken as they are while turbo is on, which is turned off last and on first.
// Transparent huge pages are no part of `quiet`: they are rather what is studied.
static const struct pin pins[] = {
    {"pin.thp", "--thp", wanted_thp, NULL, plan_thp, NULL},
    {"pin.governor", "--governor", wanted_governor, "performance", frequency_governor, NULL},
    {"pin.frequency", "--lock-freq", wanted_frequency, "base", frequency_lock, NULL},
    {"pin.turbo", "--no-turbo", wanted_no_turbo, "off", plan_turbo, NULL},
    {"pin.swap", "--no-swap", wanted_no_swap, "off", NULL, act_swap},
    {"pin.aslr", "--no-aslr", wanted_no_aslr, "off", NULL, act_aslr},
    {"pin.caches", "--drop-caches", wanted_drop_caches, "drop", NULL,
     act_caches}, // last: all is done by then
};

bool pin_any(const struct pin_options *o)
{
	return o->lock_freq || o->governor || o->thp || o->no_turbo || o->no_swap || o->quiet;
}

bool pin_no_aslr(const struct pin_options *o)
{
	return o->no_aslr || o->quiet;
}

static GArray *settings_new(void)
{
	GArray *settings = g_array_new(FALSE, FALSE, sizeof(struct setting));

	g_array_set_clear_func(settings, (GDestroyNotify)setting_clear);
	return settings;
}

static int check_words(const struct pin_options *o)
{
	static const char *const thp[] = {"always", "madvise", "never", NULL};
	gint64 mhz;

	if (o->lock_freq && strcmp(o->lock_freq, "base") && strcmp(o->lock_freq, "max") &&
	    !g_ascii_string_to_signed(o->lock_freq, 10, 1, 100000, &mhz, NULL))
		return err_set(-EINVAL, "--lock-freq takes MHz, base or max, not \"%s\"", o->lock_freq);
	if (o->thp && !g_strv_contains(thp, o->thp))
		return err_set(-EINVAL, "--thp takes always, madvise or never, not \"%s\"", o->thp);
	return 0;
}

static int plan(const struct pin *pin, const char *value, GArray *settings, char **done)
{
	int rc = pin->plan ? pin->plan(value, settings, done) : 0;

	for (guint i = 0; i < settings->len && !rc; i++)
		rc = setting_check(&g_array_index(settings, struct setting, i));
	return rc;
}

int pin_check(const struct pin_options *o)
{
	int rc = check_words(o);

	for (size_t i = 0; i < G_N_ELEMENTS(pins) && !rc; i++) {
		g_autoptr(GArray) settings = settings_new();
		g_autofree char *done = NULL;
		const char *value = pins[i].wanted(o);

		if (value && plan(&pins[i], value, settings, &done))
			rc = err_add(-EINVAL, "%s", pins[i].option);
	}
	return rc;
}

static int apply_planned(const struct pin *pin, const char *value, char **done)
{
	g_autoptr(GArray) settings = settings_new();
	int rc = plan(pin, value, settings, done);

	for (guint i = 0; i < settings->len && !rc; i++)
		rc = setting_apply(&g_array_index(settings, struct setting, i));
	for (guint i = 0; i < settings->len && !rc; i++)
		rc = setting_verify(&g_array_index(settings, struct setting, i));
	return rc || !pin->act ? rc : pin->act(done);
}

// All of it, or nothing: some CPUs under another governor would be worse than none.
static int apply(const struct pin *pin, const char *value, char **done)
{
	int mark = journal_mark(), rc = apply_planned(pin, value, done);
	g_autofree char *why = rc ? g_strdup(err_text()) : NULL;

	if (rc && journal_undo_to(mark))
		rc = err_set(-EIO, "%s; and what was changed could not be put back: %s", why, err_text());
	else if (rc)
		err_set(rc, "%s", why);
	return rc;
}

int pin_set_up(const struct pin_options *o, void (*told)(void *ctx, const char *key, const char *outcome),
	       void *ctx)
{
	for (size_t i = 0; i < G_N_ELEMENTS(pins); i++) {
		const char *named = pins[i].wanted(o), *value = named      ? named
								: o->quiet ? pins[i].quiet
									   : NULL;
		g_autofree char *done = NULL, *outcome = NULL;
		int rc = value ? apply(&pins[i], value, &done) : 0;

		if (rc && named)
			return err_add(rc, "%s", pins[i].option);
		if (!value)
			continue;
		outcome = rc ? g_strconcat(PIN_NOT_DONE, err_text(), NULL) : g_steal_pointer(&done);
		told(ctx, pins[i].key, outcome);
	}
	return 0;
}
