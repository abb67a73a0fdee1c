#!/usr/bin/env bash
# The truth about accesses against TPP and against samplers, on Debian's stock 6.12 kernel.
[[ -n ${MMPROF_LAB_ALL:-} ]] || { echo "1..0 # SKIP takes minutes: MMPROF_LAB_ALL=1 runs it"; exit 0; }
exec tests/lab/truth.sh 6.12
