// `mmprof note`: say something about a run.
#include "cmd/command.h"

static int note(int argc, const char **argv);
const struct command cmd_note = {"note", "say something about a run", note};

static int note(int argc, const char **argv)
{
	(void)argc;
	(void)argv;
	return command_fail(&cmd_note, "not built yet");
}
