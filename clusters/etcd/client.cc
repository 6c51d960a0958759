#include "clusters/etcd/client.h"

#include <fmt/core.h>

#include "clusters/etcd/connection.h"
#include "clusters/etcd/encoding.h"
#include "clusters/etcd/errors.h"
#include "clusters/etcd/etcd.grpc.pb.h"

namespace ordeal::clusters::etcd {
namespace {

namespace pb = etcdserverpb;

Completion refused(std::string why) { return {Outcome::fail, {}, std::move(why)}; }

Completion failed(Function function, const grpc::Status& status) {
  const Classified what = classify(function, status.error_code(), status.error_message());
  return {
      what.outcome, {}, describe(what.error_class, status.error_code(), status.error_message())};
}

// A request on a connection that came up in the last moment would hardly be answered: its outcome
// would be unknown where "not sent" is certain.
Deadline last_moment_to_send(Deadline deadline) {
  const Nanoseconds reserve = std::min<Nanoseconds>(50ms, deadline.left() / 4);
  return Deadline::at(deadline.when() - reserve);
}

class EtcdClient final : public Client {
 public:
  explicit EtcdClient(const ClientOptions& options)
      : connection_(options.host, options.port),
        kv_(pb::KV::NewStub(connection_.channel())),
        watch_(pb::Watch::NewStub(connection_.channel())),
        serializable_reads_(options.serializable_reads) {}

  Completion invoke(const Request& request, Deadline deadline) override {
    const auto key = encode_key(request.key);
    if (!key) return refused("unsupported: this key has no text in etcd");
    if (!connection_.await_connected(last_moment_to_send(deadline)))
      return refused(
          fmt::format("not-connected: {} could not be reached in time", connection_.peer()));
    grpc::ClientContext context;
    context.set_deadline(grpc_deadline(deadline));
    switch (request.function) {
      case Function::read:
        return read(context, *key);
      case Function::write:
        return write(context, *key, request.argument);
      case Function::cas:
        return cas(context, *key, request.argument);
      case Function::watch:
        return watch(context, deadline, *key, request.argument);
      default:
        break;
    }
    return refused("unsupported: etcd's client does not speak this function");
  }

 private:
  Completion read(grpc::ClientContext& context, const std::string& key) {
    pb::RangeRequest request;
    request.set_key(key);
    request.set_serializable(serializable_reads_);
    pb::RangeResponse response;
    if (const auto status = kv_->Range(&context, request, &response); !status.ok())
      return failed(Function::read, status);
    const std::int64_t revision = response.header().revision();
    if (response.kvs().empty()) return {Outcome::ok, {}, {}, revision};
    return {Outcome::ok, decode(response.kvs(0).value()), {}, revision};
  }

  Completion write(grpc::ClientContext& context, const std::string& key, const Value& argument) {
    auto value = encode(argument);
    if (!value) return refused("unsupported: this value has no text in etcd");
    pb::PutRequest request;
    request.set_key(key);
    request.set_value(*std::move(value));
    pb::PutResponse response;
    if (const auto status = kv_->Put(&context, request, &response); !status.ok())
      return failed(Function::write, status);
    return {Outcome::ok, {}, {}, response.header().revision()};
  }

  Completion cas(grpc::ClientContext& context, const std::string& key, const Value& argument) {
    const Value::List* swap = argument.as_list();
    if (swap == nullptr || swap->size() != 2)
      return refused("unsupported: the argument of cas is [expected, new]");
    const Value& expected = swap->front();
    const auto expected_text = encode(expected);
    auto new_text = encode(swap->back());
    if (!new_text || (!expected_text && !expected.is_nil()))
      return refused("unsupported: this value has no text in etcd");

    pb::TxnRequest request;
    pb::Compare& compare = *request.add_compare();
    compare.set_key(key);
    compare.set_result(pb::Compare::EQUAL);
    if (expected.is_nil()) {
      compare.set_target(pb::Compare::CREATE);
      compare.set_create_revision(0);
    } else {
      compare.set_target(pb::Compare::VALUE);
      compare.set_value(*expected_text);
    }
    pb::PutRequest& put = *request.add_success()->mutable_request_put();
    put.set_key(key);
    put.set_value(*std::move(new_text));
    pb::TxnResponse response;
    if (const auto status = kv_->Txn(&context, request, &response); !status.ok())
      return failed(Function::cas, status);
    const std::int64_t revision = response.header().revision();
    if (!response.succeeded()) return {Outcome::fail, {}, std::string(cas_mismatch), revision};
    return {Outcome::ok, {}, {}, revision};
  }

  // All events behind a revision, up to what the key is at now, which a linearizable read tells:
  // a stream by itself never says that there is no more.
  Completion watch(grpc::ClientContext& context, Deadline deadline, const std::string& key,
                   const Value& argument) {
    const std::int64_t* after = argument.as_integer();
    if (after == nullptr && !argument.is_nil())
      return refused("unsupported: the argument of watch is a revision");
    const std::int64_t from = after == nullptr ? 1 : *after + 1;
    pb::RangeRequest range;
    range.set_key(key);
    pb::RangeResponse now;
    if (const auto status = kv_->Range(&context, range, &now); !status.ok())
      return failed(Function::watch, status);
    Value::List events;
    const std::int64_t until = now.kvs().empty() ? 0 : now.kvs(0).mod_revision();
    if (until >= from) {
      grpc::ClientContext stream;
      stream.set_deadline(grpc_deadline(deadline));
      if (auto cut = stream_events(stream, key, from, until, events)) return *std::move(cut);
    }
    return {Outcome::ok, Value(std::move(events)), {}, now.header().revision()};
  }

  // Nothing once the event at `until` has come, which there is.
  std::optional<Completion> stream_events(grpc::ClientContext& context, const std::string& key,
                                          std::int64_t from, std::int64_t until,
                                          Value::List& events) {
    const auto stream = watch_->Watch(&context);
    pb::WatchRequest request;
    request.mutable_create_request()->set_key(key);
    request.mutable_create_request()->set_start_revision(from);
    pb::WatchResponse response;
    for (bool open = stream->Write(request); open && stream->Read(&response);) {
      if (response.compact_revision() > 0)
        return refused(fmt::format("compacted: the oldest revision that is kept is {}",
                                   response.compact_revision()));
      if (response.canceled()) return refused("canceled: " + response.cancel_reason());
      bool done = false;
      for (const pb::Event& event : response.events()) {
        events.push_back(Value::list({event.kv().mod_revision(), decode(event.kv().value())}));
        done = done || event.kv().mod_revision() >= until;
      }
      if (!done) continue;
      context.TryCancel();
      (void)stream->Finish();
      return std::nullopt;
    }
    const grpc::Status status = stream->Finish();
    if (status.ok()) return refused("ended: the server closed the stream of events");
    return failed(Function::watch, status);
  }

  Connection connection_;
  const std::unique_ptr<pb::KV::Stub> kv_;
  const std::unique_ptr<pb::Watch::Stub> watch_;
  const bool serializable_reads_;
};

}  // namespace

std::unique_ptr<Client> make_client(const ClientOptions& options) {
  return std::make_unique<EtcdClient>(options);
}

}  // namespace ordeal::clusters::etcd
