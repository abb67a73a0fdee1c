// Sleeps N times for MS milliseconds in the kernel, each time on one CPU and woken on another: sleepmove N
// MS.
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static volatile pid_t sleeper;
static volatile int done;
static long ms;

static void sleep_ms(long n)
{
	struct timespec t = {n / 1000, n % 1000 * 1000000};

	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

// Moves the sleeper to the other CPU while it sleeps. It spins between sleeps of its own, which count too.
static void *mover(void *arg)
{
	for (int cpu = 0; !done; cpu = !cpu) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		sched_setaffinity(sleeper, sizeof(set), &set);
		usleep((useconds_t)ms * 500);
	}
	return arg;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 10;
	pthread_t t;

	ms = argc > 2 ? atol(argv[2]) : 20;
	sleeper = gettid();
	if (pthread_create(&t, NULL, mover, NULL))
		return 1;
	for (int i = 0; i < n; i++)
		sleep_ms(ms);
	done = 1;
	pthread_join(t, NULL);
	return 0;
}
