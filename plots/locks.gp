# what: mmap_lock: time in all waits and holds, and their 99th percentile
# needs: the probe mmap_lock
# columns: 1
# panel height: 1.2
# legend: boxes
# part: read wait = mmap_lock/read wait
# part: write wait = mmap_lock/write wait
# part: read hold = mmap_lock/read hold
# part: write hold = mmap_lock/write hold
# data tails: parts absolute .p99
# data totals: parts common .total
# y room: 3.8
# panels: total; 99th percentile
# y: total time
set datafile columnheaders
half = slot * 0.46
of(i) = column("part") == i ? column("x") : NaN
x_title = ''
panel[1] = y_title
panel[2] = '99th percentile'
y_title = ''
set yrange [0:*]
eval panels_begin
p = 1
eval panel_begin
eval slots
plot for [i=1:lines] totals using (of(i)):(column("y_low")):(of(i) - half):(of(i) + half):(column("y_low")):(column("y_high")) with boxxyerror \
		fillstyle solid border rgb ink fillcolor rgb colour[mod8(i)] lw 0.4 title line[i], \
	for [i=1:hatched] totals using (of(i)):(column("y_low")):(of(i) - half):(of(i) + half):(column("y_low")):(hatch[mod8(i)] ? column("y_high") : column("y_low")) \
		with boxxyerror fillstyle transparent pattern hatch[mod8(i)] border rgb ink fillcolor rgb ink lw 0.4, \
	totals using (column("y_high") >= 0 ? NaN : of(1)):(0):(no_data) with labels rotate by no_data_angle left offset 0,0.34 / tall textcolor rgb ink font no_data_font
p = 2
eval panel_begin
eval slots
set logscale y
set format y '%.0s %cs'
set yrange [*:*]
plot for [i=1:lines] tails using (of(i) + (i - 2.5) * half / 2):(column("median") * 1e-9) with points pt mark[i] ps 1.6 * point_size lc rgb stroke[i] lw 0.8
unset multiplot
