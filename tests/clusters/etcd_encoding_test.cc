// Values survive etcd unchanged, distinct values stay distinct, and foreign bytes are seen.

#include <limits>
#include <set>

#include <catch2/catch.hpp>

#include "clusters/etcd/encoding.h"
#include "core/random.h"

namespace ordeal::clusters::etcd {
namespace {

Value any_value(Rng& rng, int depth) {
  switch (rng.below(depth > 0 ? 5 : 4)) {
    case 0:
      return Value(static_cast<std::int64_t>(rng.next()));
    case 1:
      return Value(rng.between(-3, 3));
    case 2:
      return Value(rng.chance(0.5));
    case 3: {
      std::string text;
      for (std::uint64_t n = rng.below(6); n > 0; --n) text += "03\"\\n[]tu,\x01"[rng.below(11)];
      return Value(text);
    }
    default: {
      Value::List items;
      for (std::uint64_t n = rng.below(4); n > 0; --n) items.push_back(any_value(rng, depth - 1));
      return Value(std::move(items));
    }
  }
}

}  // namespace

TEST_CASE("etcd encoding: legible texts") {
  CHECK(encode(Value(3)) == "3");
  CHECK(encode(Value("3")) == "\"3\"");
  CHECK(encode(Value(std::numeric_limits<std::int64_t>::min())) == "-9223372036854775808");
  CHECK(encode(Value(true)) == "true");
  CHECK(encode(Value::list({1, "a"})) == "[1,\"a\"]");
  CHECK(encode_key(Value(7)) == "ordeal/7");
  CHECK(encode_key(Value("x")) == "ordeal/\"x\"");
  CHECK_FALSE(encode(Value()));
  CHECK_FALSE(encode_key(Value()));
  CHECK_FALSE(encode(Value(std::string("\xff\xfe"))));
}

TEST_CASE("etcd encoding: round trip, and one text for one value") {
  const std::uint64_t seed = 20260711;
  INFO("seed " << seed);
  Rng rng(seed);
  for (int i = 0; i < 5000; ++i) {
    const Value a = any_value(rng, 2), b = any_value(rng, 2);
    const auto text_a = encode(a), text_b = encode(b);
    REQUIRE(text_a);
    REQUIRE(text_b);
    INFO(*text_a << " and " << *text_b);
    REQUIRE(decode(*text_a) == a);
    REQUIRE((a == b) == (text_a == text_b));
  }
}

TEST_CASE("etcd encoding: bytes that no write can have left are strings that say so") {
  for (const std::string_view bytes :
       {" 3", "03", "3 ", "1.5", "1e3", "BADXVALUE", "", "null", "[1, 2]", "\x80\x00zz",
        "{\"a\":1}", "99999999999999999999"}) {
    INFO(bytes);
    const Value value = decode(bytes);
    REQUIRE(value.as_string() != nullptr);
    CHECK(value.as_string()->rfind("not written by ordeal: ", 0) == 0);
  }
  CHECK(decode("\x01z\\") == Value("not written by ordeal: \\x01z\\x5c"));
  CHECK(decode(std::string(100000, 'x')).as_string()->size() < 300);
}

}  // namespace ordeal::clusters::etcd
