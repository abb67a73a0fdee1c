#!/usr/bin/env bash
# Benchmarks on Debian's stock 6.12 kernel, with a fast and a slow memory tier.
exec scripts/lab --kernel 6.12 --timeout 2400 -- tests/lab/bench.sh
