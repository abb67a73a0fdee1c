# what: pages over time: freed by KSM, looked at and found alone of their kind, and changing too often to be merged
# needs: the sampler ksm
# y: pages
# height: 1.5
# panel height: 1.1
# part: pages freed by merging = ksm.pages_sharing
# part: looked at, alike no other = ksm.pages_unshared
# part: changed too often = ksm.pages_volatile
# legend: lines
# data values: time
# data marks_file: marks
eval over_time
