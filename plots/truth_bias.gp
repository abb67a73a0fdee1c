# what: heat that a sampler sees in fast memory beyond what is there, as a share, over time
# needs: the lab's truth: scripts/lab --truth, mmprof truth import
# y: bias to fast memory
# height: 1.5
# panel height: 1.1
# part: * = truth.view.*.bias
# legend: lines
# data values: time
# data marks_file: marks
eval over_time
