#pragma once
// Workloads of users, as TOML: known functions, mixed by weight, in phases that come in turn,
// judged by a known checker. docs/custom-workload.md tells their authors.

#include <string>
#include <vector>

#include "core/result.h"
#include "workloads/workload.h"

namespace ordeal::workloads {

// What a request carries: a value as it stands, or one that is made when it is asked.
struct Template {
  enum class Kind {
    literal,
    unique,   // {unique}: 1, 2, 3, ... of the key, each once
    last,     // {last}: what an ok operation on the key showed last
    between,  // {1..10}: drawn
    list,
  };
  Kind kind = Kind::literal;
  Value literal;
  std::int64_t low = 0, high = 0;
  std::vector<Template> items;
};

struct Choice {
  Function function = Function::read;
  Template value;
  double weight = 1;
};

struct Phase {
  Nanoseconds time{};  // zero: to the end
  double rate = 0;     // requests a second over all clients; 0: as fast as they answer
  std::vector<Choice> mix;
};

struct Definition {
  std::string name;
  std::string check;  // which checker judges
  std::vector<Phase> phases;
  // Of WorkloadOptions, where the file says so.
  std::optional<std::size_t> keys, group, operations_per_key;
};

// Errors name file and line, and the known word that is nearest.
[[nodiscard]] Result<Definition> parse_workload(std::string_view text, const std::string& file);

[[nodiscard]] std::unique_ptr<Workload> make_custom(Definition definition,
                                                    const WorkloadOptions& options);

}  // namespace ordeal::workloads
