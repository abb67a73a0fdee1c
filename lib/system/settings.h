// A setting of the machine: a file under /proc/sys or /sys and what is written into it for the time of a run.
// How to put it back goes into the journal first, so that it is put back however mmprof ends.
#ifndef MMPROF_SYSTEM_SETTINGS_H
#define MMPROF_SYSTEM_SETTINGS_H

#include <stdbool.h>

// Put before every path; "" unless a test gives a tree of its own (a real path, without links).
extern const char *settings_root;

struct setting {
	char *key;   // as it was written: sysctl.vm.swappiness, /sys/kernel/mm/lru_gen/enabled
	char *path;  // the file
	char *value; // what to write
	int line;    // of the plan
};
void setting_clear(struct setting *setting); // for a GArray of them

// Whether a word looks like one of a setting: a path, or sysctl.NAME.
bool setting_is_key(const char *word);

// The file that a key means; the name after `sysctl.` is as in sysctl(8). -EINVAL with an err chain for a
// path that is not under /proc/sys or /sys.
int setting_path(const char *key, char **path);

// Whether this machine has it: -ENOENT with an err chain if not; other errors when it is no single line that
// can be read, written and put back. Changes nothing.
int setting_check(const struct setting *setting);

// Writes it; the journal must be open. -errno with an err chain when the kernel refuses it.
int setting_apply(const struct setting *setting);

// Whether it (still) is as it was to be: -EIO with an err chain if not. A number may be written in another
// form, and a yes or no in other words, than what the file shows.
int setting_verify(const struct setting *setting);

#endif
