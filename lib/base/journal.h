// State that must be put back: whatever mmprof changes on the machine is first written here (with fsync),
// then changed, and undone in reverse order at the end, on any signal, or at mmprof's next start after a
// SIGKILL. One file a process, /run/mmprof/journal-PID, locked while its owner lives; another for what could
// not be undone, which each later start tries again.
#ifndef MMPROF_BASE_JOURNAL_H
#define MMPROF_BASE_JOURNAL_H

enum undo_kind {
	UNDO_RMDIR,    // remove a cgroup (its processes are moved to the parent first)
	UNDO_INSTANCE, // remove a tracing instance after turning it off
	UNDO_WRITE,    // write `value` to the file `path`
	UNDO_UMOUNT,   // unmount `path` and remove the directory
	UNDO_APPEND,   // append `value` to `path` (kprobe_events, set_ftrace_filter)
	UNDO_RMMOD,    // unload the kernel module `path`
	UNDO_UNLINK,   // remove the file `path`
	UNDO_SWAPOFF,  // turn the swap `path` off
	UNDO_KILL,     // end the process `path`, if it is the one that started at `value` (/proc/PID/stat)
	UNDO_UNBIND, // take its driver off the device `value`, if it has it: `path` is the driver's "unbind"
	UNDO_SWAPON, // turn the swap `path` on again with priority `value` (negative: the kernel's choice)
};

// Takes this machine's settings for this process: what another one is about to put back must not be taken for
// the state to go back to. Call it before journal_open; held until the process ends. -EBUSY (no err chain)
// while another has them; -errno with an err chain when /run/mmprof can't be had.
int journal_lock(void);

// Undoes what dead mmprofs left behind (names them through `told`, which may be NULL) and starts this
// process's journal. 0, or -errno with an err chain when /run/mmprof can't be had.
int journal_open(void (*told)(const char *line));

// Writes down how to undo a change, durably. Call it before making the change. `value` may be NULL. Returns a
// mark (>= 0) for journal_undo_to, or -errno with an err chain: then the change must not be made.
int journal_add(enum undo_kind kind, const char *path, const char *value);

// What tells a process from a later one of its number, for UNDO_KILL. NULL: it has ended. g_free.
char *undo_process_start(const char *pid);

// The mark of the next change.
int journal_mark(void);

// Undoes everything from `mark` on (0: all), newest first. Returns how many could not be undone; err_text()
// says the last of them.
int journal_undo_to(int mark);

// Undoes all and removes the journal.
int journal_close(void);

// For a child that was forked and has not executed anything: the journal's locks end with their owner, also
// when it is killed before the child goes on.
void journal_leave(void);

// What is to outlive this process: its journal becomes the kept one, of which there can be one, with a text
// that says what it is. -EEXIST with an err chain when there is one already. Nothing is undone.
int journal_keep(const char *text);

// That text, NULL when nothing is kept. g_free.
char *journal_kept(void);

// Undoes what was kept. How much could not be undone; err_text() says the last of it.
int journal_undo_kept(void);

#endif
