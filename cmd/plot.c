// `mmprof plot`: draw the figures of a paper.
#include "cmd/command.h"

static int plot(int argc, const char **argv);
const struct command cmd_plot = {"plot", "draw the figures of a paper", plot};

static int plot(int argc, const char **argv)
{
	(void)argc;
	(void)argv;
	return command_fail(&cmd_plot, "not built yet");
}
