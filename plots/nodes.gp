# what: memory in use on each NUMA node over time
# needs: the sampler nodes
# y: memory in use
# height: 1.5
# panel height: 1.1
# part: node * = node*.MemUsed
# legend: lines
# data values: time
# data marks_file: marks
eval over_time
