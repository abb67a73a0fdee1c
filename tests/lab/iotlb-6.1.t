#!/usr/bin/env bash
# Flushes of the I/O TLB on Debian's stock 6.1 kernel, with an emulated Intel IOMMU.
exec scripts/lab --kernel 6.1 --nodes fast=512M --no-tiers --iommu --append 'intel_iommu=on iommu.strict=1' --timeout 2400 -- tests/lab/iotlb.sh
