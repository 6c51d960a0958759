# Run at every build (cmake -DSOURCE=dir -DHEADER=file -P): writes ORDEAL_COMMIT, touching the file only when it changed.
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND git describe --always --exclude=* --abbrev=10 --dirty=-modified WORKING_DIRECTORY ${SOURCE}
  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT commit)
  set(commit "unknown commit")
endif()
file(CONFIGURE OUTPUT ${HEADER} CONTENT "#define ORDEAL_COMMIT \"@commit@\"\n" @ONLY)
