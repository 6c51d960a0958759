#include "workloads/final_reads.h"

namespace ordeal::workloads {
namespace {

constexpr std::size_t final_keys_max = 500;
constexpr std::size_t final_readers_max = 10;

// All of them, or an even spread that ends with the last.
std::vector<Value> spread(const std::vector<Value>& keys, std::size_t most) {
  if (keys.size() <= most) return keys;
  std::vector<Value> chosen;
  for (std::size_t i = 1; i <= most; ++i) chosen.push_back(keys[i * keys.size() / most - 1]);
  return chosen;
}

}  // namespace

Generator final_reads(Function function, const std::vector<Value>& touched) {
  const std::vector<Value> keys = spread(touched, final_keys_max);
  return per_worker([keys, function](std::size_t worker) {
    if (worker >= final_readers_max || keys.empty()) return Generator();
    std::vector<Request> reads;
    const std::size_t first = worker * keys.size() / final_readers_max;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      reads.push_back({function, keys[(first + i) % keys.size()], Value()});
    }
    return each(std::move(reads));
  });
}

}  // namespace ordeal::workloads
