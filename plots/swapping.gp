# what: the workload's memory over time: charged to it (merged pages once), swapped out; the machine's swap slots in use, what of it is in zswap, and the memory that zswap's pool takes
# needs: the samplers workload and swap
# y: memory
# height: 1.5
# panel height: 1.1
# part: charged = workload.cgroup.memory
# part: swapped out = workload.swap
# part: swap slots in use = swap.used
# part: their contents in zswap = zswap.Zswapped
# part: zswap's pool = zswap.Zswap
# legend: lines
# data values: time
# data marks_file: marks
eval over_time
