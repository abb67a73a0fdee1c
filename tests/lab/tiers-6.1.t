#!/usr/bin/env bash
# The lab's slow tier and its exact counts of accesses, on Debian's stock 6.1 kernel.
exec tests/lab/tiers.sh 6.1
