# How cost grows: with the workers above, with the connections below.
width = 1150
height = 820
load common
set multiplot layout 2,2
set style data linespoints
set logscale xy
set grid xtics
set xlabel "workers"
set xtics (1, 4, 16, 64)
set xrange [0.9:72]
set title "Start until all are there and one answers, ms"
plot for [i=1:words(names(start))] start every ::1 using 1:i + 1 \
    linetype colour(start, i) title word(names(start), i)
set title "Memory of all processes (PSS), MiB"
plot for [i=1:words(names(pss))] pss every ::1 using 1:i + 1 \
    linetype colour(pss, i) title word(names(pss), i)
set xlabel "connections"
set xtics ("1" 1, "10" 10, "100" 100, "1,000" 1000, "10,000" 10000)
set xrange [0.8:26000]
set title "CPU time for a request, microseconds"
plot for [i=1:words(names(cpu))] cpu every ::1 using 1:i + 1 \
    linetype colour(cpu, i) title word(names(cpu), i)
set title "Memory more than before they asked, MiB"
set xtics (100, "1,000" 1000, "10,000" 10000)
set xrange [80:26000]
plot for [i=1:words(names(memory))] memory every ::1 \
    using 1:(column(i + 1) > 0 ? column(i + 1) / 1024 : NaN) \
    linetype colour(memory, i) title word(names(memory), i)
unset multiplot
