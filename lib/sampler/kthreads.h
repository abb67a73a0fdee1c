// CPU time of kernel threads by the kind of work they do. Private to lib/sampler.
#ifndef MMPROF_SAMPLER_KTHREADS_H
#define MMPROF_SAMPLER_KTHREADS_H

#include <stdint.h>

struct kthreads;
// NULL when no kernel threads can be seen from here (a pid namespace of our own).
struct kthreads *kthreads_new(void);
void kthreads_free(struct kthreads *kthreads);
// Brings every class up to date; threads that were born are looked for once a second, or now if `look`.
void kthreads_update(struct kthreads *kthreads, int look);
// The class' series name and its time in ns, which never runs backwards; NULL behind the last one.
const char *kthreads_class(const struct kthreads *kthreads, int i, int64_t *ns);

#endif
