// A subcommand: one file in cmd/, one line in main.c's table.
#ifndef MMPROF_CMD_COMMAND_H
#define MMPROF_CMD_COMMAND_H

#include <popt.h>
#include <stdbool.h>

// Exit codes: 0, 1 (a check said no), 2 (bad input or it can't be done here, one line on stderr said why);
// `record` ends as its workload did.
enum { EXIT_USAGE = 2 };

struct command {
	const char *name, *what;                 // `what`: one line for `mmprof --help`; NULL: mmprof's own
	int (*run)(int argc, const char **argv); // argv[0] is the subcommand's name
};

extern const struct command cmd_bench, cmd_bench_worker, cmd_doctor, cmd_export, cmd_list, cmd_merge,
    cmd_note, cmd_pgcache, cmd_plot, cmd_record, cmd_report, cmd_rm, cmd_run, cmd_sql, cmd_system, cmd_truth;

// Parses options with popt; they may stand among the arguments, up to "--". On --help prints
// help made from the table and exits 0. Returns the remaining arguments (NULL-terminated, in *rest, owned by
// *ctx) and 0, or EXIT_USAGE after one line on stderr. Free *ctx with poptFreeContext().
int command_options(const struct command *cmd, int argc, const char **argv, const struct poptOption *options,
		    const char *usage, poptContext *ctx, const char ***rest);
// The same, but the first argument ends the options: it is a workload, which keeps its own.
int command_workload_options(const struct command *cmd, int argc, const char **argv,
			     const struct poptOption *options, const char *usage, poptContext *ctx,
			     const char ***rest);

// Frees what popt allocated for a table's strings and lists, which are NULL then.
void command_free_options(const struct poptOption *options);

// One line on stderr, "mmprof NAME: text"; returns EXIT_USAGE.
int command_fail(const struct command *cmd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// Opens the journal, which puts back what a dead mmprof left behind and says so; `alone`: first waits until
// no other mmprof changes this machine (call session_block_signals() before). -errno with an err chain;
// -EINTR after a signal.
int command_open_journal(const struct command *cmd, bool alone, bool quiet);

// Puts everything back and says what could not be; how many changes that were.
int command_close_journal(const struct command *cmd);

// The database's path: `given`, else $MMPROF_DB, else ./mmprof.db.
const char *command_db_path(const char *given);

// As whom workloads run: who called sudo; NULL: as mmprof itself.
const char *command_default_user(void);

#endif
