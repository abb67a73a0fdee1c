#!/usr/bin/env bash
# Our tiering module on Debian's stock 6.1 kernel.
exec tests/lab/tiering.sh 6.1
