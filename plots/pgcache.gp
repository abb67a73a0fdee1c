# what: page tables that pgcache keeps, over time, by level
# needs: a run under the system pgcache
# y: tables kept
# height: 1.5
# panel height: 1.1
# part: * = pgcache.*.free
# legend: lines
# data values: time
# data marks_file: marks
eval over_time
