#pragma once
// A folder for one test, and waiting for what another process does to it.

#include <filesystem>
#include <string>
#include <thread>

#include <catch2/catch.hpp>
#include <stdlib.h>

#include "core/file.h"
#include "core/time.h"

namespace ordeal::nemesis {

class Scratch {
 public:
  Scratch() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "ordeal-nemesis-XXXXXX").string();
    ORDEAL_CHECK(::mkdtemp(pattern.data()) != nullptr, "no folder for a test");
    path_ = pattern;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] std::string operator/(const std::string& name) const {
    return (path_ / name).string();
  }
  // Empty when there is no such file.
  [[nodiscard]] std::string read(const std::string& name) const {
    return read_file(path_ / name).value_or(std::string());
  }

 private:
  std::filesystem::path path_;
};

// False when it has not become true within ten seconds, which no machine needs.
template <class Condition>
[[nodiscard]] bool eventually(const Condition& condition) {
  const Deadline deadline = Deadline::after(10s);
  while (!condition()) {
    if (deadline.passed()) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

}  // namespace ordeal::nemesis
