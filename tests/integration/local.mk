# Shipped whole by dist-hook in Makefile.am; %D%/run starts pytest in `make check`.
