#pragma once
// The few requests to the kernel's rtnetlink (rtnetlink(7)) from which the network of a lab is
// made. They act on the network namespace of the calling process. For child processes of a lab:
// failures end the process, by must().

#include <cstdint>
#include <string>

#include <sys/types.h>

#include "clusters/lab/process.h"

namespace ordeal::clusters::lab {

class Netlink {
 public:
  Netlink();
  void add_bridge(const std::string& name);
  // A pair of interfaces: `name` here, up, plugged into `bridge`; `peer_name` in the network of
  // process `peer`.
  void add_cable(const std::string& name, const std::string& bridge, const std::string& peer_name,
                 pid_t peer);
  // IPv4 or IPv6, usable at once; IPv6 only where the kernel has it.
  void add_address(const std::string& interface, const std::string& address, std::uint8_t prefix);
  void set_up(const std::string& interface);

 private:
  void ask(std::string message, const std::string& what);
  File socket_;
};

}  // namespace ordeal::clusters::lab
