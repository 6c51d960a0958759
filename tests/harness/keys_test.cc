// Keys on a terminal of the test's own: a child process has a pseudo terminal as its controlling
// one, and says with its exit code what it was told.

#include "harness/keys.h"

#include <chrono>
#include <cstdlib>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

namespace ordeal::harness {

namespace {

using namespace std::chrono_literals;

// In the child: 0 when every key did what it should.
int obey_keys(const char* terminal) {
  ::setsid();
  const int slave = ::open(terminal, O_RDWR);  // becomes the controlling terminal
  if (slave < 0 || ::dup2(slave, STDIN_FILENO) < 0) return 1;
  (void)::tcsetpgrp(STDIN_FILENO, ::getpgrp());
  termios before{};
  ::tcgetattr(STDIN_FILENO, &before);
  std::stop_source stop;
  Controls controls;
  {
    const Keys keys(stop, controls);
    if (!controls.keys_are_read) return 2;
    if (::write(STDERR_FILENO, "ready", 5) != 5) return 3;
    for (int i = 0; i < 600 && !stop.stop_requested(); ++i) std::this_thread::sleep_for(50ms);
  }
  termios after{};
  ::tcgetattr(STDIN_FILENO, &after);
  if (after.c_lflag != before.c_lflag) return 4;
  return controls.dumps == 2 && controls.faults_held && stop.stop_requested() ? 0 : 5;
}

}  // namespace

TEST_CASE("keys ask, hold faults back and end, and the terminal is put back") {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
  REQUIRE(master >= 0);
  REQUIRE(::grantpt(master) == 0);
  REQUIRE(::unlockpt(master) == 0);
  const std::string terminal = ::ptsname(master);
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ready[1], STDERR_FILENO);
    ::_exit(obey_keys(terminal.c_str()));
  }
  ::close(ready[1]);
  char word[8];
  CHECK(::read(ready[0], word, sizeof word) > 0);
  CHECK(::write(master, "tftxq", 5) == 5);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  ::close(ready[0]);
  ::close(master);
}

TEST_CASE("without a terminal no key is read") {
  const int saved = ::dup(STDIN_FILENO);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  std::stop_source stop;
  Controls controls;
  { const Keys keys(stop, controls); }
  CHECK_FALSE(controls.keys_are_read);
  ::dup2(saved, STDIN_FILENO);
  ::close(nothing);
  ::close(saved);
}

}  // namespace ordeal::harness
