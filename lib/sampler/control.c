// What the controller of a system under test did, while there is one: "name value" lines in a file of its
// own. lib/system/ksmcontrol.h tells what each is.
#include "base/err.h"
#include "sampler/read.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

SAMPLER_FUNCTIONS(control);

#define FILE_PATH "/run/mmprof/control"

struct control {
	struct keyed *file;
	int lock;       // the file again
	bool asked_psi; // whether it has PSI is known
	struct absent *absent;
};

static void classify(struct key *key)
{
	bool time = g_str_has_suffix(key->name, "_ns");

	if (!strcmp(key->name, "psi_error"))
		key->prefix = NULL;
	key->kind = strcmp(key->name, "awake") ? SERIES_COUNTER : SERIES_GAUGE;
	key->unit = time ? "ns" : g_str_has_prefix(key->name, "merged") ? "pages" : "count";
}

// It has a lock on its file as long as it lives.
static bool lives(int lock)
{
	if (flock(lock, LOCK_SH | LOCK_NB))
		return true;
	flock(lock, LOCK_UN);
	return false;
}

int control_sampler_open(const struct sample_target *target, void **state)
{
	int error = 0, lock = text_open(sampler_root, FILE_PATH);
	struct control *c;

	(void)target;
	*state = NULL;
	if (lock < 0)
		return lock == -ENOENT ? 0 : err_set(lock, FILE_PATH ": %s", g_strerror(-lock));
	*state = c = g_new0(struct control, 1);
	c->lock = lock;
	c->file = keyed_open(FILE_PATH, "", "control.", classify, &error);
	if (c->file && lives(lock))
		return 0;
	control_sampler_close(c); // left behind by one that is no more
	*state = NULL;
	return 0;
}

static void ask_psi(struct control *c)
{
	struct text text = {};
	int64_t whole, psi_error;

	if (text_load(&text, sampler_root, FILE_PATH) == 0 && parse_keyed(text.data, "awake ", &whole)) {
		c->asked_psi = true;
		if (parse_keyed(text.data, "psi_error ", &psi_error) && psi_error)
			absent_add(
			    &c->absent, "control.by_psi",
			    "/proc/pressure/memory: %s: reclaim was seen at the controller's next look",
			    g_strerror((int)psi_error));
	}
	text_free(&text);
}

int control_sampler_read(void *state, const struct sample_target *target, struct sink *sink)
{
	struct control *c = state;

	(void)target;
	if (!c)
		return 0;
	if (!c->asked_psi)
		ask_psi(c);
	// it is written anew while it is read: what doesn't parse now does at the next reading
	if (lives(c->lock))
		keyed_read(c->file, sink);
	else
		absent_add(&c->absent, "control",
			   "the controller of KSM ended during the run: it counted until "
			   "then, and left KSM as it was then");
	absent_say(&c->absent, sink);
	return 0;
}

void control_sampler_close(void *state)
{
	struct control *c = state;

	if (!c)
		return;
	keyed_close(c->file);
	close(c->lock);
	absent_free(&c->absent);
	g_free(c);
}
