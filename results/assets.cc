#include "results/assets.h"

// The assembler copies the files in; CMake names them and makes this file depend on them.
#define ORDEAL_ASSET(name, file)                                                        \
  __asm__(                                                                              \
      ".pushsection .rodata\n"                                                          \
      "ordeal_asset_" #name ":\n.incbin \"" file                                        \
      "\"\n"                                                                            \
      "ordeal_asset_" #name "_end:\n.byte 0\n.popsection\n");                           \
  extern "C" {                                                                          \
  extern const char ordeal_asset_##name[];                                              \
  extern const char ordeal_asset_##name##_end[];                                        \
  }                                                                                     \
  namespace ordeal::results {                                                           \
  std::string_view asset_##name() {                                                     \
    return {ordeal_asset_##name,                                                        \
            static_cast<std::size_t>(ordeal_asset_##name##_end - ordeal_asset_##name)}; \
  }                                                                                     \
  }

ORDEAL_ASSET(style, ORDEAL_WEB "/style.css")
ORDEAL_ASSET(report, ORDEAL_WEB "/report.js")
ORDEAL_ASSET(timeline, ORDEAL_WEB "/timeline.js")
ORDEAL_ASSET(trace, ORDEAL_WEB "/trace.js")
ORDEAL_ASSET(index, ORDEAL_WEB "/index.js")
ORDEAL_ASSET(dygraphs, ORDEAL_DYGRAPHS "/dygraph.min.js")
ORDEAL_ASSET(dygraphs_style, ORDEAL_DYGRAPHS "/dygraph.min.css")
