// The time until a share is back; see recovery.h.
#include "bench/recovery.h"

void recovery_moved(struct recovery *r, double before)
{
	r->before = before;
	r->moves++;
	r->waiting = before >= RECOVERY_LEAST;
	r->nothing += !r->waiting;
}

void recovery_seen(struct recovery *r, double seconds, double share)
{
	if (!r->waiting || share < r->before * RECOVERY_PART)
		return;
	r->waiting = false;
	r->recovered++;
	r->sum_s += seconds;
}

bool recovery_mean(const struct recovery *r, double *mean_s)
{
	if (!r->recovered || r->recovered + r->nothing < r->moves)
		return false;
	*mean_s = r->sum_s / r->recovered;
	return true;
}
