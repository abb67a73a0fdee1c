// `mmprof export`: give out runs as CSV, JSON lines or OpenMetrics.
#include "cmd/command.h"

static int export(int argc, const char **argv);
const struct command cmd_export = {"export", "give out runs as CSV, JSON lines or OpenMetrics", export};

static int export(int argc, const char **argv)
{
	(void)argc;
	(void)argv;
	return command_fail(&cmd_export, "not built yet");
}
