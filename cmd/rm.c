// `mmprof rm`: delete runs.
#include "cmd/command.h"

static int rm(int argc, const char **argv);
const struct command cmd_rm = {"rm", "delete runs", rm};

static int rm(int argc, const char **argv)
{
	(void)argc;
	(void)argv;
	return command_fail(&cmd_rm, "not built yet");
}
