#!/usr/bin/env bash
# Function probes, loss ledgers and crash safety on Debian's stock 6.1 kernel.
exec scripts/lab --kernel 6.1 --timeout 2400 -- tests/lab/guest.sh
