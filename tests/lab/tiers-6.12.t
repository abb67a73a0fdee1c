#!/usr/bin/env bash
# The lab's slow tier and its exact counts of accesses, on Debian's stock 6.12 kernel.
exec tests/lab/tiers.sh 6.12
