# what: part of the pages that a sampler took for hot that truly are, over time
# needs: the lab's truth: scripts/lab --truth, mmprof truth import
# y: precision
# height: 1.5
# panel height: 1.1
# part: * = truth.view.*.precision
# legend: lines
# data values: time
# data marks_file: marks
eval over_time
