# what: part of the truly hot pages that a sampler found, over time
# needs: the lab's truth: scripts/lab --truth, mmprof truth import
# y: recall
# height: 1.5
# panel height: 1.1
# part: * = truth.view.*.recall
# legend: lines
# data values: time
# data marks_file: marks
eval over_time
