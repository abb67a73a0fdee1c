#!/usr/bin/env bash
# Function probes, loss ledgers and crash safety on Debian's stock 6.12 kernel.
exec scripts/lab --kernel 6.12 --timeout 2400 -- tests/lab/guest.sh
