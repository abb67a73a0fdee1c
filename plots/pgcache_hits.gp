# what: page tables asked for under pgcache, a second, over time: served from the cache or not
# needs: a run under the system pgcache
# y: tables
# height: 1.5
# panel height: 1.1
# part: served = pgcache.pgd.hit + pgcache.p4d.hit + pgcache.pud.hit + pgcache.pmd.hit + pgcache.pte.hit
# part: none there = pgcache.pgd.miss_empty + pgcache.p4d.miss_empty + pgcache.pud.miss_empty + pgcache.pmd.miss_empty + pgcache.pte.miss_empty
# part: still in use = pgcache.pgd.miss_busy + pgcache.p4d.miss_busy + pgcache.pud.miss_busy + pgcache.pmd.miss_busy + pgcache.pte.miss_busy
# legend: lines
# data values: time
# data marks_file: marks
eval over_time
