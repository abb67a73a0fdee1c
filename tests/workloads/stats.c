// Asks for a file's attributes N times: stats FILE N. On overlayfs each is a call of vfs_getattr within
// another.
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
	int n = argc > 2 ? atoi(argv[2]) : 0;
	struct stat st;

	for (int i = 0; i < n; i++)
		if (stat(argv[1], &st))
			return perror(argv[1]), 1;
	return 0;
}
