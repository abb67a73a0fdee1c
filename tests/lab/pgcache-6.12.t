#!/usr/bin/env bash
# The page-table cache as a module, on Debian's stock 6.12 kernel.
exec tests/lab/pgcache.sh 6.12
