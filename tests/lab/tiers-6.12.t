#!/usr/bin/env bash
# The lab's slow tier and its exact counts of accesses, on Debian's stock 6.12 kernel.
[[ -n ${MMPROF_LAB_ALL:-} ]] || { echo "1..0 # SKIP new in this form, and not yet run often enough to be trusted: MMPROF_LAB_ALL=1 runs it"; exit 0; }
exec tests/lab/tiers.sh 6.12
