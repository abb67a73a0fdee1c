# what: share of the workload's memory that is in the fastest memory tier, over time
# needs: the sampler residency on a machine with memory tiers
# y: memory in the fast tier
# height: 1.5
# panel height: 1.1
# part: fast = fast workload.node* / workload.node*
# legend: lines
# data values: time
# data marks_file: marks
eval over_time
