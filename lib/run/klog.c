// Reads /dev/kmsg (Documentation/ABI/testing/dev-kmsg): one record a read, "PRIORITY,SEQ,TIME,FLAGS;TEXT".
#include "run/klog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "store/store.h"
#include "store/store_read.h"

#define LEVEL_WARNING 4

int klog_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return err_set(-errno, "can't read /dev/kmsg: %m");
	lseek(fd, 0, SEEK_END);
	return fd;
}

int klog_read(int fd, struct store *store, int64_t run, int64_t t_ns)
{
	char record[8192];
	int rc = 0;

	while (!rc) {
		ssize_t n = read(fd, record, sizeof(record) - 1);
		int level;
		char *text;

		if (n < 0 && errno == EPIPE) { // the ring buffer overtook us
			rc = store_kernel_log(store, run, t_ns, LEVEL_WARNING, STORE_LOG_LOST);
			continue;
		}
		if (n <= 0)
			break;
		record[n] = 0;
		level = atoi(record) & 7;
		text = strchr(record, ';');
		if (level > LEVEL_WARNING || !text)
			continue;
		text[strcspn(text, "\n")] = 0;
		rc = store_kernel_log(store, run, t_ns, level, text + 1);
	}
	return rc;
}
