#include "results/trace.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>

#include <zlib.h>

#include "results/text.h"

namespace ordeal::results {

namespace {

constexpr std::size_t longest_value = 80;
constexpr std::size_t longest_error = 300;
constexpr std::size_t most_errors = 5'000;  // of different texts; later ones share the last name

std::int64_t microseconds(Nanoseconds time) { return within_reason(time).count() / 1000; }

void put(std::string& to, std::uint64_t number) {
  while (number >= 0x80) {
    to += static_cast<char>(0x80U | (number & 0x7fU));
    number >>= 7U;
  }
  to += static_cast<char>(number);
}

void put_signed(std::string& to, std::int64_t number) {
  put(to, (static_cast<std::uint64_t>(number) << 1U) ^ static_cast<std::uint64_t>(number >> 63));
}

std::string base64(const std::string& bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve(bytes.size() / 3 * 4 + 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      const auto byte = i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U;
      group = group << 8U | byte;
    }
    for (std::size_t k = 0; k < 4; ++k) {
      const bool padding = i + k > bytes.size();
      text += padding ? '=' : digits[group >> (18U - 6U * k) & 63U];
    }
  }
  return text;
}

std::string deflated(const std::string& bytes) {
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  std::string packed(size, '\0');
  const int done =
      compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
                reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uLong>(bytes.size()), 6);
  ORDEAL_CHECK(done == Z_OK, "zlib compresses into a buffer of its own bound");
  packed.resize(size);
  return packed;
}

void put_value(std::string& to, const Value& value) {
  if (const auto* integer = value.as_integer()) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), *integer);
    to.append(digits.data(), end.ptr);
  } else {
    to += clean(to_text(value), longest_value);
  }
}

struct Lanes {
  std::vector<std::uint32_t> of;  // of each operation
  std::vector<Process> first;     // of each lane, the process that it began with: its name
};

// Processes that never act at the same time share a lane: a worker goes on under a new number when
// an outcome is unknown.
Lanes lanes_of(const std::vector<Operation>& ops, std::size_t count) {
  std::unordered_map<Process, EventIndex> last;
  for (std::size_t i = 0; i < count; ++i)
    last[ops[i].process] =
        std::max(ops[i].invoked, ops[i].completed == never ? ops[i].invoked : ops[i].completed);
  struct Lane {
    EventIndex busy_until = 0;
    NodeIndex node = 0;
  };
  std::vector<Lane> free_from;
  std::unordered_map<Process, std::uint32_t> lane_of;
  Lanes lanes;
  lanes.of.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto [entry, is_new] = lane_of.try_emplace(ops[i].process, 0);
    if (is_new) {
      std::size_t best = free_from.size();
      for (std::size_t lane = 0; lane < free_from.size(); ++lane) {
        if (free_from[lane].busy_until >= ops[i].invoked) continue;
        if (best == free_from.size() || free_from[lane].node == ops[i].node) best = lane;
        if (free_from[best].node == ops[i].node) break;
      }
      if (best == free_from.size()) {
        free_from.emplace_back();
        lanes.first.push_back(ops[i].process);
      }
      free_from[best] = {last[ops[i].process], ops[i].node};
      entry->second = static_cast<std::uint32_t>(best);
    }
    lanes.of[i] = entry->second;
  }
  return lanes;
}

unsigned outcome_code(const Operation& op) {
  if (op.completed == never) return 3;
  return op.outcome == Outcome::ok ? 0 : op.outcome == Outcome::fail ? 1 : 2;
}

double milliseconds(Nanoseconds time) {
  return static_cast<double>(within_reason(time).count() / 1000) / 1000.0;
}

// The value at a share of a list, which is put out of order.
double quantile(std::vector<double>& values, double share) {
  const auto position = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1));
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(position);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace

