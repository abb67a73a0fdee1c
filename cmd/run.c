// `mmprof run`: execute an experiment's plan.
#include "cmd/command.h"

static int run(int argc, const char **argv);
const struct command cmd_run = {"run", "execute an experiment's plan", run};

static int run(int argc, const char **argv)
{
	(void)argc;
	(void)argv;
	return command_fail(&cmd_run, "not built yet");
}
