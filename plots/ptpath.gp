# what: page-table pages taken and released, by level, a second, over time
# needs: the probe ptpath
# y: page-table pages
# height: 1.5
# panel height: 1.1
# part: * = ptpath.*
# legend: lines
# data values: time
# data marks_file: marks
eval over_time