Trace make_trace(const History& history) {
  const auto& ops = history.operations;
  const std::size_t count = std::min(ops.size(), most_traced);
  std::array<std::string, 9> columns;
  std::string asked;
  std::string answered;
  std::unordered_map<Value, std::size_t, ValueHash> keys;
  Json key_names = Json::array();
  std::vector<std::size_t> error_codes(history.errors.size(), 0);
  Json error_names = Json::array({""});
  const Lanes lanes = lanes_of(ops, count);
  EventIndex id = 0;
  std::int64_t at = 0;
  std::int64_t revision = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Operation& op = ops[i];
    put(columns[0], op.invoked - id);
    id = op.invoked;
    const std::int64_t invoked = microseconds(op.invoked_at);
    put_signed(columns[1], invoked - at);
    at = invoked;
    const std::int64_t took =
        op.completed == never ? -1
                              : std::max<std::int64_t>(0, microseconds(op.completed_at) - invoked);
    put(columns[2], static_cast<std::uint64_t>(took + 1));
    put(columns[3], lanes.of[i]);
    put(columns[4], op.node);
    put(columns[5], static_cast<unsigned>(op.function) * 4U + outcome_code(op));
    const auto [key, is_new] = keys.try_emplace(op.key, keys.size());
    if (is_new) key_names.push_back(clean(to_text(op.key), longest_value));
    put(columns[6], key->second);
    std::size_t& code = error_codes[op.error];
    if (op.error != 0 && code == 0) {
      if (error_names.size() < most_errors)
        error_names.push_back(clean(history.error_of(op), longest_error));
      code = error_names.size() - 1;
    }
    put(columns[7], code);
    const std::int64_t now = op.revision == 0 ? revision : op.revision;
    put_signed(columns[8], now - revision);
    revision = now;
    if (!op.argument.is_nil()) put_value(asked, op.argument);
    asked += '\n';
    if (op.outcome == Outcome::ok && (op.function == Function::read || !op.result.is_nil()))
      put_value(answered, op.result);
    answered += '\n';
  }
  std::string bytes;
  for (const std::string& column : columns) bytes += column;
  for (const std::string* texts : {&asked, &answered}) {
    put(bytes, texts->size());
    bytes += *texts;
  }
  Json functions = Json::array();
  for (const Function function : all_functions()) functions.push_back(to_text(function));
  Json nodes = Json::array();
  for (const std::string& node : history.nodes) nodes.push_back(clean(node, 40));
  return {{{"operations", count},
           {"left_out", ops.size() - count},
           {"clients", lanes.first.size()},
           {"lanes", lanes.first},
           {"nodes", std::move(nodes)},
           {"keys", std::move(key_names)},
           {"functions", std::move(functions)},
           {"errors", std::move(error_names)}},
          base64(deflated(bytes))};
}

Json make_series(const History& history) {
  constexpr std::array widths_ms = {100,    200,    500,     1'000,   2'000,   5'000,    10'000,
                                    20'000, 60'000, 120'000, 300'000, 600'000, 3'600'000};
  constexpr std::int64_t most_steps = 600;
  std::int64_t last = 0;
  for (const Operation& op : history.operations) {
    const Nanoseconds end = op.completed == never ? op.invoked_at : op.completed_at;
    last = std::max(last, microseconds(end) / 1000);
  }
  std::int64_t width = widths_ms.back();
  for (const int candidate : widths_ms) {
    if (last / candidate < most_steps) {
      width = candidate;
      break;
    }
  }
  const auto steps = static_cast<std::size_t>(std::min(last / width + 1, std::int64_t{10'000}));
  std::array<std::vector<std::size_t>, 3> counts;
  for (auto& of_outcome : counts) of_outcome.resize(steps);
  std::vector<std::vector<double>> latencies(steps);
  for (const Operation& op : history.operations) {
    const Nanoseconds end = op.completed == never ? op.invoked_at : op.completed_at;
    const std::int64_t ms = std::max<std::int64_t>(0, microseconds(end) / 1000);
    const auto step = std::min(static_cast<std::size_t>(ms / width), steps - 1);
    ++counts.at(std::min(outcome_code(op), 2U))[step];
    if (op.outcome == Outcome::ok && op.completed != never)
      latencies[step].push_back(milliseconds(op.completed_at - op.invoked_at));
  }
  const double per_second = 1000.0 / static_cast<double>(width);
  Json rates = Json::array();
  Json times = Json::array();
  for (std::size_t step = 0; step < steps; ++step) {
    Json rate = Json::array();
    for (const auto& of_outcome : counts)
      rate.push_back(static_cast<std::int64_t>(static_cast<double>(of_outcome[step]) * per_second));
    rates.push_back(std::move(rate));
    auto& values = latencies[step];
    Json time = Json::array();
    for (const double share : {0.5, 0.95, 0.99, 1.0}) {
      time.push_back(values.empty() ? Json() : Json(quantile(values, share)));
    }
    times.push_back(std::move(time));
  }
  return {{"width_ms", width}, {"rates", std::move(rates)}, {"latencies_ms", std::move(times)}};
}

}  // namespace ordeal::results
