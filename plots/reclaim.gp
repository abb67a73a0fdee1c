# what: pages that reclaim looked at, by who did, and that went to zswap and to the swap device, a second, over time
# needs: the sampler vmstat
# y: reclaim
# height: 1.5
# panel height: 1.1
# part: kswapd = vmstat.pgscan_kswapd
# part: direct = vmstat.pgscan_direct
# part: to zswap = vmstat.zswpout
# part: to the device = vmstat.pswpout
# legend: lines
# data values: time
# data marks_file: marks
eval over_time
