#include "checkers/decide.h"

#include "checkers/epoch.h"
#include "checkers/search.h"
#include "checkers/zones.h"

namespace ordeal::checkers {

Decision decide_register(std::vector<RegisterOp> ops, std::size_t value_count,
                         const Budget& budget) {
  if (const auto valid = decide_by_zones(ops)) {
    return {*valid ? Decision::Answer::valid : Decision::Answer::invalid, {}};
  }
  drop_unobservable(ops, value_count);
  if (auto decision = decide_by_epochs(ops, value_count, budget)) return *std::move(decision);
  return decide_by_search(ops, budget);
}

}  // namespace ordeal::checkers
