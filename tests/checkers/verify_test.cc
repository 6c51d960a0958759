#include "checkers/verify.h"

#include <catch2/catch.hpp>

#include "tests/checkers/script.h"

namespace ordeal::checkers::test {

namespace {

std::vector<WitnessOperation> operations_of(std::string_view script) {
  std::vector<WitnessOperation> ops;
  for (const Operation& op : history_of(script).operations) {
    WitnessOperation copy;
    copy.id = copy.invoked = op.invoked;
    copy.completed = op.completed;
    copy.request = {op.function, op.key, op.argument};
    copy.outcome = op.outcome;
    copy.result = op.result;
    ops.push_back(copy);
  }
  return ops;
}

}  // namespace

TEST_CASE("the verifier finds an order or none") {
  CHECK(some_order_exists({}) == true);
  CHECK(some_order_exists(operations_of("0:w3 0:ok 1:c3,7 1:ok 2:r 2:ok7")) == true);
  CHECK(some_order_exists(operations_of("0:w3 0:ok 1:c3,7 1:ok 2:r 2:ok3")) == false);
  CHECK(some_order_exists(operations_of("0:w3 0:ok 2:r 1:c3,7 1:ok 2:ok3")) == true);
  CHECK(some_order_exists(operations_of("0:c1,2 0:ok")) == false);
  CHECK(some_order_exists(operations_of("0:c1,2 0:fail 1:r 1:oknil")) == true);
  CHECK(some_order_exists(operations_of("0:w1 0:info 1:r 1:oknil 1:r 1:ok1")) == true);
  CHECK(some_order_exists(operations_of("0:w1 0:info 1:r 1:ok1 1:r 1:oknil")) == false);
  CHECK(some_order_exists(operations_of("0:w1 1:r 1:ok1 1:r 1:oknil")) == false);
}

TEST_CASE("the verifier says when it cannot say") {
  std::string script;
  for (int i = 0; i < 16; ++i) script += " " + std::to_string(i) + ":w1";
  CHECK(some_order_exists(operations_of(script + " 0:ok")) == true);
  CHECK_FALSE(some_order_exists(operations_of(script + " 16:w1")));
  CHECK_FALSE(some_order_exists(operations_of("0:w1@a 0:ok 0:w1@b 0:ok")));
}

}  // namespace ordeal::checkers::test
