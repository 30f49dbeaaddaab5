# Probes for single compiler and linker flags.

# ZS_CFLAG(FLAG, VARIABLE): append FLAG to VARIABLE when the compiler takes it.
# -Werror makes clang refuse a warning it does not know instead of noting it.
AC_DEFUN([ZS_CFLAG], [
  AS_VAR_PUSHDEF([cache], [zs_cv_cflag_$1])dnl
  AC_CACHE_CHECK([whether $CC accepts $1], [cache], [
    zs_saved_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -Werror $1"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
      [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
    CFLAGS=$zs_saved_CFLAGS
  ])
  AS_VAR_IF([cache], [yes], [AS_VAR_APPEND([$2], [" $1"])])
  AS_VAR_POPDEF([cache])dnl
])

# ZS_LDFLAG(FLAG, VARIABLE, [COMPILE-FLAG]): append FLAG to VARIABLE when a
# program compiled with COMPILE-FLAG links with it.
AC_DEFUN([ZS_LDFLAG], [
  AS_VAR_PUSHDEF([cache], [zs_cv_ldflag_$1])dnl
  AC_CACHE_CHECK([whether $CC links with $1], [cache], [
    zs_saved_CFLAGS=$CFLAGS
    zs_saved_LDFLAGS=$LDFLAGS
    CFLAGS="$CFLAGS $3"
    LDFLAGS="$LDFLAGS $1"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
      [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
    CFLAGS=$zs_saved_CFLAGS
    LDFLAGS=$zs_saved_LDFLAGS
  ])
  AS_VAR_IF([cache], [yes], [AS_VAR_APPEND([$2], [" $1"])])
  AS_VAR_POPDEF([cache])dnl
])

# ZS_WARNINGS: the warnings we write for, in WARN_CFLAGS; errors on request.
AC_DEFUN([ZS_WARNINGS], [
  AC_ARG_ENABLE([werror],
    [AS_HELP_STRING([--enable-werror], [turn compiler warnings into errors (for CI)])],
    [], [enable_werror=no])
  WARN_CFLAGS=
  m4_foreach_w([flag], [-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
                        -Wformat=2 -Wwrite-strings -Wundef -Wvla],
    [ZS_CFLAG(m4_defn([flag]), [WARN_CFLAGS])])
  AS_IF([test "x$enable_werror" = xyes], [AS_VAR_APPEND([WARN_CFLAGS], [" -Werror"])])
  AC_SUBST([WARN_CFLAGS])
])
