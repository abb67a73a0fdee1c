#!/usr/bin/env bash
# Swap, zswap and KSM as systems on Debian's stock 6.12 kernel, in a guest of 112 MiB with a disk.
[[ -n ${MMPROF_LAB_ALL:-} ]] || { echo "1..0 # SKIP new, and not yet run often enough to be trusted: MMPROF_LAB_ALL=1 runs it"; exit 0; }
exec scripts/lab --kernel 6.12 --no-tiers --nodes fast=256M --append mem=152M --disk 192M --timeout 400 -- tests/lab/ksm-zswap.sh
