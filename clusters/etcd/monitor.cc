#include "clusters/etcd/monitor.h"

#include <thread>

#include "clusters/etcd/client.h"
#include "clusters/etcd/errors.h"

namespace ordeal::clusters::etcd {
namespace {

namespace pb = etcdserverpb;
using Monitors = std::vector<std::unique_ptr<Monitor>>;

constexpr auto pause = std::chrono::milliseconds(200);  // before the next try of a refused change
constexpr Nanoseconds one_try = 3s;

Result<void> verdict(const grpc::Status& status, std::string_view step) {
  if (status.ok()) return {};
  const Classified what = classify(Function::read, status.error_code(), status.error_message());
  return error("{}: {}", step,
               describe(what.error_class, status.error_code(), status.error_message()));
}

struct Call {
  explicit Call(Deadline deadline) { context.set_deadline(grpc_deadline(deadline)); }
  grpc::ClientContext context;
};

Result<pb::StatusResponse> ask_status(Monitor& monitor, Deadline deadline) {
  Call call(deadline.sooner(Deadline::after(one_try)));
  pb::StatusResponse answer;
  const auto asked = verdict(monitor.maintenance->Status(&call.context, {}, &answer), "status");
  if (!asked) return pass_on(asked.error());
  return answer;
}

Result<std::string> compact(Monitor& monitor, Deadline deadline) {
  const auto now = ask_status(monitor, deadline);
  if (!now) return pass_on(now.error());
  pb::CompactionRequest request;
  request.set_revision(now->header().revision());
  request.set_physical(true);
  Call call(deadline);
  pb::CompactionResponse answer;
  if (auto done = verdict(monitor.kv->Compact(&call.context, request, &answer), "compacting");
      !done)
    return pass_on(done.error());
  return fmt::format("compacted at revision {}", request.revision());
}

Result<std::string> defragment(Monitor& monitor, Deadline deadline) {
  Call call(deadline);
  pb::DefragmentResponse answer;
  if (auto done =
          verdict(monitor.maintenance->Defragment(&call.context, {}, &answer), "defragmenting");
      !done)
    return pass_on(done.error());
  return std::string("defragmented");
}

Result<std::string> snapshot(Monitor& monitor, Deadline deadline) {
  Call call(deadline);
  const auto reader = monitor.maintenance->Snapshot(&call.context, {});
  pb::SnapshotResponse part;
  std::size_t bytes = 0;
  while (reader->Read(&part)) bytes += part.blob().size();
  if (auto done = verdict(reader->Finish(), "taking a snapshot"); !done)
    return pass_on(done.error());
  return fmt::format("sent a snapshot of {} bytes", bytes);
}

Result<std::string> transfer_leader(std::size_t to, const Monitors& monitors,
                                    const std::vector<MemberName>& members, Deadline deadline) {
  std::vector<std::uint64_t> ids(monitors.size(), 0);
  std::size_t leader = monitors.size();
  for (std::size_t i = 0; i < monitors.size(); ++i) {
    const auto status = ask_status(*monitors[i], deadline);
    if (!status) continue;
    ids[i] = status->header().member_id();
    if (status->leader() == ids[i]) leader = i;
  }
  if (leader == monitors.size()) return error("no node says that it leads");
  for (std::size_t i = 0; i < ids.size() && (to == leader || ids[to] == 0); ++i) {
    if (i != leader && ids[i] != 0) to = i;
  }
  if (to == leader) return error("nobody is there to lead instead");
  pb::MoveLeaderRequest request;
  request.set_targetid(ids[to]);
  Call call(deadline);
  pb::MoveLeaderResponse answer;
  if (auto done =
          verdict(monitors[leader]->maintenance->MoveLeader(&call.context, request, &answer),
                  "moving the leader");
      !done)
    return pass_on(done.error());
  return fmt::format("leadership moved from {} to {}", members[leader].name, members[to].name);
}

// Asks nodes other than `node` in turn until one has done it, or the deadline.
template <class Ask>
Result<std::string> ask_others(std::size_t node, const Monitors& monitors, Deadline deadline,
                               const Ask& ask) {
  Result<std::string> last = error("no other node to ask");
  while (!deadline.passed()) {
    for (std::size_t i = 0; i < monitors.size(); ++i) {
      if (i == node) continue;
      last = ask(*monitors[i]);
      if (last || deadline.passed()) return last;
    }
    std::this_thread::sleep_for(pause);
  }
  return last;
}

Result<pb::MemberListResponse> members_of(Monitor& monitor, Deadline deadline) {
  Call call(deadline.sooner(Deadline::after(one_try)));
  pb::MemberListResponse answer;
  const auto asked =
      verdict(monitor.cluster->MemberList(&call.context, {}, &answer), "listing the members");
  if (!asked) return pass_on(asked.error());
  return answer;
}

bool answers(Monitor& monitor, Deadline deadline) {
  return monitor.connection.await_connected(deadline) && ask_status(monitor, deadline);
}

bool has_url(const pb::Member& member, const std::string& url) {
  for (const std::string& known : member.peerurls()) {
    if (known == url) return true;
  }
  return false;
}

Result<std::string> remove_member(const MemberName& name, Monitor& monitor, Deadline deadline) {
  const auto list = members_of(monitor, deadline);
  if (!list) return pass_on(list.error());
  for (const pb::Member& member : list->members()) {
    if (!has_url(member, name.peer_url)) continue;
    pb::MemberRemoveRequest request;
    request.set_id(member.id());
    Call call(deadline.sooner(Deadline::after(one_try)));
    pb::MemberListResponse answer;
    if (auto done = verdict(monitor.cluster->MemberRemove(&call.context, request, &answer),
                            "removing " + name.name);
        !done)
      return pass_on(done.error());
  }
  return fmt::format("{} is no member any more", name.name);
}

Result<std::string> add_member(const MemberName& name, bool as_learner, Monitor& monitor,
                               Deadline deadline) {
  const auto list = members_of(monitor, deadline);
  if (!list) return pass_on(list.error());
  for (const pb::Member& member : list->members()) {
    if (has_url(member, name.peer_url)) return fmt::format("{} is a member", name.name);
  }
  pb::MemberAddRequest request;
  request.add_peerurls(name.peer_url);
  request.set_islearner(as_learner);
  Call call(deadline.sooner(Deadline::after(one_try)));
  pb::MemberListResponse answer;
  if (auto done = verdict(monitor.cluster->MemberAdd(&call.context, request, &answer),
                          "adding " + name.name);
      !done)
    return pass_on(done.error());
  return fmt::format("{} is a {} again", name.name, as_learner ? "learner" : "member");
}

// Refused for as long as the learner lags behind.
Result<std::string> promote_member(const MemberName& name, Monitor& monitor, Deadline deadline) {
  const auto list = members_of(monitor, deadline);
  if (!list) return pass_on(list.error());
  for (const pb::Member& member : list->members()) {
    if (!has_url(member, name.peer_url) || !member.islearner()) continue;
    pb::MemberPromoteRequest request;
    request.set_id(member.id());
    Call call(deadline.sooner(Deadline::after(one_try)));
    pb::MemberListResponse answer;
    if (auto done = verdict(monitor.cluster->MemberPromote(&call.context, request, &answer),
                            "promoting " + name.name);
        !done)
      return pass_on(done.error());
  }
  return fmt::format("{} has caught up as a learner and votes again", name.name);
}

// What changes the membership of one node, asked of the others.
struct Membership {
  std::size_t node;
  const Monitors& monitors;
  const MemberName& name;
  const StartMember& start;
  Deadline deadline;

