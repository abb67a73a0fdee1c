# What all figures share: two thin axes, a light grid for the eye, no box around, the legend above.
set encoding utf8
# gnuplot's unit "character" is not the same in all terminals: how many ems it is high, and wide
tall = format eq 'svg' ? 1.5 : plain ? 1 : 1.12
wide = format eq 'svg' ? 0.7 : plain ? 0.5 : 0.56
set datafile separator "\t"
set datafile missing 'NaN'
set border 3 lw 0.5 lc rgb ink
set tics nomirror out scale 0.4 textcolor rgb ink
title_drop = format eq 'svg' ? 1.15 : 0.8
tic_lift = format eq 'svg' ? 0.3 : 0 # that terminal puts the numbers of the x axis lower
set xtics offset 0,tic_lift
set grid ytics lt 1 lc rgb faint lw 0.4 dt 1
set errorbars small
set lmargin at screen left
set rmargin at screen right
set bmargin at screen bottom
set tmargin at screen top
unset key
# where a bar is missing, as its slot is wide enough for
no_data = slot_em >= 0.75 ? 'no data' : '–'
no_data_angle = slot_em >= 0.75 ? 90 : 0
no_data_font = sprintf(',%g', 0.73 * font_size)
# intervals: `with vectors arrowstyle 9`, from low to high
set style arrow 9 heads size screen 0.22 * char_x,90 lc rgb ink lw 0.6
hatched = plain ? 0 : lines
if (plain) {
	unset grid
	set style arrow 9 nohead
}
# the axes' titles: `eval y_axis`, `eval below`. A terminal can't turn text.
on_top = "set label 998 y_title at screen 0.01, screen 1 - 0.5 * char_y left"
on_side = "set label 998 y_title at screen 0.9 * char_x, screen (bottom + top) / 2 center rotate by 90 textcolor rgb ink"
below = "set label 999 x_title at screen (left + right) / 2, screen 0.6 * char_y center textcolor rgb ink"
y_axis = plain ? on_top : on_side
# an x axis of named groups, and under their bars the systems if the legend is of something else: `eval slots`. A few
# bars don't fill it.
slot_font = sprintf(',%g', 0.85 * font_size)
slots = "axis_length = groups + 0.2 > 4.0 / bars_per_group ? groups + 0.2 : 4.0 / bars_per_group; \
set xrange [(groups + 1 - axis_length) / 2 : (groups + 1 + axis_length) / 2]; \
if (label_angle) { set xtics scale 0 rotate by label_angle right } else { set xtics scale 0 norotate center }; \
set xtics () offset 0, tic_lift - slot_drop / tall; do for [i=1:groups] { set xtics add (group[i] i) }; \
if (slot_names) { eval under_bars }"
under_bars = "do for [i=1:groups] { do for [s=1:slot_names] { \
if (slot_upright) { set label slot_name[s] at first i + (s - (slot_names + 1) / 2.0) * slot, graph 0 offset 0,-0.45 / tall right rotate by 90 font slot_font textcolor rgb ink } \
else { set label slot_name[s] at first i + (s - (slot_names + 1) / 2.0) * slot, graph 0 offset 0,-0.9 / tall center font slot_font textcolor rgb ink } } }"
# several plots of one kind: `eval panels_begin`, and in each `eval panel_begin`, with p its number
panels_begin = "set multiplot layout panel_rows,panel_columns margins left,right,bottom,top spacing gap_x,gap_y; \
eval y_axis; eval below"
panel_begin = "if (p > 1) { eval no_legend }; set title panel[p] offset 0,-title_drop / tall textcolor rgb ink"
# the body of a figure over time: `eval over_time`; its data are `time` and `marks`. Thin: each run; thick: their median.
over_time = "eval panels_begin; do for [p=1:panels] { eval panel_begin; \
set xrange [0:panel_end[p] * x_scale]; set yrange [y_least:panel_most[p] * y_scale]; eval phase_marks; \
plot for [i=1:lines] values index 2 * ((p - 1) * lines + i - 1) using ($1 * x_scale):($2 * y_scale) skip 1 with lines \
lc rgb stroke[mod8(i)] dt 1 lw 0.35 * data_width, \
for [i=1:lines] values index 2 * ((p - 1) * lines + i - 1) + 1 using ($1 * x_scale):($2 * y_scale) skip 1 with lines \
ls mod8(i) lw 1.2 * data_width title line[i] }; unset multiplot"
# the body of a figure of bars that are sums of parts: `eval stacked`; its data are `parts`
of_part(i) = column('part') == i ? column('x') : NaN
stacked = "set datafile columnheaders; eval slots; eval y_axis; set yrange [0:*]; half = slot * 0.46; \
plot for [i=1:lines] parts using (of_part(i)):(column('y_low')):(of_part(i) - half):(of_part(i) + half):(column('y_low')):(column('y_high')) \
with boxxyerror fillstyle solid border rgb ink fillcolor rgb colour[mod8(i)] lw 0.4 title line[i], \
for [i=1:hatched] parts using (of_part(i)):(column('y_low')):(of_part(i) - half):(of_part(i) + half):(column('y_low')):(hatch[mod8(i)] ? column('y_high') : column('y_low')) \
with boxxyerror fillstyle transparent pattern hatch[mod8(i)] border rgb ink fillcolor rgb ink lw 0.4, \
parts using (column('y_high') >= 0 ? NaN : of_part(1)):(0):(no_data) with labels rotate by no_data_angle left offset 0,0.34 / tall textcolor rgb ink font no_data_font"
if (!exists('x_title')) { x_title = '' }
if (!exists('y_title')) { y_title = '' }
# an axis of latencies: `eval latency_x` or `eval latency_y`. Every decade is named, or every second one...; of few
# decades also 2 and 5.
latency_x = "set logscale x; set format x '%.0s %cs'; set xrange [least_s:most_s]; decades = log10(most_s / least_s); \
set xtics 10 ** ceil(decades * 3.7 / panel_em); if (decades < 1.8) { set xtics (); do for [e=-10:3] { do for [m in '1 2 5'] { \
set xtics add (gprintf('%.0s %cs', m * 10.0 ** e) m * 10.0 ** e) } } }"
latency_y = "set logscale y; set format y '%.0s %cs'; set yrange [least_s:most_s]; decades = log10(most_s / least_s); \
if (decades < 1.8) { set ytics (); do for [e=-10:3] { do for [m in '1 2 5'] { \
set ytics add (gprintf('%.0s %cs', m * 10.0 ** e) m * 10.0 ** e) } } }"
# a scale of colours in the legend's place: `eval colour_scale`
colour_scale = "if (dark) { set palette defined (0 paper, 0.02 '#25283f', 0.1 '#3b3f8f', 0.4 '#b5367a', 1 '#fcfdbf') } \
else { set palette defined (0 paper, 0.02 '#deebf7', 0.1 '#9ecae1', 0.4 '#4292c6', 1 '#08306b') }; \
set colorbox horizontal user origin screen left + 0.55 * (right - left), screen 1 - 0.9 * char_y size screen 0.4 * (right - left), 0.5 * char_y noborder; \
set cbrange [0:colour_most]; set cbtics scale 0 offset 0,0.67 / tall + tic_lift colour_step; \
set label 997 colour_title at screen left + 0.53 * (right - left), screen 1 - 0.7 * char_y right textcolor rgb ink"
round_step(x) = x > 5 ? 10 : x > 2 ? 5 : x > 1 ? 2 : 1
colour_step = exists('colour_most') ? round_step(colour_most / 5 / 10**floor(log10(colour_most / 5))) * 10**floor(log10(colour_most / 5)) : 1
# the workload's own marks in figures over time: `eval phase_marks` in panel p
phase_marks = "do for [m=1:marks] { if (mark_panel[m] == p) { \
set arrow from first mark_x[m] * x_scale, graph 0 to first mark_x[m] * x_scale, graph 1 nohead lc rgb ink lw 0.4 dt (2,4); \
set label mark_name[m] at first mark_x[m] * x_scale, graph 0.98 offset 0.3 / wide,0 right rotate by 90 font no_data_font textcolor rgb ink boxed front } }"
set style textbox opaque margins 0.3,0.3 fillcolor rgb paper noborder
mod8(i) = (i - 1) % 8 + 1

