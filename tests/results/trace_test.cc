#include "results/trace.h"

#include <map>

#include <catch2/catch.hpp>
#include <zlib.h>

#include "core/random.h"
#include "results/compare.h"

namespace ordeal::results {

namespace {

std::string unpack(const std::string& text) {
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6U | static_cast<std::uint32_t>(digits.find(c));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> static_cast<unsigned>(count) & 0xffU);
  }
  std::string out(std::size_t{8} << 20U, '\0');
  uLongf size = out.size();
  REQUIRE(uncompress(reinterpret_cast<Bytef*>(out.data()), &size,
                     reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()) == Z_OK);
  out.resize(size);
  return out;
}

struct Reader {
  std::string bytes;
  std::size_t at = 0;
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes.at(at++));
      value |= static_cast<std::uint64_t>(byte & 127U) << shift;
      if (byte < 128) return value;
    }
  }
  std::int64_t signed_number() {
    const std::uint64_t value = number();
    return static_cast<std::int64_t>(value >> 1U) ^ -static_cast<std::int64_t>(value & 1U);
  }
};

History sample() {
  History history;
  history.nodes = {"n1", "n2"};
  history.errors = {"", "timeout: late"};
  const auto add = [&](Process process, EventIndex invoked, EventIndex completed, Nanoseconds from,
                       Nanoseconds to, Outcome outcome, std::uint32_t error) {
    Operation op;
    op.process = process;
    op.invoked = invoked;
    op.completed = completed;
    op.invoked_at = from;
    op.completed_at = to;
    op.outcome = outcome;
    op.error = error;
    op.key = invoked == 0 ? Value("x") : Value(7);
    op.function = Function::write;
    op.argument = Value(static_cast<std::int64_t>(invoked));
    op.revision = invoked == 0 ? 900 : 0;
    op.node = static_cast<NodeIndex>(process % 2);
    history.operations.push_back(op);
  };
  add(0, 0, 3, 1ms, 4ms, Outcome::ok, 0);
  add(1, 1, 4, 2ms, 9ms, Outcome::info, 1);
  add(3, 5, never, 20ms, 0ms, Outcome::info, 0);  // goes on for the retired client of that node
  return history;
}

}  // namespace

TEST_CASE("what is packed is what happened") {
  const Trace trace = make_trace(sample());
  CHECK(trace.names.at("operations") == 3);
  CHECK(trace.names.at("clients") == 2);
  CHECK(trace.names.at("keys") == Json({"x", "7"}));
  CHECK(trace.names.at("errors") == Json({"", "timeout: late"}));
  Reader reader{unpack(trace.packed)};
  const auto column = [&] {
    return std::vector<std::uint64_t>{reader.number(), reader.number(), reader.number()};
  };
  using Column = std::vector<std::uint64_t>;
  CHECK(column() == Column{0, 1, 4});
  CHECK(reader.signed_number() == 1000);
  CHECK(reader.signed_number() == 1000);
  CHECK(reader.signed_number() == 18000);
  CHECK(column() == Column{3001, 7001, 0});
  CHECK(column() == Column{0, 1, 1});
  CHECK(column() == Column{0, 1, 1});
  CHECK(column() == Column{4, 6, 7});
  CHECK(column() == Column{0, 1, 1});
  CHECK(column() == Column{0, 1, 0});
  CHECK(reader.signed_number() == 900);
  CHECK(reader.signed_number() == 0);
  CHECK(reader.signed_number() == 0);
  const std::uint64_t size = reader.number();
  CHECK(reader.bytes.substr(reader.at, size) == "0\n1\n5\n");
}

TEST_CASE("rates count every operation once") {
  const Json series = make_series(sample());
  std::int64_t all = 0;
  for (const Json& row : series.at("rates"))
    for (const Json& rate : row) all += rate.get<std::int64_t>();
  CHECK(all * series.at("width_ms").get<std::int64_t>() == 3 * 1000);
  CHECK(series.at("latencies_ms")[0][0] == 3.0);
}

TEST_CASE("an empty history has a trace and a series") {
  CHECK(make_trace({}).names.at("operations") == 0);
  CHECK(make_series({}).at("rates").size() == 1);
}

TEST_CASE("the rank test sees a shift and no shift") {
  Rng rng(7);
  std::vector<double> a;
  std::vector<double> b;
  std::vector<double> slower;
  for (int i = 0; i < 2000; ++i) {
    a.push_back(static_cast<double>(rng.below(1000)));
    b.push_back(static_cast<double>(rng.below(1000)));
    slower.push_back(static_cast<double>(rng.below(1000)) + 60);
  }
  CHECK(rank_test(a, b) > 0.01);
  CHECK(rank_test(a, slower) < 1e-6);
  CHECK(rank_test(a, {}) == 1);
  CHECK(rank_test({5, 5, 5}, {5, 5}) == 1);
  // By hand: a below b throughout, 3 and 3. U = 0, mean 4.5, variance 5.25.
  CHECK(rank_test({1, 2, 3}, {4, 5, 6}) ==
        Approx(std::erfc(4.0 / std::sqrt(5.25) / std::sqrt(2.0))));
}

}  // namespace ordeal::results
