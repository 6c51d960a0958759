#include "clusters/custom/client_check.h"

#include <algorithm>

#include "clusters/custom/client_process.h"
#include "clusters/custom/client_protocol.h"

namespace ordeal::clusters::custom {
namespace {

using Kind = CheckLine::Kind;

class Examination {
 public:
  Examination(const ClientSetup& setup, Nanoseconds timeout, const ServerHands& server,
              const std::function<void(const CheckLine&)>& say)
      : setup_(setup), timeout_(timeout), server_(server), say_(say) {}

  void run() {
    if (!begin()) return;
    for (const Function function : setup_.functions) {
      examine(function);
      if (silent_ >= most_silent)
        return bad(
            fmt::format("{} requests had no answer in time: the rest is not tried", silent_));
    }
    check_values();
    check_second_answer();
    check_killed_amid_request();
    check_trouble("stands still", server_.pause, server_.resume);
    check_trouble("is killed", server_.kill, server_.start);
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
    silent_ += completion.error.rfind("client-silent", 0) == 0 ? 1 : 0;
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
      case Function::send:
        (void)ask(function, key, 1);
        (void)ask(function, key, 2);
        if (speaks(Function::poll)) check_poll(key);
        return;
      case Function::poll:
        return expect(function, key, 10, Value(Value::List{}));
      case Function::watch:
        return check_watch(key);
      case Function::transfer:
        return check_bank(key);
      case Function::balances:
        return expect(function, key, {}, Value(Value::List{}));
      case Function::ledger:
        return expect(function, key, {}, Value(Value::List{}));
      case Function::saga:
        return check_steps(function, key, "committed");
      case Function::tcc:
        return check_steps(function, key, "confirmed");
      case Function::txn:
        return check_txn(key);
      case Function::dequeue:
        return expect(function, key, {}, {});
      case Function::release:
        return expect_fail(function, key, 1, not_held);
      case Function::ack:
        return;  // with send
      default:
        note(fmt::format("{} is not tried alone", to_text(function)));
    }
  }

  void check_poll(const Value& key) {
    const auto polled = ask(Function::poll, key, 10);
    if (!polled) return;
    const Value::List& events = *polled->as_list();  // of pairs, or it were no ok
    const bool right = events.size() == 2 && events[0].as_list()->at(1) == Value(1) &&
                       events[1].as_list()->at(1) == Value(2);
    if (!right)
      return bad(fmt::format("poll {}: answered {}, expected the events 1 and 2 with their offsets",
                             to_text(key), to_text(*polled)));
    good("two events sent, and polled in order");
    if (!speaks(Function::ack)) return;
    if (ask(Function::ack, key, events[1].as_list()->at(0)))
      expect(Function::poll, key, 10, Value(Value::List{}));
  }

  void check_watch(const Value& key) {
    if (!speaks(Function::write)) return expect(Function::watch, key, {}, Value(Value::List{}));
    (void)ask(Function::write, key, 1);
    (void)ask(Function::write, key, 2);
    const auto seen = ask(Function::watch, key, {});
    if (!seen) return;
    const Value::List& events = *seen->as_list();  // of pairs, or it were no ok
    const bool right = events.size() == 2 && events[0].as_list()->at(1) == Value(1) &&
                       events[1].as_list()->at(1) == Value(2);
    if (!right)
      return bad(fmt::format("watch {}: answered {}, expected 1 and 2 with their revisions",
                             to_text(key), to_text(*seen)));
    good("two values written, and watched in order");
    expect(Function::watch, key, events[0].as_list()->at(0), Value::list({events[1]}));
  }

  void check_bank(const Value& key) {
    if (!ask(Function::transfer, key, Value::list({Value(), 0, 10}))) return;
    (void)ask(Function::transfer, key, Value::list({0, 1, 4}));
    expect_fail(Function::transfer, key, Value::list({0, 1, 7}), insufficient);
    if (!speaks(Function::balances)) return;
    const auto held = ask(Function::balances, key, {});
    if (!held) return;
    Value::List found = *held->as_list();
    const Value::List wanted = {Value::list({0, 6}), Value::list({1, 4})};
    if (std::is_permutation(found.begin(), found.end(), wanted.begin(), wanted.end()))
      good("money came in and was moved, and what was not there was not");
    else
      bad(fmt::format("balances {}: answered {}, expected {}", to_text(key), to_text(*held),
                      to_text(Value(wanted))));
  }

