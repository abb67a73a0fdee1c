// What every subcommand does with its options, errors and database path; see command.h.
#include "cmd/command.h"

#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/doc.h"

int command_fail(const struct command *cmd, const char *fmt, ...)
{
	g_autofree char *text = NULL, *harmless = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	g_strdelimit(text, "\n\r", ' ');
	harmless = doc_harmless(text); // names may come from a database of anybody's
	fprintf(stderr, "mmprof %s: %s\n", cmd->name, harmless);
	return EXIT_USAGE;
}

static int parse(const struct command *cmd, int argc, const char **argv, const struct poptOption *options,
		 const char *usage, unsigned flags, poptContext *ctx, const char ***rest)
{
	static const char *none[] = {NULL};
	g_autofree char *name = g_strdup_printf("mmprof %s", cmd->name);
	int rc;

	*ctx = poptGetContext(name, argc, argv, options, flags);
	poptSetOtherOptionHelp(*ctx, usage);
	while ((rc = poptGetNextOpt(*ctx)) > 0)
		;
	if (rc < -1)
		return command_fail(cmd, "%s: %s (see mmprof %s --help)",
				    poptBadOption(*ctx, POPT_BADOPTION_NOALIAS), poptStrerror(rc), cmd->name);
	*rest = poptGetArgs(*ctx);
	if (!*rest)
		*rest = none;
	return 0;
}

int command_options(const struct command *cmd, int argc, const char **argv, const struct poptOption *options,
		    const char *usage, poptContext *ctx, const char ***rest)
{
	return parse(cmd, argc, argv, options, usage, 0, ctx, rest);
}

int command_workload_options(const struct command *cmd, int argc, const char **argv,
			     const struct poptOption *options, const char *usage, poptContext *ctx,
			     const char ***rest)
{
	return parse(cmd, argc, argv, options, usage, POPT_CONTEXT_POSIXMEHARDER, ctx, rest);
}

void command_free_options(const struct poptOption *options)
{
	for (const struct poptOption *o = options; o->longName || o->shortName || o->arg; o++) {
		int type = o->argInfo & POPT_ARG_MASK;

		if (type == POPT_ARG_STRING) {
			g_clear_pointer((char **)o->arg, free);
		} else if (type == POPT_ARG_ARGV && *(char ***)o->arg) {
			for (char **s = *(char ***)o->arg; *s; s++)
				free(*s);
			g_clear_pointer((char ***)o->arg, free);
		}
	}
}

const char *command_db_path(const char *given)
{
	const char *env = getenv("MMPROF_DB");

	if (given)
		return given;
	return env && *env ? env : "mmprof.db";
}

const char *command_default_user(void)
{
	const char *user = getenv("SUDO_USER");

	return user && *user ? user : NULL;
}
