# what: invalidations given to an Intel IOMMU, by kind and granularity
# needs: the probe qi_submit
# y: invalidations
# height: 1.6
# legend: boxes
# part: * = qi_submit=*@all.count
# data parts: parts common
eval stacked
