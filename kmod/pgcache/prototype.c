// SPDX-License-Identifier: GPL-2.0
/*
 * Whether the running kernel's functions have the arguments that the hooks take from registers, and
 * return what the hooks return for them: asked from the kernel's type information (BTF), in words
 * such as "int(mm_struct*,pud_t*,u64)". A kernel without BTF is refused.
 */
#include "pgcache.h"
#include "symbols.h"
#include <linux/bpf.h>
#include <linux/btf.h>

enum { WORDS = 128 };

static bool is_qualifier(const struct btf_type *t)
{
	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		return true;
	default:
		return false;
	}
}

/* "mm_struct*", "pud_t*", "int", "u64": typedefs by name, other numbers by size. */
static void add_type(const struct btf *btf, u32 id, char *words)
{
	const struct btf_type *t = id ? btf_type_by_id(btf, id) : NULL;
	char number[8];

	while (t && is_qualifier(t))
		t = t->type ? btf_type_by_id(btf, t->type) : NULL;
	if (!t) {
		strlcat(words, "void", WORDS);
	} else if (btf_type_is_ptr(t)) {
		add_type(btf, t->type, words);
		strlcat(words, "*", WORDS);
	} else if (btf_type_is_int(t)) {
		snprintf(number, sizeof(number), "u%u", t->size * 8);
		strlcat(words, number, WORDS);
	} else {
		strlcat(words, static_call(ksym_btf_name_by_offset)(btf, t->name_off), WORDS);
	}
}

static int describe(const struct btf *btf, const char *name, char *words)
{
	s32 id = static_call(ksym_btf_find_by_name_kind)(btf, name, BTF_KIND_FUNC);
	const struct btf_type *func = id > 0 ? btf_type_by_id(btf, id) : NULL;
	const struct btf_type *proto = func ? btf_type_by_id(btf, func->type) : NULL;
	const struct btf_param *p;
	int i;

	words[0] = 0;
	if (!proto || !btf_type_is_func_proto(proto))
		return -ENOENT;
	add_type(btf, proto->type, words);
	p = btf_params(proto);
	for (i = 0; i < btf_type_vlen(proto); i++) {
		strlcat(words, i ? "," : "(", WORDS);
		add_type(btf, p[i].type, words);
	}
	strlcat(words, i ? ")" : "()", WORDS);
	return 0;
}

int pgc_prototypes(void)
{
	static const char *const wanted[][2] = {
		{"pte_alloc_one", "pgtable_t(mm_struct*)"},
		{"__pmd_alloc", "u32(mm_struct*,pud_t*,u64)"},
		{"__pud_alloc", "u32(mm_struct*,p4d_t*,u64)"},
		{"__p4d_alloc", "u32(mm_struct*,pgd_t*,u64)"},
		{"pgd_alloc", "pgd_t*(mm_struct*)"},
		{"pgd_free", "void(mm_struct*,pgd_t*)"},
		{"___pte_free_tlb", "void(mmu_gather*,page*)"},
		{"___pmd_free_tlb", "void(mmu_gather*,pmd_t*)"},
		{"___pud_free_tlb", "void(mmu_gather*,pud_t*)"},
		{"___p4d_free_tlb", "void(mmu_gather*,p4d_t*)"},
	};
	struct btf *btf = static_call(ksym_bpf_get_btf_vmlinux)();
	char words[WORDS];
	int i;

	if (IS_ERR_OR_NULL(btf)) {
		pr_err("pgcache: refused: this kernel has no type information (CONFIG_DEBUG_INFO_BTF)\n");
		return -EOPNOTSUPP;
	}
	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		if (!describe(btf, wanted[i][0], words) && !strcmp(words, wanted[i][1]))
			continue;
		pr_err("pgcache: refused: %s is %s here, not %s\n", wanted[i][0],
		       words[0] ? words : "not in the kernel's BTF", wanted[i][1]);
		return -EOPNOTSUPP;
	}
	return 0;
}
