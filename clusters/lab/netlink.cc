#include "clusters/lab/netlink.h"

#include <cerrno>
#include <cstring>
#include <string_view>

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ordeal::clusters::lab {
namespace {

template <class T>
std::string_view bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

// A netlink message being written: a header, a body and attributes, all aligned to four bytes.
class Request {
 public:
  template <class Body>
  Request(std::uint16_t type, std::uint16_t flags, const Body& body) {
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    append(bytes_of(header));
    append(bytes_of(body));
  }
  void append(std::string_view bytes) {
    text_ += bytes;
    text_.resize((text_.size() + 3) & ~std::size_t{3});
  }
  void attribute(int type, std::string_view value) {
    const auto nest = begin(type);
    text_ += value;
    end(nest);
  }
  void text(int type, const std::string& value) {
    attribute(type, {value.c_str(), value.size() + 1});
  }
  [[nodiscard]] std::size_t begin(int type) {
    rtattr header{};
    header.rta_type = static_cast<std::uint16_t>(type);
    const std::size_t position = text_.size();
    append(bytes_of(header));
    return position;
  }
  void end(std::size_t position) {
    const auto length = static_cast<std::uint16_t>(text_.size() - position);
    std::memcpy(text_.data() + position + offsetof(rtattr, rta_len), &length, sizeof length);
    append({});
  }
  [[nodiscard]] std::string finish() {
    const auto length = static_cast<std::uint32_t>(text_.size());
    std::memcpy(text_.data() + offsetof(nlmsghdr, nlmsg_len), &length, sizeof length);
    return text_;
  }

 private:
  std::string text_;
};

int index_of(const std::string& interface) {
  const unsigned index = if_nametoindex(interface.c_str());
  must(index != 0, "looking for interface {}", interface);
  return static_cast<int>(index);
}

constexpr std::uint16_t create = NLM_F_CREATE | NLM_F_EXCL;

}  // namespace

Netlink::Netlink() : socket_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)) {
  must(bool(socket_), "opening rtnetlink");
}

void Netlink::add_bridge(const std::string& name) {
  Request request(RTM_NEWLINK, create, ifinfomsg{});
  request.text(IFLA_IFNAME, name);
  const auto info = request.begin(IFLA_LINKINFO);
  request.text(IFLA_INFO_KIND, "bridge");
  request.end(info);
  ask(request.finish(), "making bridge " + name);
}

void Netlink::add_cable(const std::string& name, const std::string& bridge,
                        const std::string& peer_name, pid_t peer) {
  ifinfomsg link{};
  link.ifi_flags = link.ifi_change = IFF_UP;
  Request request(RTM_NEWLINK, create, link);
  request.text(IFLA_IFNAME, name);
  request.attribute(IFLA_MASTER, bytes_of(index_of(bridge)));
  const auto info = request.begin(IFLA_LINKINFO);
  request.text(IFLA_INFO_KIND, "veth");
  const auto data = request.begin(IFLA_INFO_DATA);
  const auto other = request.begin(VETH_INFO_PEER);
  request.append(bytes_of(ifinfomsg{}));
  request.text(IFLA_IFNAME, peer_name);
  request.attribute(IFLA_NET_NS_PID, bytes_of(peer));
  request.end(other);
  request.end(data);
  request.end(info);
  ask(request.finish(), "making the cable of " + name);
}

void Netlink::add_address(const std::string& interface, const std::string& address,
                          std::uint8_t prefix) {
  const bool is_ip6 = address.find(':') != std::string::npos;
  if (is_ip6 && access("/proc/net/if_inet6", F_OK) != 0) return;
  const int family = is_ip6 ? AF_INET6 : AF_INET;
  char bytes[sizeof(in6_addr)];
  must(inet_pton(family, address.c_str(), bytes) == 1, "reading the address {}", address);
  const std::string_view value(bytes, is_ip6 ? sizeof(in6_addr) : sizeof(in_addr));
  ifaddrmsg body{};
  body.ifa_family = static_cast<std::uint8_t>(family);
  body.ifa_prefixlen = prefix;
  body.ifa_flags = is_ip6 ? IFA_F_NODAD : 0;
  body.ifa_index = static_cast<std::uint32_t>(index_of(interface));
  Request request(RTM_NEWADDR, create, body);
  request.attribute(IFA_LOCAL, value);
  request.attribute(IFA_ADDRESS, value);
  ask(request.finish(), fmt::format("giving {} the address {}", interface, address));
}

void Netlink::set_up(const std::string& interface) {
  ifinfomsg link{};
  link.ifi_index = index_of(interface);
  link.ifi_flags = link.ifi_change = IFF_UP;
  ask(Request(RTM_NEWLINK, 0, link).finish(), "switching on " + interface);
}

void Netlink::ask(std::string message, const std::string& what) {
  must(send(socket_.fd(), message.data(), message.size(), 0) >= 0, "{}", what);
  char reply[8192];
  const ssize_t size = recv(socket_.fd(), reply, sizeof reply, 0);
  must(size >= 0, "{}", what);
  nlmsghdr header{};
  nlmsgerr answer{};
  errno = EPROTO;
  must(static_cast<std::size_t>(size) >= sizeof header + sizeof answer, "{}", what);
  std::memcpy(&header, reply, sizeof header);
  std::memcpy(&answer, reply + sizeof header, sizeof answer);
  must(header.nlmsg_type == NLMSG_ERROR, "{}", what);
  errno = -answer.error;
  must(answer.error == 0, "{}", what);
}

}  // namespace ordeal::clusters::lab
