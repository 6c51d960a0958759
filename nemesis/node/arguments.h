#pragma once
// The command line of the program for nodes: --name value pairs, and nothing else.

#include <cstdlib>
#include <map>
#include <string>

namespace ordeal::node {

class Arguments {
 public:
  // False when something is no pair.
  bool parse(int count, char** words) {
    for (int i = 0; i < count; i += 2) {
      const std::string name = words[i];
      if (i + 1 == count || name.size() < 3 || name.substr(0, 2) != "--") return false;
      values_[name.substr(2)] = words[i + 1];
    }
    return true;
  }
  [[nodiscard]] bool has(const std::string& name) const { return values_.count(name) != 0; }
  [[nodiscard]] std::string text(const std::string& name, const std::string& otherwise = "") const {
    const auto found = values_.find(name);
    return found == values_.end() ? otherwise : found->second;
  }
  [[nodiscard]] long long integer(const std::string& name, long long otherwise = 0) const {
    const auto found = values_.find(name);
    return found == values_.end() ? otherwise : std::strtoll(found->second.c_str(), nullptr, 10);
  }
  [[nodiscard]] double number(const std::string& name, double otherwise = 0) const {
    const auto found = values_.find(name);
    return found == values_.end() ? otherwise : std::strtod(found->second.c_str(), nullptr);
  }

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace ordeal::node
