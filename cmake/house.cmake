# Compiler settings of every target of ours, and the rule that a floor is a static library of all its sources.
add_library(ordeal_settings INTERFACE)
target_include_directories(ordeal_settings INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(ordeal_settings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Woverloaded-virtual -Werror)

# Under sanitizers g++ 12 takes members of std::optional for uninitialized where they are not.
if(ORDEAL_SANITIZE)
  add_compile_options(-Wno-maybe-uninitialized)
endif()
if(ORDEAL_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(ORDEAL_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
endif()

# ordeal_floor(NAME dependencies...): library ordeal_NAME of the .cc files in this folder.
function(ordeal_floor name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} *.cc)
  list(FILTER sources EXCLUDE REGEX "^(node|main)/")
  add_library(ordeal_${name} STATIC ${sources})
  target_link_libraries(ordeal_${name} PUBLIC ordeal_settings ${ARGN})
  # What nearly every file includes, compiled once. It halves the time of a build.
  target_precompile_headers(ordeal_${name} PRIVATE <nlohmann/json.hpp> <fmt/format.h> <tl/expected.hpp>
    <algorithm> <chrono> <condition_variable> <filesystem> <functional> <map> <memory> <mutex> <optional>
    <string> <thread> <vector>)
endfunction()
