# Our ratio to each server, for each load: CPU time above, throughput below.
width = 1000
height = 840
load common
set multiplot layout 2,1
set bmargin 4
set style data histogram
set style histogram clustered gap 1.5
set ytics ("1/16" -4, "1/8" -3, "1/4" -2, "1/2" -1, "1" 0, "2" 1, "4" 2, "8" 3, "16" 4, "32" 5, "64" 6, "128" 7)
set xtics scale 0
set xzeroaxis linecolor "#000000" linewidth 1.5 linetype 1
set yrange [-1.2:*]
set ylabel "times better than they are"
log2(x) = log(x) / log(2)
set title "CPU time for a request: theirs / ours (above 1 zombie-server is better)"
plot for [i=1:words(names(cpu))] cpu every ::1 using (log2(column(i + 1))):xticlabels(1) \
    linetype colour(cpu, i) title word(names(cpu), i)
set title "Requests a second: ours / theirs (above 1 zombie-server is better)"
plot for [i=1:words(names(rate))] rate every ::1 using (log2(column(i + 1))):xticlabels(1) \
    linetype colour(rate, i) title word(names(rate), i)
unset multiplot
