#!/usr/bin/env bash
# Our tiering module on Debian's stock 6.12 kernel.
[[ -n ${MMPROF_LAB_ALL:-} ]] || { echo "1..0 # SKIP takes ten minutes: MMPROF_LAB_ALL=1 runs it"; exit 0; }
exec tests/lab/tiering.sh 6.12
