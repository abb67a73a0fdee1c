// How long a share takes to come back after what it is a share of has moved: pure arithmetic, no clock.
#ifndef MMPROF_BENCH_RECOVERY_H
#define MMPROF_BENCH_RECOVERY_H

#include <stdbool.h>

#define RECOVERY_PART 0.9   // back: so much of the share before the move
#define RECOVERY_LEAST 0.05 // a share below this before the move is nothing that could come back

struct recovery {
	double before; // the share before the last move
	bool waiting;  // for it to come back
	unsigned moves, recovered,
	    nothing;  // moves; of those, came back; of those, had nothing to come back to
	double sum_s; // of the times of those that came back
};

// All has moved just now; the share was this before.
void recovery_moved(struct recovery *r, double before);
// The share, so many seconds after the move.
void recovery_seen(struct recovery *r, double seconds, double share);
// Whether each move was followed: *mean_s is then the mean time. Moves that had nothing to come back to don't
// count; false too when there was no other.
bool recovery_mean(const struct recovery *r, double *mean_s);

#endif
