#!/usr/bin/env bash
# The ways of page-table pages on Debian's stock 6.1 kernel.
exec scripts/lab --kernel 6.1 --no-tiers --nodes fast=768M --timeout 2400 -- tests/lab/ptpath.sh
