// Many threads that sleep in the kernel at the same time: sleepers THREADS MS.
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

static struct timespec pause_time;
static pthread_barrier_t all_there;

static void *sleeper(void *arg)
{
	pthread_barrier_wait(&all_there);
	clock_nanosleep(CLOCK_MONOTONIC, 0, &pause_time, NULL);
	return arg;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 40;
	long ms = argc > 2 ? atol(argv[2]) : 500;
	pthread_t *t = calloc(n, sizeof(*t));

	pause_time = (struct timespec){ms / 1000, ms % 1000 * 1000000};
	pthread_barrier_init(&all_there, NULL, (unsigned)n);
	for (int i = 0; t && i < n; i++)
		if (pthread_create(&t[i], NULL, sleeper, NULL))
			return 1;
	for (int i = 0; t && i < n; i++)
		pthread_join(t[i], NULL);
	free(t);
	return 0;
}
