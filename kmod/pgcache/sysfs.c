// SPDX-License-Identifier: GPL-2.0
int pgc_sysfs_init(void);
int pgc_sysfs_init(void) { return 0; }
void pgc_sysfs_exit(void);
void pgc_sysfs_exit(void) { }
