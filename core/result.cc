#include "core/result.h"

#include <cstdio>
#include <cstdlib>

namespace ordeal {

void check_failed(const char* file, int line, const char* condition, std::string_view why) {
  fmt::print(stderr, "ordeal: a defect of ours at {}:{}: {} ({}). Please report it.\n", file, line,
             why, condition);
  std::fflush(stderr);
  std::abort();
}

}  // namespace ordeal
