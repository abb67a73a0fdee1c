// `mmprof merge`: bring the runs of other databases into one.
#include "cmd/command.h"

static int merge(int argc, const char **argv);
const struct command cmd_merge = {"merge", "bring the runs of other databases into one", merge};

static int merge(int argc, const char **argv)
{
	(void)argc;
	(void)argv;
	return command_fail(&cmd_merge, "not built yet");
}
