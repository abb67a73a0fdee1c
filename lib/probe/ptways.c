// Ways of page-table pages; see ptways.h. Knows the kernel's functions by name (mm/memory.c,
// mm/huge_memory.c, mm/khugepaged.c, arch/x86/mm/pgtable.c): the innermost one of the table below decides.
#include "probe/ptways.h"

#include <glib.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const ptlevel_names[PTLEVELS] = {"pte", "pmd", "pud", "p4d", "unknown"};
const char *ptways_root = "";

// A function of the stack, from the innermost outwards: which level its page is of, if it tells, and what way
// that is, if it tells. One that only tells the level (pte_alloc_one) leaves the way to those further out.
static const struct step {
	const char *function;
	enum ptlevel level;
	const char *way; // NULL: look further
} steps[] = {
    {"pte_alloc_one", PTLEVEL_PTE, NULL},
    {"___pte_free_tlb", PTLEVEL_PTE, "unmap, by the mmu_gather"},
    {"___pmd_free_tlb", PTLEVEL_PMD, "unmap, by the mmu_gather"},
    {"___pud_free_tlb", PTLEVEL_PUD, "unmap, by the mmu_gather"},
    {"___p4d_free_tlb", PTLEVEL_P4D, "unmap, by the mmu_gather"},
    {"__pte_alloc", PTLEVEL_PTE, "populating (released: lost the race)"},
    {"__pmd_alloc", PTLEVEL_PMD, "populating (released: lost the race)"},
    {"__pud_alloc", PTLEVEL_PUD, "populating (released: lost the race)"},
    {"__p4d_alloc", PTLEVEL_P4D, "populating (released: lost the race)"},
    {"do_huge_pmd_anonymous_page", PTLEVEL_PTE, "huge-page fault (released: fell back or lost the race)"},
    {"__do_huge_pmd_anonymous_page", PTLEVEL_PTE, "huge-page fault (released: fell back or lost the race)"},
    {"vmf_insert_pfn_pmd", PTLEVEL_PTE, "huge-page fault (released: fell back or lost the race)"},
    {"insert_pfn_pmd", PTLEVEL_PTE, "huge-page fault (released: fell back or lost the race)"},
    {"copy_huge_pmd", PTLEVEL_PTE, "fork of a huge page"},
    {"zap_huge_pmd", PTLEVEL_PTE, "unmap of a huge page"},
    {"move_huge_pmd", PTLEVEL_PTE, "mremap of a huge page"},
    {"__split_huge_pmd", PTLEVEL_PTE, "split of a huge page"},
    {"__split_huge_pmd_locked", PTLEVEL_PTE, "split of a huge page"},
    {"collapse_huge_page", PTLEVEL_PTE, "collapse into a huge page"},
    {"retract_page_tables", PTLEVEL_PTE, "collapse into a huge page"},
    {"collapse_pte_mapped_thp", PTLEVEL_PTE, "collapse into a huge page"},
    {"collapse_and_free_pmd", PTLEVEL_PTE, "collapse into a huge page"},
    {"pte_free_now", PTLEVEL_PTE, "collapse into a huge page"},
    {"do_set_pmd", PTLEVEL_PTE, "file fault that prepared one"},
    {"filemap_map_pages", PTLEVEL_PTE, "file fault that prepared one"},
    {"finish_fault", PTLEVEL_PTE, "file fault that prepared one"},
    {"do_fault", PTLEVEL_PTE, "file fault that prepared one"},
    {"do_read_fault", PTLEVEL_PTE, "file fault that prepared one"},
    {"pgd_alloc", PTLEVEL_PMD, "with a new PGD"},
    {"pgd_free", PTLEVEL_PMD, "with its PGD"},
    {"pgd_mop_up_pmds", PTLEVEL_PMD, "with its PGD"},
    {"__handle_mm_fault", PTLEVEL_PTE, "file fault that prepared one"},
};

// --- symbols

struct symbol {
	uint64_t address;
	const char *name; // of a step, or NULL
};

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

static const char *step_name(const char *name)
{
	size_t n = strcspn(name, ".\t \n"); // .isra.0, .part.0, .constprop.0, .cold

	for (size_t i = 0; i < G_N_ELEMENTS(steps); i++)
		if (strlen(steps[i].function) == n && !strncmp(steps[i].function, name, n))
			return steps[i].function;
	return NULL;
}

// All functions' beginnings, so that an address falls into the right one; names only of those that tell
// something.
static const GArray *symbols(void)
{
	static GArray *list;
	g_autofree char *path = g_strconcat(ptways_root, "/proc/kallsyms", NULL);
	FILE *f = list ? NULL : fopen(path, "re");
	char line[512], name[256], type;
	struct symbol s;

	if (list)
		return list;
	list = g_array_new(FALSE, FALSE, sizeof(struct symbol));
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%" SCNx64 " %c %255s", &s.address, &type, name) != 3 || !s.address ||
		    !strchr("tTwW", type))
			continue;
		s.name = step_name(name);
		g_array_append_val(list, s);
	}
	if (f)
		fclose(f);
	qsort(list->data, list->len, sizeof(struct symbol), by_address);
	return list;
}

static const char *function_at(uint64_t address)
{
	const GArray *list = symbols();
	guint low = 0, high = list->len;

	while (low < high) {
		guint middle = (low + high) / 2;

		if (g_array_index(list, struct symbol, middle).address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	// several names may be of one address: any that tells
	for (guint i = low; i > 0 && g_array_index(list, struct symbol, i - 1).address ==
					 g_array_index(list, struct symbol, low - 1).address;
	     i--)
		if (g_array_index(list, struct symbol, i - 1).name)
			return g_array_index(list, struct symbol, i - 1).name;
	return NULL;
}

// --- stacks to ways

static const struct step *step_at(uint64_t address)
{
	const char *function = function_at(address);

	for (size_t i = 0; function && i < G_N_ELEMENTS(steps); i++)
		if (!strcmp(steps[i].function, function))
			return &steps[i];
	return NULL;
}

// Of the first function that leads the same way.
static int number_of(const char *way)
{
	int i = 0;

	while (g_strcmp0(steps[i].way, way))
		i++;
	return i;
}

struct ptway ptway_of(const unsigned long long *stack, size_t depth)
{
	struct ptway w = {PTLEVEL_UNKNOWN, G_N_ELEMENTS(steps), "another way"};

	for (size_t i = 0; i < depth && stack[i]; i++) {
		const struct step *s = step_at(stack[i]);

		if (!s)
			continue;
		if (w.level == PTLEVEL_UNKNOWN)
			w.level = s->level;
		if (!s->way)
			continue;
		w.name = s->way;
		w.number = number_of(s->way);
		break;
	}
	return w;
}
