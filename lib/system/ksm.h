// KSM's keys, for the systems that have it.
#ifndef MMPROF_SYSTEM_KSM_H
#define MMPROF_SYSTEM_KSM_H

#define KSM "/sys/kernel/mm/ksm/"
#define KSM_KEYS                                                                                             \
	{"pages_to_scan", KSM "pages_to_scan", NULL}, {"sleep_ms", KSM "sleep_millisecs", NULL},             \
	    {"use_zero_pages", KSM "use_zero_pages", NULL},                                                  \
	    {"max_page_sharing", KSM "max_page_sharing", NULL},                                              \
	    {"merge_across_nodes", KSM "merge_across_nodes", NULL}, {"smart_scan", KSM "smart_scan", NULL},  \
	    {"advisor", KSM "advisor_mode", NULL},                                                           \
	{                                                                                                    \
		"ksm", KSM "run", "1"                                                                        \
	}

#endif
