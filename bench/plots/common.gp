# What all plots have in common. report/plots.py sets output_file and the data files.
set terminal svg size width,height enhanced font "Helvetica,13" background "#ffffff" dynamic
set output output_file
set datafile separator "\t"
set datafile missing "NaN"
set border 3 linecolor "#666666"
set tics nomirror textcolor "#333333"
set grid ytics linecolor "#dddddd" linetype 1
set key outside right top vertical Left reverse samplen 1.5 noautotitle
set style fill solid 0.9 noborder

# A colour for each server, the same in all plots; they can be told apart by everybody.
servers = "zombie-server nginx express node go gunicorn haproxy"
set linetype 1 linecolor "#d55e00" linewidth 3 pointtype 7
set linetype 2 linecolor "#0072b2" linewidth 1.5 pointtype 5
set linetype 3 linecolor "#009e73" linewidth 1.5 pointtype 9
set linetype 4 linecolor "#8fce6a" linewidth 1.5 pointtype 11
set linetype 5 linecolor "#56b4e9" linewidth 1.5 pointtype 13
set linetype 6 linecolor "#e6a800" linewidth 1.5 pointtype 4
set linetype 7 linecolor "#444444" linewidth 1.5 pointtype 6

# Which servers a data file has in its columns from the second one on.
names(file) = system("head -n 1 '" . file . "' | cut -f 2- | tr -d '\"' | tr '\t' ' '")
place(name) = sum [i=1:words(servers)] (word(servers, i) eq name ? i : 0)
colour(file, i) = place(word(names(file), i))
