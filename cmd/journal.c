// What all commands that change this machine begin and end with: see command.h.
#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "base/journal.h"
#include "cmd/command.h"
#include "run/session.h"

static const char *telling; // the command's name

static void told(const char *line)
{
	fprintf(stderr, "mmprof %s: put back what an earlier mmprof left behind: %s\n", telling, line);
}

static int lock(bool quiet)
{
	bool said = false;
	int rc;

	while ((rc = journal_lock()) == -EBUSY) {
		if (!said && !quiet)
			fprintf(stderr, "mmprof %s: waiting for another mmprof that changes this machine\n",
				telling);
		said = true;
		if (session_pause(0.2))
			return err_set(-EINTR, "stopped by a signal");
	}
	return rc;
}

int command_open_journal(const struct command *cmd, bool alone, bool quiet)
{
	int rc;

	telling = cmd->name;
	rc = alone ? lock(quiet) : 0;
	return rc ? rc : journal_open(told);
}

int command_close_journal(const struct command *cmd)
{
	int undone = journal_close();

	if (undone)
		fprintf(stderr, "mmprof %s: %d changes of this machine could not be put back: %s\n",
			cmd->name, undone, err_text());
	return undone;
}