  [[nodiscard]] Result<std::string> remove() const {
    return ask_others(node, monitors, deadline,
                      [&](Monitor& other) { return remove_member(name, other, deadline); });
  }
  [[nodiscard]] Result<std::string> add(bool as_learner) const {
    return ask_others(node, monitors, deadline, [&](Monitor& other) {
      return add_member(name, as_learner, other, deadline);
    });
  }
  // A new member asks one of the others who the members are. If that one is behind and does not
  // name it yet, it ends, and has to be started again.
  [[nodiscard]] Result<void> join(bool is_empty) const {
    auto started = start(is_empty);
    while (started && !answers(*monitors[node], deadline.sooner(Deadline::after(one_try)))) {
      if (deadline.passed()) return error("{} does not answer as a new member", name.name);
      std::this_thread::sleep_for(pause);
      started = start(false);
    }
    return started;
  }
  [[nodiscard]] Result<std::string> add_learner() const {
    const auto added = add(true);
    if (!added) return pass_on(added.error());
    if (auto joined = join(false); !joined) return pass_on(joined.error());
    return ask_others(node, monitors, deadline,
                      [&](Monitor& other) { return promote_member(name, other, deadline); });
  }
  [[nodiscard]] Result<std::string> replace() const {
    if (auto removed = remove(); !removed) return pass_on(removed.error());
    if (auto added = add(false); !added) return pass_on(added.error());
    if (auto joined = join(true); !joined) return pass_on(joined.error());
    return fmt::format("{} has been replaced by a new member", name.name);
  }
};

}  // namespace

Monitor::Monitor(const std::string& host)
    : connection(host, client_port),
      kv(pb::KV::NewStub(connection.channel())),
      maintenance(pb::Maintenance::NewStub(connection.channel())),
      cluster(pb::Cluster::NewStub(connection.channel())) {}

std::vector<std::string> admin_actions() {
  return {"compact",       "defragment", "snapshot",    "transfer-leader",
          "remove-member", "add-member", "add-learner", "replace-member"};
}

Result<std::string> administer(std::string_view action, std::size_t node, const Monitors& monitors,
                               const std::vector<MemberName>& members, const StartMember& start,
                               Deadline deadline) {
  Monitor& monitor = *monitors[node];
  const Membership membership{node, monitors, members[node], start, deadline};
  if (action == "compact") return compact(monitor, deadline);
  if (action == "defragment") return defragment(monitor, deadline);
  if (action == "snapshot") return snapshot(monitor, deadline);
  if (action == "transfer-leader") return transfer_leader(node, monitors, members, deadline);
  if (action == "remove-member") return membership.remove();
  if (action == "add-member") return membership.add(false);
  if (action == "add-learner") return membership.add_learner();
  if (action == "replace-member") return membership.replace();
  return error("etcd has no action {}", action);
}

}  // namespace ordeal::clusters::etcd
