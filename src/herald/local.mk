# Folder src/herald: the role that resolves names and checks servers.
libzombie_a_SOURCES += \
	%D%/check.c %D%/check.h \
	%D%/check_http.c %D%/check_http.h \
	%D%/checks.c %D%/checks.h \
	%D%/found.c %D%/found.h \
	%D%/herald.c %D%/herald.h \
	%D%/hosts.c %D%/hosts.h \
	%D%/names.c %D%/names.h \
	%D%/renewal.c %D%/renewal.h \
	%D%/resolver.c %D%/resolver.h
