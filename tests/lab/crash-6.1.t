#!/usr/bin/env bash
# A kernel crash in the middle of a run, on Debian's stock 6.1 kernel.
exec tests/lab/crash.sh 6.1
