#include "clusters/custom/client_check.h"

#include <algorithm>

#include "clusters/custom/client_process.h"
#include "clusters/custom/client_protocol.h"

namespace ordeal::clusters::custom {
namespace {

using Kind = CheckLine::Kind;

class Examination {
 public:
  Examination(const ClientSetup& setup, Nanoseconds timeout,
              const std::function<void(const CheckLine&)>& say)
      : setup_(setup), timeout_(timeout), say_(say) {}

  void run() {
    if (!begin()) return;
    for (const Function function : setup_.functions) examine(function);
    check_values();
    check_second_answer();
    check_end_of_input();
  }

 private:
  void good(std::string text) { say_({Kind::good, std::move(text)}); }
  void bad(std::string text) { say_({Kind::bad, std::move(text)}); }
  void note(std::string text) { say_({Kind::note, std::move(text)}); }
  [[nodiscard]] bool speaks(Function function) const {
    return std::find(setup_.functions.begin(), setup_.functions.end(), function) !=
           setup_.functions.end();
  }

  bool begin() {
    auto client = open_client(setup_, misdeeds_);
    if (!client) {
      bad(client.error().message);
      return false;
    }
    client_ = std::move(*client);
    good("it says hello and speaks " + spoken());
    return true;
  }

  [[nodiscard]] std::string spoken() const {
    std::string names;
    for (const Function function : setup_.functions)
      names += (names.empty() ? "" : ", ") + std::string(to_text(function));
    return names;
  }

  // Null when there was no ok; what was wrong has been said then.
  std::optional<Value> ask(Function function, const Value& key, const Value& argument) {
    const Request request{function, key, argument};
    const Completion completion = client_->invoke(request, Deadline::after(timeout_));
    if (completion.outcome == Outcome::ok) return completion.result;
    const std::string advice =
        completion.error.rfind("undeclared: ", 0) == 0
            ? "; list the code under [client.fail] if it proves that nothing happened, or answer "
              "info"
        : completion.error.rfind("client-silent", 0) == 0
            ? "; answer within timeout_ms, with info when the server is slow; is the output "
              "flushed?"
            : "";
    bad(fmt::format("{}: {} {}{}", to_text(request), to_text(completion.outcome), completion.error,
                    advice));
    return std::nullopt;
  }

  void expect(Function function, const Value& key, const Value& argument, const Value& wanted) {
    const auto result = ask(function, key, argument);
    if (!result) return;
    const Request request{function, key, argument};
    if (*result == wanted)
      good(fmt::format("{}: {}", to_text(request), to_text(wanted)));
    else
      bad(fmt::format("{}: answered {}, expected {}", to_text(request), to_text(*result),
                      to_text(wanted)));
  }

  // An answer of no, which must come as a fail with that code.
  void expect_fail(Function function, const Value& key, const Value& argument,
                   std::string_view code) {
    const Request request{function, key, argument};
    const Completion completion = client_->invoke(request, Deadline::after(timeout_));
    if (completion.outcome == Outcome::fail && completion.error.rfind(code, 0) == 0)
      good(fmt::format("{}: fail {}", to_text(request), code));
    else
      bad(fmt::format("{}: answered {} {}, expected fail {}, listed under [client.fail]",
                      to_text(request), to_text(completion.outcome), completion.error, code));
  }

  void examine(Function function) {
    const Value key(fmt::format("check-{}", to_text(function)));
    switch (function) {
      case Function::read:
        return expect(function, key, {}, {});
      case Function::write:
        (void)ask(function, key, 1);
        if (speaks(Function::read)) expect(Function::read, key, {}, 1);
        return;
      case Function::cas:
        if (speaks(Function::write) && ask(Function::write, key, 1)) {
          if (ask(function, key, Value::list({1, 2}))) good("cas from the value that is there");
          expect_fail(function, key, Value::list({1, 3}), cas_mismatch);
          if (speaks(Function::read)) expect(Function::read, key, {}, 2);
        }
        return;
      case Function::add:
        (void)ask(function, key, 1);
        if (speaks(Function::members)) expect(Function::members, key, {}, Value::list({1}));
        return;
      case Function::members:
        return expect(function, key, {}, Value(Value::List{}));
      case Function::acquire:
        if (const auto token = ask(function, key, {}); token && speaks(Function::release)) {
          expect_fail(function, key, {}, lock_held);
          if (ask(Function::release, key, *token)) good("acquire, acquire in vain, release");
          expect_fail(Function::release, key, *token, not_held);
        }
        return;
      case Function::append:
        (void)ask(function, key, 1);
        (void)ask(function, key, 2);
        if (speaks(Function::read)) expect(Function::read, key, {}, Value::list({1, 2}));
        return;
      case Function::enqueue:
        (void)ask(function, key, 1);
        if (speaks(Function::dequeue)) {
          expect(Function::dequeue, key, {}, 1);
          expect(Function::dequeue, key, {}, {});
        }
        return;
      default:
        note(fmt::format("{} is not tried alone", to_text(function)));
    }
  }

  // What passes through a client must come back as it was.
  void check_values() {
    if (!speaks(Function::read) || !speaks(Function::write)) return;
    const Value values[] = {Value(std::int64_t{9007199254740993}), Value("text \"quoted\" \\ äöü"),
                            Value::list({1, Value("a"), Value::list({})}), Value(true)};
    for (const Value& value : values) {
      const Value key("check-values");
      if (ask(Function::write, key, value)) expect(Function::read, key, {}, value);
    }
  }

  // Answers beyond those that were asked for show between requests.
  void check_second_answer() {
    if (!speaks(Function::read)) return;
    for (int i = 0; i < 20; ++i)
      (void)client_->invoke({Function::read, "check-many", {}}, Deadline::after(timeout_));
    const auto misdeeds = misdeeds_.sentences();
    for (const std::string& sentence : misdeeds) bad(sentence);
    if (misdeeds.empty()) good("20 requests in a row, an answer each, and no word more");
  }

  void check_end_of_input() {
    auto process = ClientProcess::start(setup_.command, setup_.folder, setup_.log);
    if (!process) return;
    std::string line;
    (void)(*process)->write_line(hello_line(setup_.node, setup_.host, setup_.functions),
                                 Deadline::after(setup_.hello_within));
    (void)(*process)->read_line(line, Deadline::after(setup_.hello_within));
    (*process)->close_input();
    if ((*process)->read_line(line, Deadline::after(2s)) == LineEnd::ended)
      good("it ends when its input ends");
    else
      note("it does not end within 2 s when its input ends; Ordeal kills it, other users may not");
  }

  const ClientSetup& setup_;
  const Nanoseconds timeout_;
  const std::function<void(const CheckLine&)>& say_;
  Misdeeds misdeeds_;
  std::unique_ptr<Client> client_;
};

}  // namespace

void check_client(const ClientSetup& setup, Nanoseconds timeout,
                  const std::function<void(const CheckLine&)>& say) {
  Examination(setup, timeout, say).run();
}

}  // namespace ordeal::clusters::custom
