// zswap's keys, for the systems that have it. `enabled` comes last: the others are taken when it is turned
// on, and swap is turned on behind it (before 6.7 it serves devices only that come later).
#ifndef MMPROF_SYSTEM_ZSWAP_H
#define MMPROF_SYSTEM_ZSWAP_H

#define ZSWAP "/sys/module/zswap/parameters/"
#define ZSWAP_KEYS                                                                                           \
	{"compressor", ZSWAP "compressor", NULL}, {"pool", ZSWAP "zpool", NULL},                             \
	    {"max_pool_percent", ZSWAP "max_pool_percent", NULL},                                            \
	    {"accept_percent", ZSWAP "accept_threshold_percent", NULL},                                      \
	    {"shrinker", ZSWAP "shrinker_enabled", NULL},                                                    \
	{                                                                                                    \
		"zswap", ZSWAP "enabled", "1"                                                                \
	}

#endif
