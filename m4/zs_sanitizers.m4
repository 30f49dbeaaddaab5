# ZS_SANITIZERS: --enable-sanitizers (ASan and UBSan) and --enable-fuzzing
# (libFuzzer, which includes them: a fuzzer without them sees only crashes).
# Asked for and not working is an error: a test run must not claim what it did
# not do.
AC_DEFUN([ZS_SANITIZERS], [
  AC_ARG_ENABLE([sanitizers],
    [AS_HELP_STRING([--enable-sanitizers],
      [build with the address and undefined-behaviour sanitizers])],
    [], [enable_sanitizers=no])
  AC_ARG_ENABLE([fuzzing],
    [AS_HELP_STRING([--enable-fuzzing],
      [build the libFuzzer programs of tests/fuzz (clang only, implies --enable-sanitizers)])],
    [], [enable_fuzzing=no])
  AS_IF([test "x$enable_fuzzing" != xno], [enable_fuzzing=yes enable_sanitizers=yes])

  SAN_CFLAGS=
  AS_IF([test "x$enable_sanitizers" != xno], [
    enable_sanitizers=yes
    SAN_CFLAGS=" -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
  ])
  AS_IF([test "x$enable_fuzzing" = xyes], [AS_VAR_APPEND([SAN_CFLAGS], [" -fsanitize=fuzzer-no-link"])])
  AS_IF([test "x$SAN_CFLAGS" != x], [
    AC_MSG_CHECKING([whether $CC links with$SAN_CFLAGS])
    zs_saved_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS$SAN_CFLAGS"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [AC_MSG_RESULT([yes])],
      [AC_MSG_RESULT([no])
       AC_MSG_ERROR([$CC cannot build with$SAN_CFLAGS (fuzzing needs CC=clang and its compiler-rt)])])
    CFLAGS=$zs_saved_CFLAGS
  ])
  AC_SUBST([SAN_CFLAGS])
  AM_CONDITIONAL([FUZZING], [test "x$enable_fuzzing" = xyes])
])
