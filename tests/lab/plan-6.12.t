#!/usr/bin/env bash
# An experiment with real settings that is killed, and one that brings the kernel down, on Debian's stock 6.12.
exec tests/lab/plan.sh 6.12