  // Ended, as asked; a transaction may take its time, so it is given three times as long.
  void check_steps(Function function, const Value& key, std::string_view wanted) {
    const Request request{function, key, Value::list({"a", "b"})};
    const Completion ended = client_->invoke(request, Deadline::after(3 * timeout_));
    if (ended.outcome == Outcome::ok)
      good(fmt::format("{}: {}", to_text(request), to_text(ended.result)));
    else
      bad(fmt::format("{}: {} {}, expected {}", to_text(request), to_text(ended.outcome),
                      ended.error, wanted));
  }

  void check_txn(const Value& key) {
    const Value asked =
        Value::list({Value::list({"append", key, 1}), Value::list({"read", key, {}})});
    const auto result = ask(Function::txn, {}, asked);
    if (!result) return;
    const Value wanted = Value::list(
        {Value::list({"append", key, 1}), Value::list({"read", key, Value::list({1})})});
    if (*result == wanted)
      good("txn: append and read what was appended");
    else
      bad(fmt::format("txn: answered {}, expected {}", to_text(*result), to_text(wanted)));
  }

  // Some request that a new server says ok to, again and again.
  [[nodiscard]] Request harmless() const {
    for (const Function function : {Function::read, Function::members, Function::poll,
                                    Function::ledger, Function::dequeue, Function::balances}) {
      if (speaks(function))
        return {function, "check-again", function == Function::poll ? Value(1) : Value()};
    }
    return {setup_.functions.front(), "check-again", 1};
  }

  // As Ordeal ends a client that is silent: nobody may be left waiting, the next one just begins.
  void check_killed_amid_request() {
    for (int i = 0; i < 3; ++i) {
      auto process = ClientProcess::start(setup_.command, setup_.folder, setup_.log);
      if (!process) return;
      std::string line;
      const Deadline deadline = Deadline::after(setup_.hello_within);
      (void)(*process)->write_line(hello_line(setup_.node, setup_.host, setup_.functions),
                                   deadline);
      (void)(*process)->read_line(line, deadline);
      (void)(*process)->write_line(request_line(1, harmless(), Deadline::after(timeout_)),
                                   deadline);
    }
    Misdeeds misdeeds;
    const auto next = open_client(setup_, misdeeds);
    if (!next) return bad("after clients were killed amid requests: " + next.error().message);
    const Completion answer = (*next)->invoke(harmless(), Deadline::after(timeout_));
    if (answer.outcome == Outcome::ok)
      good("clients are killed amid requests, and the next one works");
    else
      bad(
          fmt::format("after clients were killed amid requests, {}: {} {}; does something of them "
                      "hold a lock or a port?",
                      to_text(harmless()), to_text(answer.outcome), answer.error));
  }

  // While the server does not answer, the client must say so in time, and work again afterwards.
  void check_trouble(std::string_view what, const std::function<Result<void>()>& begin_it,
                     const std::function<Result<void>()>& end_it) {
    if (!begin_it || !end_it) return;
    const Request request = harmless();
    if (const auto begun = begin_it(); !begun)
      return note(fmt::format("not tried: the server {} ({})", what, begun.error().message));
    const Completion during = client_->invoke(request, Deadline::after(timeout_));
    const auto ended = end_it();
    if (!ended) return bad(fmt::format("the server {}: {}", what, ended.error().message));
    if (during.error.rfind("client-", 0) == 0)
      bad(fmt::format("the server {}: {}; answer within timeout_ms, with info when nobody knows",
                      what, during.error));
    else
      good(fmt::format("the server {}: answered {} {} in time", what, to_text(during.outcome),
                       during.error));
    Completion after;
    for (int i = 0; i < 10 && after.outcome != Outcome::ok; ++i)
      after = client_->invoke(request, Deadline::after(timeout_));
    if (after.outcome == Outcome::ok)
      good(fmt::format("the server {}, is back, and the client works again", what));
    else
      bad(
          fmt::format("the server {} and is back, but 10 requests later it is still {} {}; connect "
                      "anew when a connection is lost",
                      what, to_text(after.outcome), after.error));
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
  const ServerHands& server_;
  const std::function<void(const CheckLine&)>& say_;
  static constexpr int most_silent = 3;
  int silent_ = 0;
  Misdeeds misdeeds_;
  std::unique_ptr<Client> client_;
};

}  // namespace

void check_client(const ClientSetup& setup, Nanoseconds timeout, const ServerHands& server,
                  const std::function<void(const CheckLine&)>& say) {
  Examination(setup, timeout, server, say).run();
}

}  // namespace ordeal::clusters::custom
