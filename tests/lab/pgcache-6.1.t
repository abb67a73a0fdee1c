#!/usr/bin/env bash
# The page-table cache as a module, on Debian's stock 6.1 kernel.
exec tests/lab/pgcache.sh 6.1
