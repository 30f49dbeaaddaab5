# The share of requests that are lost, for each rate of deaths.
width = 1000
height = 760
load common
set multiplot layout 2,1
set style data histogram
set style histogram clustered gap 1.2
set yrange [0:112]
set ytics 0, 25, 100
set xtics scale 0
set ylabel "requests lost, %"
share(y) = y == 0 ? "0" : y < 0.1 ? sprintf("%.2f", y) : y < 10 ? sprintf("%.1f", y) : sprintf("%.0f", y)
do for [way in "signals calls"] {
    file = value(way)
    n = words(names(file))
    shift(i) = (i - (n + 1) / 2.0) / (n + 1.2)
    set title way eq "signals" ? "Workers get SIGKILL, so many times" : "/workerKiller is called, so many times"
    plot for [i=1:n] file every ::1 using i + 1:xticlabels(1) \
             linetype colour(file, i) title word(names(file), i), \
         for [i=1:n] file every ::1 using ($0 + shift(i)):(column(i + 1)):(share(column(i + 1))) \
             with labels offset 0,0.6 font ",11" textcolor "#333333" notitle
}
unset multiplot
