#!/usr/bin/env bash
# Swap, zswap and KSM as systems on Debian's stock 6.12 kernel, in a guest of 112 MiB with a disk.
exec scripts/lab --kernel 6.12 --no-tiers --nodes fast=256M --append mem=152M --disk 192M --timeout 2400 -- tests/lab/ksm-zswap.sh
