/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Finding kernel symbols that are not exported to modules.
 *
 * A kprobe gives the address of kallsyms_lookup_name; that gives the rest. Functions found so are
 * called through static calls: on kernels built for indirect branch tracking (IBT) most of them
 * start without ENDBR, so that an indirect call would trap, and a direct call also costs no
 * retpoline.
 */
#ifndef MMPROF_KSYM_H
#define MMPROF_KSYM_H

#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/static_call.h>
#include <linux/string.h>

struct ksym {
	const char *name;
	unsigned long *addr; /* filled in */
};

DECLARE_STATIC_CALL(ksym_lookup, kallsyms_lookup_name);

/*
 * The probe's address is that of the first instruction after ENDBR where the function starts with
 * one (+4), which is taken back by asking which symbol it is in.
 */
static inline unsigned long ksym_find_lookup(void)
{
	struct kprobe kp = {.symbol_name = "kallsyms_lookup_name"};
	unsigned long addr;
	char name[KSYM_SYMBOL_LEN];
	char *plus;

	if (register_kprobe(&kp) < 0)
		return 0;
	addr = (unsigned long)kp.addr;
	unregister_kprobe(&kp);
	sprint_symbol(name, addr);
	plus = strstr(name, "+0x");
	if (plus)
		addr -= simple_strtoul(plus + 3, NULL, 16);
	return addr;
}

/*
 * Fills in all addresses. Those that are missing are listed in one line of the kernel's log:
 * -ENOENT.
 */
static inline int ksym_resolve(const char *module, const struct ksym *table, size_t n)
{
	unsigned long lookup = ksym_find_lookup();
	char missing[256] = "";
	size_t i;

	if (!lookup) {
		pr_err("%s: refused: cannot find kallsyms_lookup_name (kprobes off?)\n", module);
		return -ENOENT;
	}
	static_call_update(ksym_lookup, (typeof(&kallsyms_lookup_name))lookup);
	for (i = 0; i < n; i++) {
		*table[i].addr = static_call(ksym_lookup)(table[i].name);
		if (*table[i].addr)
			continue;
		strlcat(missing, " ", sizeof(missing));
		strlcat(missing, table[i].name, sizeof(missing));
	}
	if (!missing[0])
		return 0;
	pr_err("%s: refused: this kernel lacks the symbols%s\n", module, missing);
	return -ENOENT;
}

#endif
