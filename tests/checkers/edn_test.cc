// Forms that are passed over and forms that are taken apart, against forms that are read; and
// independent keys, against looking at the whole history once it is read.

#include "checkers/edn.h"

#include <catch2/catch.hpp>

#include "checkers/foreign.h"
#include "core/random.h"

namespace ordeal::checkers::test {

namespace {

using Shape = EdnReader::Shape;

// Forms out of pieces, right or wrong.
std::string random_form(Rng& rng) {
  static const std::vector<std::string> pieces = {"[",
                                                  "]",
                                                  "[",
                                                  "]",
                                                  "(",
                                                  ")",
                                                  "{",
                                                  "}",
                                                  "#{",
                                                  "#tag",
                                                  " ",
                                                  ",",
                                                  "\n",
                                                  ":",
                                                  ":a",
                                                  ":nil",
                                                  "nil",
                                                  "x",
                                                  "\"",
                                                  "\"a b\"",
                                                  "\\",
                                                  ";",
                                                  "true",
                                                  "1",
                                                  "-2",
                                                  "12345678901234567890",
                                                  "007",
                                                  "-",
                                                  "5N",
                                                  "-0",
                                                  "1.5",
                                                  "N",
                                                  "\xff",
                                                  "999999999999999999",
                                                  "#",
                                                  "null",
                                                  "[1 2]",
                                                  "[3 4]",
                                                  "(1 2)",
                                                  "\"\\n\"",
                                                  std::string(1, '\0'),
                                                  "-9223372036854775808"};
  std::string form;
  for (std::uint64_t i = 0; i <= rng.below(12); ++i) {
    form += rng.pick(pieces);
    if (rng.chance(0.5)) form += ' ';
  }
  return form;
}

std::string error_in(const EdnReader& reader) { return reader.failure().value().message; }

// Whatever of the text is behind the forms that were read.
char rest_of(EdnReader& reader) { return reader.peek(); }

}  // namespace

TEST_CASE("passing over a form and taking it apart go as far as reading it") {
  const std::uint64_t seed = 20261129;
  INFO("seed " << seed);
  Rng rng(seed);
  int right = 0;
  int pairs = 0;
  for (int round = 0; round < 200'000; ++round) {
    const std::string text = random_form(rng);
    CAPTURE(text);
    EdnReader reading(text);
    EdnReader passing(text);
    EdnReader pairing(text);
    Value value;
    Value first;
    Value second;
    Shape shape{};
    const bool is_form = reading.next(value);
    REQUIRE(passing.pass() == is_form);
    REQUIRE(pairing.next_pair(first, second, shape) == is_form);
    if (!is_form) {
      REQUIRE(error_in(passing) == error_in(reading));
      REQUIRE(error_in(pairing) == error_in(reading));
      continue;
    }
    ++right;
    const Value::List* items = value.as_list();
    const bool is_pair = items != nullptr && items->size() == 2;
    REQUIRE(shape == (value.is_nil() ? Shape::nil : is_pair ? Shape::pair : Shape::other));
    if (is_pair) REQUIRE(Value::list({first, second}) == value);
    pairs += is_pair ? 1 : 0;
    const char rest = rest_of(reading);
    REQUIRE(rest_of(passing) == rest);
    REQUIRE(rest_of(pairing) == rest);
    REQUIRE(passing.line() == reading.line());
  }
  REQUIRE(right > 50'000);
  REQUIRE(pairs > 2'000);
}

TEST_CASE("numbers of any length are read as they are") {
  for (const auto& [text, value] : std::vector<std::pair<std::string, Value>>{
           {"0", 0},
           {"-0", 0},
           {"007", 7},
           {"-12", -12},
           {"12N", 12},
           {"999999999999999999", std::int64_t{999999999999999999}},
           {"1000000000000000000", std::int64_t{1000000000000000000}},
           {"9223372036854775807", std::numeric_limits<std::int64_t>::max()},
           {"-9223372036854775808", std::numeric_limits<std::int64_t>::min()},
           {"9223372036854775808", "9223372036854775808"},
           {"1.5", "1.5"},
           {"-", "-"},
           {"+1", "+1"},
           {"12x", "12x"},
           {":a1", "a1"}}) {
    CAPTURE(text);
    Value found;
    REQUIRE(EdnReader(text).next(found));
    CHECK(found == value);
  }
}

TEST_CASE("keys are independent where all values are pairs and a read asks for one") {
  const std::uint64_t seed = 20261130;
  INFO("seed " << seed);
  Rng rng(seed);
  const Value pair = Value::list({7, 3});
  const Value question = Value::list({8, {}});
  const std::vector<std::pair<std::string, Value>> pairs = {
      {"[7 3]", pair},
      {"(7 3)", pair},
      {"#{7 3}", pair},
      {"[8 nil]", question},
      {"{7 3, 8 nil}", Value::list({pair, question})}};
  const std::vector<std::pair<std::string, Value>> others = {{"nil", {}},
                                                             {"3", 3},
                                                             {"[]", Value(Value::List())},
                                                             {"[nil]", Value(Value::List(1))},
                                                             {"[1 nil 2]", Value::list({1, {}, 2})},
                                                             {"{7 3}", Value(Value::List{pair})}};
  int independent = 0;
  for (int round = 0; round < 20'000; ++round) {
    // What the history should be before keys are told apart.
    std::vector<Operation> calls;
    std::string text;
    const double odd = rng.chance(0.5) ? 0 : 0.1;
    const auto draw = [&] { return rng.chance(odd) ? rng.pick(others) : rng.pick(pairs); };
    for (int i = 0; i <= static_cast<int>(rng.below(5)); ++i) {
      Operation& call = calls.emplace_back();
      call.function = rng.chance(0.5) ? Function::read : Function::write;
      const auto [asked, argument] = draw();
      call.argument = argument;
      const bool has_key = rng.chance(odd / 4);
      if (has_key) call.key = 5;
      text += fmt::format("{{:process {}, :type :invoke, :f :{}, :value {}{}}}\n", i,
                          to_text(call.function), asked, has_key ? " :key 5" : "");
      const auto type = static_cast<EventType>(1 + rng.below(3));
      const auto [answered, result] = draw();
      // A type may stand behind its value; what only ok answers does not count for others.
      text += fmt::format("{{:process {}, :value {}, :f :{}, :type :{}}}\n", i,
                          type == EventType::ok && rng.chance(0.1) ? "nil" : answered,
                          to_text(call.function), to_text(type));
      const bool is_nil = text.find(fmt::format(":process {}, :value nil", i)) != text.npos;
      if (type == EventType::ok && !is_nil) call.result = result;
    }
    const auto is_pair = [](const Value& value) {
      return value.as_list() != nullptr && value.as_list()->size() == 2;
    };
    bool fits = true;
    bool asks = false;
    for (const Operation& call : calls) {
      fits = fits && call.key.is_nil() && is_pair(call.argument) &&
             (call.result.is_nil() || is_pair(call.result));
      asks = asks ||
             (fits && call.function == Function::read && call.argument.as_list()->back().is_nil());
    }
    if (fits && asks) {
      ++independent;
      for (Operation& call : calls) {
        call.key = call.argument.as_list()->front();
        call.argument = Value(call.argument.as_list()->back());
        if (!call.result.is_nil()) call.result = Value(call.result.as_list()->back());
      }
    }
    CAPTURE(text);
    const auto found = read_foreign(text, "input");
    REQUIRE(found);
    REQUIRE(found->history.operations.size() == calls.size());
    for (std::size_t i = 0; i < calls.size(); ++i) {
      const Operation& op = found->history.operations[i];
      const bool reads = calls[i].function == Function::read;
      REQUIRE(op.key == calls[i].key);
      REQUIRE(op.argument == (reads ? Value() : calls[i].argument));
      REQUIRE(op.result == (reads ? calls[i].result : Value()));
    }
  }
  REQUIRE(independent > 3'000);
  REQUIRE(independent < 17'000);
}

}  // namespace ordeal::checkers::test
