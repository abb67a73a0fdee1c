# what: memory of the truly hot set, and of it in fast memory, over time
# needs: the lab's truth: scripts/lab --truth, mmprof truth import
# y: memory
# height: 1.5
# panel height: 1.1
# part: hot = truth.hot
# part: hot and in fast memory = truth.hot_fast
# part: in fast memory = truth.in_fast
# legend: lines
# data values: time
# data marks_file: marks
eval over_time
