# The colours of Okabe and Ito, which people with any kind of colour vision tell apart, in an order in which neighbours
# differ in lightness too. In print without colour, hatching tells boxes apart, dashes lines, and shapes points.
array colour[8] = ['#c8c8c8', '#0072b2', '#e69f00', '#009e73', '#f0b4d4', '#56b4e9', '#d55e00', '#606060']
array stroke[8] = ['#000000', '#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#808080']
if (dark) {
	array colour[8] = ['#d8d8d8', '#3f9fe0', '#e69f00', '#1fbf95', '#e79cc4', '#8fd0ff', '#f0813c', '#8c8c8c']
	array stroke[8] = ['#ffffff', '#3f9fe0', '#e69f00', '#1fbf95', '#e79cc4', '#8fd0ff', '#f0813c', '#9c9c9c']
}
# patterns of the terminals, drawn over the colour; 0: none. A PDF's and an SVG's are wider.
array hatch[8] = [0, 0, 4, 0, 5, 1, 0, 4]
if (format eq 'pdf' || format eq 'svg') { array hatch[8] = [0, 0, 6, 0, 7, 2, 0, 6] }
array dash[8] = [1, 2, 1, 4, 3, 1, 5, 2]
array mark[8] = [6, 7, 4, 9, 12, 2, 1, 3]
do for [i=1:8] { set style line i lc rgb stroke[i] dt dash[i] lw data_width pt mark[i] ps 1.2 * point_size }
