#!/usr/bin/env bash
# Systems under test on Debian's stock 6.1 kernel, with two memory tiers.
exec scripts/lab --kernel 6.1 --timeout 2400 -- tests/lab/system.sh
