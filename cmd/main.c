// The table of subcommands, and nothing else.
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "cmd/command.h"

static const struct command *const commands[] = {&cmd_record,  &cmd_run,    &cmd_bench, &cmd_report,
						 &cmd_plot,    &cmd_list,   &cmd_sql,   &cmd_system,
						 &cmd_pgcache, &cmd_note,   &cmd_rm,    &cmd_merge,
						 &cmd_export,  &cmd_doctor, &cmd_truth, &cmd_bench_worker};

static int usage(FILE *out)
{
	fprintf(out,
		"Usage: mmprof COMMAND [OPTIONS]\n\n"
		"Measures Linux memory management: page faults, TLB flushes, locks, migration, reclaim.\n\n"
		"Commands:\n");
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
		if (commands[i]->what)
			fprintf(out, "  %-8s %s\n", commands[i]->name, commands[i]->what);
	fprintf(out, "\n`mmprof COMMAND --help` shows a command's options; `man mmprof` tells the rest.\n");
	return out == stderr ? EXIT_USAGE : 0;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return usage(stderr);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return usage(stdout);
	if (!strcmp(argv[1], "--version")) {
		printf("mmprof %s\n", MMPROF_VERSION);
		return 0;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
		if (!strcmp(argv[1], commands[i]->name))
			return commands[i]->run(argc - 1, (const char **)argv + 1);
	fprintf(stderr, "mmprof: unknown command \"%s\" (see mmprof --help)\n", argv[1]);
	return EXIT_USAGE;
}