if (!exists('line_offset')) { line_offset = 0 } # the legend's first entry has the style after this one

# The legend, drawn by hand so that hatched boxes look as they do in the figure and columns fit whatever the script.
# `eval no_legend` after the first of several plots.
no_legend = 'unset label; unset arrow; unset object'
lx(i) = legend_x + ((i - 1) % legend_columns) * legend_pitch
ly(i) = legend_y - ((i - 1) / legend_columns) * 1.2 * char_y
if (plain && legend ne 'none') {
	set key at screen 0.5, screen 1 - char_y center top horizontal maxcols legend_columns maxrows 99 noautotitle
} else { if (legend ne 'none') {
	do for [i=1:lines] {
		set label (1000 + i) line[i] at screen lx(i) + legend_sample + 0.5 * char_x, screen ly(i) left textcolor rgb ink
	}
} }
if (!plain && legend eq 'boxes') {
	do for [i=1:lines] {
		set object (1000 + 2 * i) rectangle from screen lx(i), screen ly(i) - 0.32 * char_y to screen lx(i) + legend_sample, screen ly(i) + 0.32 * char_y \
			fillcolor rgb colour[mod8(i + line_offset)] fillstyle solid border rgb ink lw 0.4
		if (hatch[mod8(i + line_offset)]) {
			set object (1001 + 2 * i) rectangle from screen lx(i), screen ly(i) - 0.32 * char_y to screen lx(i) + legend_sample, screen ly(i) + 0.32 * char_y \
				fillcolor rgb ink fillstyle transparent pattern hatch[mod8(i + line_offset)] border rgb ink lw 0.4
		}
	}
}
if (!plain && (legend eq 'lines' || legend eq 'linespoints')) {
	do for [i=1:lines] {
		set arrow (1000 + i) from screen lx(i), screen ly(i) to screen lx(i) + legend_sample, screen ly(i) nohead ls mod8(i + line_offset)
	}
}
if (!plain && (legend eq 'points' || legend eq 'linespoints')) {
	do for [i=1:lines] {
		set label (2000 + i) '' at screen lx(i) + legend_sample / 2, screen ly(i) point ls mod8(i + line_offset)
	}
}
