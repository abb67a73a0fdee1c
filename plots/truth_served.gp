# what: part of the workload's memory accesses that fast memory served, and would serve under an oracle with as much of it
# needs: the lab's truth: scripts/lab --truth, mmprof truth import
# y: served by fast memory
# height: 1.5
# panel height: 1.1
# part: truth = truth.fast_share
# part: oracle = truth.oracle_share
# legend: lines
# data values: time
# data marks_file: marks
eval over_time
