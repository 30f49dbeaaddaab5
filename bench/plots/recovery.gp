# Every single recovery, and the median of each server.
width = 900
height = 420
load common
unset key
set logscale y
stats medians using 1 nooutput
set xrange [-0.6:STATS_max + 0.6]
set xtics scale 0
set ylabel "ms, logarithmic"
set title "kill -9 of the only worker: time until a fresh request is answered\n{/*0.85 each point a kill, the line their median}"
jitter(x) = x + 0.3 * (rand(0) - 0.5)
plot medians using ($1 - 0.22):3:(0.44):(0) with vectors nohead linewidth 3 linecolor "#777777", \
     medians using 1:3:xticlabels(2) with points pointtype 0 linecolor "#777777", \
     kills using (jitter($1)):2:(place(stringcolumn(3))) with points pointtype 7 pointsize 0.5 linecolor variable, \
     medians using ($1 + 0.25):3:(sprintf($3 < 100 ? "%.3g ms" : "%.0f ms", $3)) with labels left textcolor "#333333"
