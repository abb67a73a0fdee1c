# what: a series over time, by system
# needs: a sampled series
# series: vmstat.pgfault
# height: 1.5
# panel height: 1.1
# legend: lines
# data values: time
# data marks_file: marks
eval over_time
