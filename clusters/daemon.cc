#include "clusters/daemon.h"

#include <fmt/core.h>

#include "clusters/remote.h"
#include "core/result.h"

namespace ordeal::clusters {
namespace {

// running: sets $pid and succeeds when the process on record lives. The fields of /proc/PID/stat
// are counted from behind the program's name, which may contain anything: the first is the state,
// 18 the number of threads, 20 the start time. A zombie is gone only when no thread but the first
// is left: until then the others hold its ports and files. Sets $state, too.
std::string prelude(const Daemon& daemon) {
  return fmt::format(
      "d={}; p=$d/{}.pid; l=$d/{}.lock; "
      "running() {{ read -r pid born 2>/dev/null <\"$p\" || return 1; "
      "case $pid in ''|*[!0-9]*) return 1;; esac; "
      "s=$(cat \"/proc/$pid/stat\" 2>/dev/null) || return 1; set -- ${{s##*) }}; "
      "case $1 in X) return 1;; Z) [ \"${{18}}\" -gt 1 ] || return 1;; esac; "
      "state=$1; [ \"${{20}}\" = \"$born\" ]; }}; ",
      shell_quote(daemon.directory), daemon.name, daemon.name);
}

// From here on no other start, stop or kill of this daemon runs.
std::string lock(const Daemon& daemon) {
  return fmt::format(
      "exec 9>>\"$l\" || exit 1; "
      "flock -w 30 9 || {{ echo 'another start or stop of {} does not end' >&2; exit 1; }}; ",
      daemon.name);
}

// Waits for $1 hundredths of a second; fails when it is still running then.
constexpr std::string_view gone =
    "gone() { i=0; while running; do [ $i -ge $1 ] && return 1; sleep 0.01; i=$((i+1)); done; }; ";

constexpr std::string_view kill_and_wait =
    "kill -s KILL -- -$pid 2>/dev/null; kill -s KILL $pid 2>/dev/null; "
    "gone 1000 || { echo \"process $pid survives SIGKILL\" >&2; exit 1; }; rm -f \"$p\"";

// Run by the new session's shell, which becomes the server: it records itself before it does, so
// that there is no moment in which the server runs unrecorded.
constexpr std::string_view become_server =
    "born() { set -- ${1##*) }; echo ${20}; }; p=$1; shift; "
    "echo \"$$ $(born \"$(cat /proc/$$/stat)\")\" >\"$p.new\" && mv \"$p.new\" \"$p\" && exec "
    "\"$@\"";

std::string quoted(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += " " + shell_quote(word);
  return text;
}

}  // namespace

std::string start_command(const Daemon& daemon) {
  ORDEAL_CHECK(!daemon.command.empty(), "a daemon without a command");
  const std::string launch = fmt::format(
      "env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/ LANG=C{} "
      "setsid /bin/sh -c {} sh \"$p\"{} </dev/null >>{} 2>&1 9>&- & ",
      quoted(daemon.environment), shell_quote(become_server), quoted(daemon.command),
      shell_quote(daemon.log));
  return prelude(daemon) + "mkdir -p \"$d\" || exit 1; " + lock(daemon) +
         "i=0; while running; do [ $state = Z ] || exit 0; [ $i -lt 1000 ] || "
         "{ echo \"the killed process $pid does not end\" >&2; exit 1; }; sleep 0.01; "
         "i=$((i+1)); done; rm -f \"$p\"; " +
         launch +
         fmt::format(
             "recorded() {{ read -r pid born 2>/dev/null <\"$p\" && [ \"$pid\" = $! ]; }}; i=0; "
             "while [ $i -lt 1000 ] && kill -0 $! 2>/dev/null; do "
             "recorded && exit 0; sleep 0.01; i=$((i+1)); done; recorded && exit 0; "
             "echo '{} was not started' >&2; tail -n 1 {} >&2; exit 1",
             daemon.name, shell_quote(daemon.log));
}

std::string kill_command(const Daemon& daemon) {
  return fmt::format("{}[ -d \"$d\" ] || exit 0; {}{}running || exit 0; {}", prelude(daemon),
                     lock(daemon), gone, kill_and_wait);
}

std::string stop_command(const Daemon& daemon, Nanoseconds patience) {
  const auto hundredths =
      std::chrono::duration_cast<std::chrono::milliseconds>(patience).count() / 10;
  return fmt::format(
      "{}[ -d \"$d\" ] || exit 0; {}{}running || exit 0; kill -s TERM -- -$pid 2>/dev/null; "
      "kill -s TERM $pid 2>/dev/null; gone {} && rm -f \"$p\" && exit 0; {}",
      prelude(daemon), lock(daemon), gone, hundredths, kill_and_wait);
}

std::string pid_command(const Daemon& daemon) {
  return prelude(daemon) + "running && echo \"$pid\"";
}

std::string port_owners_command(const std::vector<std::uint16_t>& ports) {
  std::string wanted;
  for (const std::uint16_t port : ports) wanted += fmt::format(" {}:{:04X}", port, port);
  // State 0A is LISTEN; the tenth field is the inode by which /proc/PID/fd names the socket.
  return fmt::format(
      "for w in{}; do cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | "
      "while read -r _ local _ state _ _ _ _ _ inode _; do "
      "[ \"$state:${{local##*:}}\" = \"0A:${{w#*:}}\" ] || continue; "
      "f=$(find /proc/[0-9]*/fd -lname \"socket:\\[$inode\\]\" 2>/dev/null | head -n 1); "
      "pid=${{f#/proc/}}; pid=${{pid%%/*}}; c=$(cat \"/proc/$pid/comm\" 2>/dev/null); "
      "echo \"${{w%:*}} ${{pid:-?}} ${{c:-?}}\"; break; done; done",
      wanted);
}

}  // namespace ordeal::clusters
