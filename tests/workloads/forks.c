// Forks children that exit at once, one after another: forks N. Prints how many were reaped.
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 0, reaped = 0;

	for (int i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		if (pid < 0)
			return perror("fork"), 1;
		reaped += waitpid(pid, NULL, 0) == pid;
	}
	printf("%d\n", reaped);
	return 0;
}
