# Compiler settings of every target of ours, and the rule that a floor is a static library of all its sources.
add_library(ordeal_settings INTERFACE)
target_include_directories(ordeal_settings INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(ordeal_settings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Woverloaded-virtual -Werror -pthread)
# g++ 12 sees overflows in std::string where there are none (its PR105329 and PR105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(ordeal_settings INTERFACE -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow)
elseif(CMAKE_UNITY_BUILD)
  # clang takes a parameter for the shadow of a constant that only another file of the bundle knows.
  target_compile_options(ordeal_settings INTERFACE -Wno-shadow)
endif()

# Sanitizers are clang's: it compiles for them in two thirds of g++'s time, and two compilers read the code.
if(ORDEAL_SANITIZE STREQUAL "address")
  # Without four that cost much time to compile: a bad address is found by the address sanitizer all the same.
  add_compile_options(-fsanitize=address,undefined -fno-sanitize=null,alignment,object-size,vptr
    -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(ORDEAL_SANITIZE STREQUAL "fuzzer")
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(ORDEAL_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
endif()

# What nearly every file includes is compiled once: that halves a build. precompiled_tests adds the test framework.
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/precompiled.cc CONTENT "")
foreach(kind precompiled precompiled_tests)
  add_library(${kind} OBJECT ${CMAKE_BINARY_DIR}/precompiled.cc)
  target_link_libraries(${kind} PRIVATE ordeal_settings fmt::fmt tl::expected nlohmann_json::nlohmann_json)
  target_precompile_headers(${kind} PRIVATE <nlohmann/json.hpp> <fmt/format.h> <tl/expected.hpp> <algorithm>
    <chrono> <condition_variable> <filesystem> <functional> <map> <memory> <mutex> <optional> <string> <thread>
    <vector>)
endforeach()
target_precompile_headers(precompiled_tests PRIVATE <catch2/catch.hpp>)

# Files of a target are compiled several at a time (CMAKE_UNITY_BUILD of the presets), which shortens a build.
# These stay on their own: they use names for what only they know that a neighbour uses as well.
set(alone finding_page.cc report.cc store.cc terminal.cc trace.cc group_test.cc links_test.cc nemesis_test.cc
  targets_test.cc turns_test.cc composition_test.cc custom_test.cc register_test.cc)
function(ordeal_alone)
  foreach(source ${ARGN})
    get_filename_component(name ${source} NAME)
    if(name IN_LIST alone)
      set_source_files_properties(${source} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    endif()
  endforeach()
endfunction()

# ordeal_floor(NAME dependencies...): library ordeal_NAME of the .cc files in this folder.
function(ordeal_floor name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} *.cc)
  list(FILTER sources EXCLUDE REGEX "^(node|main)/")
  add_library(ordeal_${name} STATIC ${sources})
  target_link_libraries(ordeal_${name} PUBLIC ordeal_settings ${ARGN})
  target_precompile_headers(ordeal_${name} REUSE_FROM precompiled)
  ordeal_alone(${sources})
endfunction()
