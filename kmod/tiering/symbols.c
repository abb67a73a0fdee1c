// SPDX-License-Identifier: GPL-2.0
/* Resolves the kernel's unexported symbols at load: all of them or nothing. */
#include <linux/module.h>
#include "symbols.h"

DEFINE_STATIC_CALL_NULL(ksym_lookup, kallsyms_lookup_name);

#define X(name)                                     \
	DEFINE_STATIC_CALL_NULL(ksym_##name, name); \
	unsigned long ksym_at_##name;
TIERING_FUNCTIONS(X)
#undef X

#define X(name) unsigned long ksym_at_##name;
TIERING_ADDRESSES(X)
#undef X

static const struct ksym table[] = {
#define X(name) {#name, &ksym_at_##name},
	TIERING_FUNCTIONS(X) TIERING_ADDRESSES(X)
#undef X
};

int tier_symbols_init(void)
{
	int err = ksym_resolve(KBUILD_MODNAME, table, ARRAY_SIZE(table));

	if (err)
		return err;
#define X(name) static_call_update(ksym_##name, (typeof(&name))ksym_at_##name);
	TIERING_FUNCTIONS(X)
#undef X
	return 0;
}
