# what: page tables over time: the workload's and the machine's
# needs: the sampler pagetables
# y: page tables
# height: 1.5
# panel height: 1.1
# part: * = pagetables.*
# legend: lines
# data values: time
# data marks_file: marks
eval over_time
