// Holding the CPUs at one frequency through cpufreq, whatever the driver: intel_pstate active and passive,
// acpi-cpufreq, amd-pstate. Each function only looks, and adds to `settings` what is to be written, in the
// order in which it must be; nothing is added for what is so already. `done` becomes a few words for the
// run's facts; g_free. -ENOENT with an err chain when this machine has no such thing, -EINVAL when it can't
// take the value. Files are as in the kernel's Documentation/admin-guide/pm.
#ifndef MMPROF_SYSTEM_FREQUENCY_H
#define MMPROF_SYSTEM_FREQUENCY_H

#include <glib.h>

// All CPUs at `value`: MHz, "base" (what each holds for ever: the nominal frequency) or "max" (its highest,
// turbo or boost included). `done`: "2600 MHz", or "2000-2600 MHz" where the CPUs' differ.
int frequency_lock(const char *value, GArray *settings, char **done);

// All CPUs under this governor.
int frequency_governor(const char *name, GArray *settings, char **done);

// No turbo (Intel), no boost (others).
int frequency_turbo_off(GArray *settings, char **done);

#endif
