# What all figures share: two thin axes, a light grid for the eye, no box around, the legend above.
set encoding utf8
set datafile separator "\t"
set datafile missing 'NaN'
set border 3 lw 0.5 lc rgb ink
set tics nomirror out scale 0.4 textcolor rgb ink
set grid ytics lt 1 lc rgb faint lw 0.4 dt 1
set errorbars small
set lmargin at screen left
set rmargin at screen right
set bmargin at screen bottom
set tmargin at screen top
set ylabel textcolor rgb ink offset 0.4,0
set xlabel textcolor rgb ink
unset key
# where a bar is missing, as its slot is wide enough for
no_data = slot_em >= 0.75 ? 'no data' : '×'
no_data_font = sprintf(',%g', 0.73 * font_size)
# intervals: `with vectors arrowstyle 9`, from low to high
set style arrow 9 heads size screen 0.22 * char_x,90 lc rgb ink lw 0.6
hatched = plain ? 0 : lines
if (plain) {
	unset grid
	set style arrow 9 nohead
}
# an x axis of named groups: `eval slots`. A few bars don't fill it.
slots = "axis_length = groups + 0.2 > 4.0 / systems ? groups + 0.2 : 4.0 / systems; \
set xrange [(groups + 1 - axis_length) / 2 : (groups + 1 + axis_length) / 2]; \
if (label_angle) { set xtics scale 0 rotate by label_angle right } else { set xtics scale 0 norotate center }; \
set xtics (); do for [i=1:groups] { set xtics add (group[i] i) }"
mod8(i) = (i - 1) % 8 + 1

# The legend, drawn by hand so that hatched boxes look as they do in the figure and columns fit whatever the script.
# `eval no_legend` after the first of several plots.
no_legend = 'unset label; unset arrow; unset object'
lx(i) = legend_x + ((i - 1) % legend_columns) * legend_pitch
ly(i) = legend_y - ((i - 1) / legend_columns) * 1.2 * char_y
if (plain && legend ne 'none') {
	set key at screen 0.5, screen 1 center top horizontal maxcols legend_columns maxrows 99 noautotitle
} else { if (legend ne 'none') {
	do for [i=1:lines] {
		set label (1000 + i) line[i] at screen lx(i) + legend_sample + 0.5 * char_x, screen ly(i) left textcolor rgb ink
	}
} }
if (!plain && legend eq 'boxes') {
	do for [i=1:lines] {
		set object (1000 + 2 * i) rectangle from screen lx(i), screen ly(i) - 0.32 * char_y to screen lx(i) + legend_sample, screen ly(i) + 0.32 * char_y \
			fillcolor rgb colour[mod8(i)] fillstyle solid border rgb ink lw 0.4
		if (hatch[mod8(i)]) {
			set object (1001 + 2 * i) rectangle from screen lx(i), screen ly(i) - 0.32 * char_y to screen lx(i) + legend_sample, screen ly(i) + 0.32 * char_y \
				fillcolor rgb ink fillstyle transparent pattern hatch[mod8(i)] border rgb ink lw 0.4
		}
	}
}
if (!plain && (legend eq 'lines' || legend eq 'linespoints')) {
	do for [i=1:lines] {
		set arrow (1000 + i) from screen lx(i), screen ly(i) to screen lx(i) + legend_sample, screen ly(i) nohead ls mod8(i)
	}
}
if (!plain && (legend eq 'points' || legend eq 'linespoints')) {
	do for [i=1:lines] {
		set label (2000 + i) '' at screen lx(i) + legend_sample / 2, screen ly(i) point ls mod8(i)
	}
}
