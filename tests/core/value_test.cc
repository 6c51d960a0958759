#include "core/value.h"

#include <memory>
#include <thread>

#include <catch2/catch.hpp>

#include "core/op.h"
#include "core/time.h"

using namespace ordeal;

TEST_CASE("values of different types are never equal") {
  const std::vector<Value> values = {Value(),    Value(0),        Value(false),
                                     Value("0"), Value::list({}), Value::list({0})};
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = 0; j < values.size(); ++j) REQUIRE((values[i] == values[j]) == (i == j));
  }
  REQUIRE(Value("a").hash() == Value(std::string("a")).hash());
  REQUIRE(Value::list({1, "b"}) == Value::list({1, "b"}));
}

TEST_CASE("a value is small") { REQUIRE(sizeof(Value) == 16); }

TEST_CASE("copies share a text or a list, which lives as long as one of them") {
  for (const Value& original : {Value("a text longer than a pointer"), Value::list({1, "b"})}) {
    auto first = std::make_unique<Value>(original);
    Value second = *first;
    Value third = std::move(second);
    REQUIRE(second.is_nil());
    second = third;
    third = Value(7);
    first.reset();
    REQUIRE(second == original);
    second = *&second;
    REQUIRE(second == original);
    REQUIRE(second.as_string() == original.as_string());
    REQUIRE(second.as_list() == original.as_list());
  }
  Value list = Value::list({Value::list({"x"})});
  list = list.as_list()->front();
  list = list.as_list()->front();
  REQUIRE(list == "x");
}

TEST_CASE("threads may share a value") {
  const Value shared = Value::list({"x", 1});
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([mine = shared] {
      for (int turn = 0; turn < 10'000; ++turn) {
        Value copy = mine;
        const Value text = copy.as_list()->front();
        copy = text;
      }
    });
  }
  threads.clear();
  REQUIRE(shared == Value::list({"x", 1}));
}

TEST_CASE("words for people") {
  REQUIRE(to_text(Value::list({1, "b", Value(), Value(true)})) == "[1 b nil true]");
  REQUIRE(to_text(Request{Function::cas, "x", Value::list({3, 7})}) == "cas x 3->7");
  REQUIRE(to_text(Request{Function::write, "x", 3}) == "write x 3");
  REQUIRE(to_text(Request{Function::write, 1, Value()}) == "write key 1: nil");
  REQUIRE(to_text(Request{Function::cas, 1, Value::list({3, 7})}) == "cas key 1: 3->7");
  REQUIRE(to_text(Request{Function::read, 1, {}}) == "read key 1");
  REQUIRE(to_text(63s) == "1 min 3 s");
  REQUIRE(to_text(812ms) == "812 ms");
  REQUIRE(to_text(4250ms) == "4.25 s");
  REQUIRE(to_seconds(61204ms) == "61.204");
  REQUIRE(to_seconds(-240ms) == "-0.240");
}

TEST_CASE("names of the vocabulary are read back") {
  for (const Function function : all_functions())
    REQUIRE(function_named(to_text(function)) == function);
  REQUIRE_FALSE(function_named("raed"));
}

TEST_CASE("durations are read") {
  REQUIRE(parse_duration("60s") == Nanoseconds(60s));
  REQUIRE(parse_duration("1.5m") == Nanoseconds(90s));
  REQUIRE(parse_duration("500ms") == Nanoseconds(500ms));
  REQUIRE(parse_duration("2h") == Nanoseconds(2h));
  for (const char* bad :
       {"", "s", "60", "-1s", "1 s", "1e3s", "60x", "s60", "nans", "99999999999h"}) {
    REQUIRE_FALSE(parse_duration(bad));
  }
}
