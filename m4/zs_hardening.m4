# ZS_HARDENING: stack protector, PIE, read-only relocations and fortified libc
# calls, each only where it works. Call it after ZS_SANITIZERS.
AC_DEFUN([ZS_HARDENING], [
  AC_REQUIRE([ZS_SANITIZERS])
  AC_ARG_ENABLE([hardening],
    [AS_HELP_STRING([--disable-hardening], [build without the hardening flags])],
    [], [enable_hardening=yes])
  HARDEN_CFLAGS=
  HARDEN_LDFLAGS=
  AS_IF([test "x$enable_hardening" != xno], [
    ZS_CFLAG([-fstack-protector-strong], [HARDEN_CFLAGS])
    ZS_LDFLAG([-pie], [HARDEN_LDFLAGS], [-fPIE])
    AS_IF([test "x$zs_cv_ldflag__pie" = xyes], [AS_VAR_APPEND([HARDEN_CFLAGS], [" -fPIE"])])
    ZS_LDFLAG([-Wl,-z,relro], [HARDEN_LDFLAGS])
    ZS_LDFLAG([-Wl,-z,now], [HARDEN_LDFLAGS])
    # The sanitizers replace the same libc calls and see more.
    AS_IF([test "x$enable_sanitizers" = xno],
      [AC_DEFINE([ZOMBIE_FORTIFY], [1], [Define to 1 to check libc calls (_FORTIFY_SOURCE).])])
  ])
  AC_SUBST([HARDEN_CFLAGS])
  AC_SUBST([HARDEN_LDFLAGS])
])

# Not -D on the command line: only the compiler knows whether this very run
# optimises (without it glibc warns) and whether the distribution has already
# chosen a level.
AH_BOTTOM([#if defined ZOMBIE_FORTIFY && defined __OPTIMIZE__ && !defined _FORTIFY_SOURCE
#define _FORTIFY_SOURCE 2
#endif])
