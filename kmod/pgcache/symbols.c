// SPDX-License-Identifier: GPL-2.0
/* Resolves the kernel's unexported symbols at load: all of them or nothing. */
#include "symbols.h"
#include <linux/ftrace.h>
#include <linux/module.h>

DEFINE_STATIC_CALL_NULL(ksym_lookup, kallsyms_lookup_name);

#define X(name)                                     \
	DEFINE_STATIC_CALL_NULL(ksym_##name, name); \
	unsigned long ksym_at_##name;
PGC_FUNCTIONS(X)
#undef X

#define X(name) unsigned long ksym_at_##name;
PGC_HOOKED(X)
#undef X

#define X(name, type) unsigned long ksym_at_##name;
PGC_DATA(X)
#undef X

static const struct ksym table[] = {
#define X(name) {#name, &ksym_at_##name},
	PGC_FUNCTIONS(X) PGC_HOOKED(X)
#undef X
#define X(name, type) {#name, &ksym_at_##name},
		PGC_DATA(X)
#undef X
};

int pgc_symbols_init(void)
{
	int err = ksym_resolve(KBUILD_MODNAME, table, ARRAY_SIZE(table));

	if (err)
		return err;
#define X(name) static_call_update(ksym_##name, (typeof(&name))ksym_at_##name);
	PGC_FUNCTIONS(X)
#undef X
	return 0;
}
