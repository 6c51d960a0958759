#include "nemesis/node/queue.h"

#include <cerrno>
#include <cstring>
#include <vector>

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ordeal::node {

namespace {

constexpr std::size_t header_bytes = 128;  // of a packet that is not wanted whole
constexpr std::size_t attribute_header = sizeof(nlattr);
constexpr std::uint32_t most_waiting = 65536;  // more pass without a verdict

// A request to the queue subsystem, attribute by attribute.
class Message {
 public:
  Message(std::uint16_t type, std::uint16_t queue, bool with_answer) {
    nlmsghdr header{};
    header.nlmsg_type = static_cast<std::uint16_t>(NFNL_SUBSYS_QUEUE << 8 | type);
    header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | (with_answer ? NLM_F_ACK : 0));
    nfgenmsg general{AF_UNSPEC, NFNETLINK_V0, htons(queue)};
    append(&header, sizeof header);
    append(&general, sizeof general);
  }
  Message& with(std::uint16_t type, const void* data, std::size_t size) {
    const nlattr attribute{static_cast<std::uint16_t>(attribute_header + size), type};
    append(&attribute, sizeof attribute);
    append(data, size);
    return *this;
  }
  [[nodiscard]] bool send(int fd) {
    auto* header = reinterpret_cast<nlmsghdr*>(bytes_.data());
    header->nlmsg_len = static_cast<std::uint32_t>(bytes_.size());
    return ::send(fd, bytes_.data(), bytes_.size(), 0) == static_cast<ssize_t>(bytes_.size());
  }

 private:
  void append(const void* data, std::size_t size) {
    const auto* from = static_cast<const unsigned char*>(data);
    bytes_.insert(bytes_.end(), from, from + size);
    bytes_.resize((bytes_.size() + 3) / 4 * 4);
  }
  std::vector<unsigned char> bytes_;
};

// Sets errno to what the kernel answered.
bool acknowledged(int fd) {
  alignas(nlmsghdr) char buffer[4096];
  const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
  if (got < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(nlmsgerr)))) return false;
  const auto* header = reinterpret_cast<const nlmsghdr*>(buffer);
  if (header->nlmsg_type != NLMSG_ERROR) return false;
  errno = -reinterpret_cast<const nlmsgerr*>(buffer + NLMSG_HDRLEN)->error;
  return errno == 0;
}

QueuedPacket parse(const nlmsghdr* message) {
  QueuedPacket packet;
  const auto* at = reinterpret_cast<const unsigned char*>(message) + NLMSG_LENGTH(sizeof(nfgenmsg));
  const auto* end = reinterpret_cast<const unsigned char*>(message) + message->nlmsg_len;
  while (at + attribute_header <= end) {
    nlattr attribute{};
    std::memcpy(&attribute, at, sizeof attribute);
    if (attribute.nla_len < attribute_header || at + attribute.nla_len > end) break;
    const unsigned char* data = at + attribute_header;
    const unsigned type = attribute.nla_type & static_cast<unsigned>(NLA_TYPE_MASK);
    if (type == NFQA_PACKET_HDR) {
      nfqnl_msg_packet_hdr header{};
      std::memcpy(&header, data, sizeof header);
      packet.id = ntohl(header.packet_id);
    } else if (type == NFQA_PAYLOAD) {
      packet.data = data;
      packet.size = attribute.nla_len - attribute_header;
    } else if (type == NFQA_CAP_LEN) {
      std::uint32_t length = 0;
      std::memcpy(&length, data, sizeof length);
      packet.length = ntohl(length);
    }
    at += (attribute.nla_len + 3U) / 4 * 4;
  }
  if (packet.length == 0) packet.length = static_cast<std::uint32_t>(packet.size);
  return packet;
}

}  // namespace

PacketQueue::~PacketQueue() {
  if (fd_ >= 0) ::close(fd_);
}

bool PacketQueue::open(std::uint16_t number, bool whole_packets, std::string& trouble) {
  number_ = number;
  fd_ = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  const int buffer = 8 << 20, on = 1;
  if (::setsockopt(fd_, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0)
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  ::setsockopt(fd_, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof on);
  const nfqnl_msg_config_cmd bind{NFQNL_CFG_CMD_BIND, 0, htons(AF_UNSPEC)};
  nfqnl_msg_config_params copy{};
  copy.copy_range = htonl(whole_packets ? 0xffff : header_bytes);
  copy.copy_mode = NFQNL_COPY_PACKET;
  const std::uint32_t waiting = htonl(most_waiting);
  const std::uint32_t mask = htonl(NFQA_CFG_F_FAIL_OPEN | NFQA_CFG_F_GSO);
  const std::uint32_t flags =
      htonl(NFQA_CFG_F_FAIL_OPEN | (whole_packets ? 0U : static_cast<unsigned>(NFQA_CFG_F_GSO)));
  if (fd_ >= 0 &&
      Message(NFQNL_MSG_CONFIG, number, true).with(NFQA_CFG_CMD, &bind, sizeof bind).send(fd_) &&
      acknowledged(fd_) &&
      Message(NFQNL_MSG_CONFIG, number, true)
          .with(NFQA_CFG_PARAMS, &copy, sizeof copy)
          .with(NFQA_CFG_QUEUE_MAXLEN, &waiting, sizeof waiting)
          .with(NFQA_CFG_FLAGS, &flags, sizeof flags)
          .with(NFQA_CFG_MASK, &mask, sizeof mask)
          .send(fd_) &&
      acknowledged(fd_))
    return true;
  trouble = std::string("this kernel gives no queue of packets (NFQUEUE): ") + std::strerror(errno);
  return false;
}

void PacketQueue::receive(const std::function<void(const QueuedPacket&)>& take) const {
  alignas(nlmsghdr) static char buffer[1 << 18];
  for (;;) {
    ssize_t left = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (left <= 0) return;
    for (auto* message = reinterpret_cast<nlmsghdr*>(buffer);
         left > 0 && NLMSG_OK(message, static_cast<std::uint32_t>(left));
         message = NLMSG_NEXT(message, left)) {
      if ((message->nlmsg_type & 0xff) == NFQNL_MSG_PACKET) take(parse(message));
    }
  }
}

void PacketQueue::decide(std::uint32_t id, std::uint32_t verdict, const std::string* data) const {
  const nfqnl_msg_verdict_hdr header{htonl(verdict), htonl(id)};
  Message message(NFQNL_MSG_VERDICT, number_, false);
  message.with(NFQA_VERDICT_HDR, &header, sizeof header);
  if (data != nullptr) message.with(NFQA_PAYLOAD, data->data(), data->size());
  [[maybe_unused]] const bool sent = message.send(fd_);
}

void PacketQueue::accept(std::uint32_t id) const { decide(id, NF_ACCEPT, nullptr); }
void PacketQueue::accept_changed(std::uint32_t id, const std::string& data) const {
  decide(id, NF_ACCEPT, &data);
}
void PacketQueue::drop(std::uint32_t id) const { decide(id, NF_DROP, nullptr); }

}  // namespace ordeal::node
