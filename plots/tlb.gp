# what: TLB flushes by reason
# needs: the probe tlb_flush_count
# y: TLB flushes
# height: 1.6
# legend: boxes
# part: * = tlb_flush_count=*@all.count
# data parts: parts common
eval stacked
