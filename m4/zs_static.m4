# ZS_STATIC: with --enable-static-programs, how to link programs that need no
# library at run time: to be loaded anywhere in memory where that works, and with
# their relocations packed, which saves half a megabyte of OpenSSL's. Call it after
# ZS_HARDENING.
AC_DEFUN([ZS_STATIC], [
  AC_REQUIRE([ZS_HARDENING])
  STATIC_LDFLAGS=
  AS_IF([test "x$enable_static_programs" != xno], [
    ZS_LDFLAG([-static-pie], [STATIC_LDFLAGS], [-fPIE])
    AS_IF([test "x$zs_cv_ldflag__static_pie" = xyes && test "x$zs_cv_ldflag__pie" = xyes],
      [ZS_LDFLAG([-Wl,-z,pack-relative-relocs], [STATIC_LDFLAGS])],
      [STATIC_LDFLAGS=' -static -no-pie'])
  ])
  AC_SUBST([STATIC_LDFLAGS])
])
