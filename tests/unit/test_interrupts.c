// The interrupts of one thread, of this kernel: the timer's while it runs, none of others while it sleeps.
#include <glib.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "bench/interrupts.h"

static atomic_bool end;

static void *spin_on(void *arg)
{
	while (!end)
		;
	return arg;
}

static double seconds_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// A timer of a tick each 4 or 10 ms, and whatever else comes.
static void of_the_thread_only(void **state)
{
	struct interrupts *i;
	pthread_t other;
	uint64_t before, while_asleep;

	(void)state;
	if (geteuid() || interrupts_open(&i)) {
		print_message("# skipped: %s\n", geteuid() ? "not root" : err_text());
		skip();
	}
	assert_int_equal(pthread_create(&other, NULL, spin_on, NULL), 0);
	before = interrupts_read(i);
	for (double until = seconds_of(CLOCK_MONOTONIC) + 0.3; seconds_of(CLOCK_MONOTONIC) < until;)
		g_usleep(100000);
	while_asleep = interrupts_read(i) - before;
	before = interrupts_read(i);
	for (double until = seconds_of(CLOCK_THREAD_CPUTIME_ID) + 0.3;
	     seconds_of(CLOCK_THREAD_CPUTIME_ID) < until;)
		;
	assert_true(interrupts_read(i) - before >= 20);
	assert_true(while_asleep < 20);
	end = true;
	pthread_join(other, NULL);
	interrupts_close(i);
}

static void of_nobody(void **state)
{
	(void)state;
	assert_int_equal(interrupts_read(NULL), 0);
	interrupts_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(of_the_thread_only),
	    cmocka_unit_test(of_nobody),
	};

	return cmocka_run_group_tests_name("interrupts", tests, NULL, NULL);
}
