#include "nemesis/node_program.h"

// ORDEAL_NODE_PROGRAM is the path of the built program, from CMakeLists.txt.
__asm__(
    ".pushsection .rodata\n"
    ".balign 16\n"
    ".globl ordeal_node_program_begin\n"
    ".globl ordeal_node_program_end\n"
    "ordeal_node_program_begin:\n"
    ".incbin \"" ORDEAL_NODE_PROGRAM
    "\"\n"
    "ordeal_node_program_end:\n"
    ".popsection\n");

extern "C" {
extern const char ordeal_node_program_begin[];
extern const char ordeal_node_program_end[];
}

namespace ordeal::nemesis {

std::string_view node_program() {
  return {ordeal_node_program_begin,
          static_cast<std::size_t>(ordeal_node_program_end - ordeal_node_program_begin)};
}

}  // namespace ordeal::nemesis
