# what: rank correlation of a sampler's view with the true heat of pages (Spearman), over time
# needs: the lab's truth: scripts/lab --truth, mmprof truth import
# y: rank correlation
# height: 1.5
# panel height: 1.1
# part: * = truth.view.*.rank
# legend: lines
# data values: time
# data marks_file: marks
eval over_time
