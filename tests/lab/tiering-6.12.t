#!/usr/bin/env bash
# Our tiering module on Debian's stock 6.12 kernel; the longer form with MMPROF_LAB_ALL=1.
exec tests/lab/tiering.sh 6.12
