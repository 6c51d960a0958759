#include "nemesis/node/vdso.h"

#if defined(__x86_64__)

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <set>
#include <vector>

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ordeal::node {

namespace {

using Address = std::uint64_t;

constexpr std::size_t jump_size = 5;  // e9 and a signed 32-bit distance
constexpr int most_signals = 100;     // of those that are on their way to a stopped thread
constexpr int attempts = 50;          // a thread may stand in the bytes that are replaced

struct Region {
  Address begin = 0, end = 0;
  std::string permissions, name;
};

std::string failure(const std::string& step) { return step + ": " + std::strerror(errno); }

std::vector<Region> regions_of(pid_t pid) {
  std::vector<Region> regions;
  FILE* maps = std::fopen(("/proc/" + std::to_string(pid) + "/maps").c_str(), "re");
  if (maps == nullptr) return regions;
  char line[4600];
  while (std::fgets(line, sizeof line, maps) != nullptr) {
    unsigned long begin = 0, end = 0;
    char permissions[8] = "", name[4200] = "";
    if (std::sscanf(line, "%lx-%lx %7s %*s %*s %*s %4199[^\n]", &begin, &end, permissions, name) >=
        3)
      regions.push_back({begin, end, permissions, name});
  }
  std::fclose(maps);
  return regions;
}

// /proc/PID/mem, which reaches read-only pages too.
class Memory {
 public:
  explicit Memory(pid_t pid)
      : fd_(::open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDWR | O_CLOEXEC)) {}
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  [[nodiscard]] bool read(Address at, void* to, std::size_t size) const {
    return ::pread(fd_, to, size, static_cast<off_t>(at)) == static_cast<ssize_t>(size);
  }
  [[nodiscard]] bool write(Address at, const void* from, std::size_t size) const {
    return ::pwrite(fd_, from, size, static_cast<off_t>(at)) == static_cast<ssize_t>(size);
  }

 private:
  int fd_;
};

// Every thread of a process, stopped until the end of this object.
class Stopped {
 public:
  explicit Stopped(pid_t pid) {
    for (bool found_new = true; found_new;) {
      found_new = false;
      for (const pid_t thread : threads_of(pid)) {
        if (threads_.count(thread) != 0) continue;
        if (::ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0) {
          if (errno == ESRCH) continue;
          error_ = errno;
          return;
        }
        if (stop(thread)) found_new = true;
      }
    }
  }
  Stopped(const Stopped&) = delete;
  Stopped& operator=(const Stopped&) = delete;
  ~Stopped() {
    for (const pid_t thread : threads_) ::ptrace(PTRACE_DETACH, thread, nullptr, nullptr);
  }
  // 0 when all are stopped, else an errno.
  [[nodiscard]] int error() const { return threads_.empty() && error_ == 0 ? ESRCH : error_; }
  [[nodiscard]] pid_t any() const { return *threads_.begin(); }
  // Whether a thread would run into half of an old instruction.
  [[nodiscard]] bool stands_in(Address begin, Address end) const {
    for (const pid_t thread : threads_) {
      user_regs_struct registers{};
      if (::ptrace(PTRACE_GETREGS, thread, nullptr, &registers) != 0) continue;
      if (registers.rip > begin && registers.rip < end) return true;
    }
    return false;
  }

 private:
  static std::vector<pid_t> threads_of(pid_t pid) {
    std::vector<pid_t> threads;
    DIR* folder = ::opendir(("/proc/" + std::to_string(pid) + "/task").c_str());
    if (folder == nullptr) return threads;
    while (const dirent* entry = ::readdir(folder)) {
      if (entry->d_name[0] != '.') threads.push_back(std::atoi(entry->d_name));
    }
    ::closedir(folder);
    return threads;
  }
  // A signal that comes before the stop is let through: the stop is right behind it.
  bool stop(pid_t thread) {
    if (::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) != 0) return false;
    for (int i = 0; i < most_signals; ++i) {
      int status = 0;
      if (::waitpid(thread, &status, __WALL) != thread || !WIFSTOPPED(status)) return false;
      if (status >> 16 == PTRACE_EVENT_STOP) return threads_.insert(thread).second;
      ::ptrace(PTRACE_CONT, thread, nullptr, static_cast<long>(WSTOPSIG(status)));
    }
    return false;
  }

  std::set<pid_t> threads_;
  int error_ = 0;
};

struct Vdso {
  Address base = 0;
  std::string image;
  Address functions[3] = {0, 0, 0};  // 0: this kernel has none

  template <class T>
  [[nodiscard]] const T* at(Address offset) const {
    return reinterpret_cast<const T*>(image.data() + offset);
  }
};

void find_functions(Vdso& vdso) {
  const auto* header = vdso.at<Elf64_Ehdr>(0);
  Address dynamic = 0;
  for (int i = 0; i < header->e_phnum; ++i) {
    const auto* part = vdso.at<Elf64_Phdr>(header->e_phoff) + i;
    if (part->p_type == PT_DYNAMIC) dynamic = part->p_vaddr;
  }
  if (dynamic == 0) return;
  Address symbols = 0, names = 0;
  for (const auto* entry = vdso.at<Elf64_Dyn>(dynamic); entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag == DT_SYMTAB) symbols = entry->d_un.d_ptr;
    if (entry->d_tag == DT_STRTAB) names = entry->d_un.d_ptr;
  }
  // In a vDSO the names follow the symbols.
  for (Address at = symbols; at + sizeof(Elf64_Sym) <= names; at += sizeof(Elf64_Sym)) {
    const auto* symbol = vdso.at<Elf64_Sym>(at);
    for (std::size_t i = 0; i < 3; ++i) {
      if (symbol->st_value != 0 &&
          std::strcmp(vdso.at<char>(names + symbol->st_name), replaced_names[i]) == 0)
        vdso.functions[i] = vdso.base + symbol->st_value;
    }
  }
}

bool load_vdso(pid_t pid, const Memory& memory, Vdso& vdso) {
  for (const Region& region : regions_of(pid)) {
    if (region.name != "[vdso]") continue;
    vdso.base = region.begin;
    vdso.image.resize(region.end - region.begin);
    if (!memory.read(region.begin, vdso.image.data(), vdso.image.size())) return false;
    find_functions(vdso);
    return vdso.functions[0] != 0;
  }
  return false;
}

Address find_page(pid_t pid, const Memory& memory) {
  for (const Region& region : regions_of(pid)) {
    char magic[sizeof stub_magic];
    if (region.end - region.begin == stub_page &&
        region.permissions.find('x') != std::string::npos &&
        memory.read(region.begin + parameters_at, magic, sizeof magic) &&
        std::memcmp(magic, stub_magic, sizeof magic) == 0)
      return region.begin;
  }
  return 0;
}

// A free page below the vDSO, near enough for the jump.
Address free_page(pid_t pid, Address vdso) {
  const std::vector<Region> regions = regions_of(pid);
  for (Address at = vdso - 16 * stub_page; vdso - at < (Address{1} << 30); at -= 16 * stub_page) {
    bool is_free = true;
    for (const Region& region : regions)
      is_free = is_free && (at + stub_page <= region.begin || at >= region.end);
    if (is_free) return at;
  }
  return 0;
}

// Has a stopped thread make one system call, at the instruction for it that every vDSO holds. A
// signal that was on its way (the runtime of Go sends many) is met before the instruction is: it is
// held back, and sent again at the end.
long call_in(pid_t pid, pid_t thread, Address instruction, long number,
             const Address (&arguments)[6]) {
  user_regs_struct before{};
  if (::ptrace(PTRACE_GETREGS, thread, nullptr, &before) != 0) return -errno;
  user_regs_struct call = before, after{};
  call.rax = static_cast<Address>(number);
  call.rdi = arguments[0];
  call.rsi = arguments[1];
  call.rdx = arguments[2];
  call.r10 = arguments[3];
  call.r8 = arguments[4];
  call.r9 = arguments[5];
  call.rip = instruction;
  call.orig_rax = ~Address{0};  // nothing to restart on the way
  if (::ptrace(PTRACE_SETREGS, thread, nullptr, &call) != 0) return -errno;
  std::vector<int> held;
  long result = -EAGAIN;
  for (int step = 0; step < most_signals; ++step) {
    int status = 0;
    if (::ptrace(PTRACE_SINGLESTEP, thread, nullptr, nullptr) != 0 ||
        ::waitpid(thread, &status, __WALL) != thread || !WIFSTOPPED(status) ||
        ::ptrace(PTRACE_GETREGS, thread, nullptr, &after) != 0) {
      result = -ESRCH;
      break;
    }
    if (after.rip != instruction) {
      result = static_cast<long>(after.rax);
      break;
    }
    if (status >> 16 == 0 && WSTOPSIG(status) != SIGTRAP) held.push_back(WSTOPSIG(status));
  }
  ::ptrace(PTRACE_SETREGS, thread, nullptr, &before);
  for (const int signal : held) ::syscall(SYS_tgkill, pid, thread, signal);
  return result;
}

// Our page, empty; 0 with a sentence.
Address make_page(pid_t pid, const Vdso& vdso, const Stopped& stopped, std::string& trouble) {
  const std::size_t instruction = vdso.image.find("\x0f\x05");
  const Address wanted = free_page(pid, vdso.base);
  if (instruction == std::string::npos || wanted == 0) {
    trouble = "there is no room for a clock of ours in its memory";
    return 0;
  }
  constexpr Address fixed_noreplace = 0x100000;
  const long got = call_in(pid, stopped.any(), vdso.base + instruction, SYS_mmap,
                           {wanted, stub_page, PROT_READ | PROT_WRITE | PROT_EXEC,
                            MAP_PRIVATE | MAP_ANONYMOUS | fixed_noreplace, ~Address{0}, 0});
  if (static_cast<Address>(got) == wanted) return wanted;
  errno = static_cast<int>(-got);
  trouble = failure("getting a page in its memory");
  return 0;
}

std::string page_content(const Vdso& vdso) {
  const StubCode code = clock_stub();
  std::string page(stub_page, '\xcc');
  page.replace(0, code.size, code.begin, code.size);
  ClockParameters parameters{};
  std::memcpy(parameters.magic, stub_magic, sizeof stub_magic);
  for (std::size_t i = 0; i < 3; ++i) {
    if (vdso.functions[i] != 0)
      std::memcpy(parameters.original[i], vdso.at<char>(vdso.functions[i] - vdso.base), 16);
  }
  std::memcpy(page.data() + parameters_at, &parameters, sizeof parameters);
  return page;
}

bool write_jumps(const Memory& memory, const Vdso& vdso, Address page) {
  const StubCode code = clock_stub();
  for (std::size_t i = 0; i < 3; ++i) {
    if (vdso.functions[i] == 0) continue;
    const auto distance =
        static_cast<std::int32_t>(static_cast<std::int64_t>(page + code.entries[i]) -
                                  static_cast<std::int64_t>(vdso.functions[i] + jump_size));
    unsigned char jump[jump_size] = {0xe9};
    std::memcpy(jump + 1, &distance, sizeof distance);
    if (!memory.write(vdso.functions[i], jump, sizeof jump)) return false;
  }
  return true;
}

bool is_patched(const Vdso& vdso) {
  return static_cast<unsigned char>(vdso.image[vdso.functions[0] - vdso.base]) == 0xe9;
}

// Calls `change` with all threads stopped outside of the bytes that change.
template <class Change>
bool while_stopped(pid_t pid, const Vdso& vdso, std::string& trouble, const Change& change) {
  for (int attempt = 0; attempt < attempts; ++attempt) {
    {
      const Stopped stopped(pid);
      if (stopped.error() != 0) {
        errno = stopped.error();
        trouble = failure("stopping its threads");
        return false;
      }
      bool is_clear = true;
      for (const Address function : vdso.functions)
        is_clear =
            is_clear && (function == 0 || !stopped.stands_in(function, function + jump_size));
      if (is_clear) return change(stopped);
    }
    ::poll(nullptr, 0, 1);
  }
  trouble = "a thread always stood in the bytes that were to be replaced";
  return false;
}

}  // namespace

bool SkewedClock::patch(std::string& trouble) {
  if (clock_stub().size == 0) {
    trouble = "the code that skews clocks does not fit its page";
    return false;
  }
  const Memory memory(pid_);
  Vdso vdso;
  if (!memory.is_open() || !load_vdso(pid_, memory, vdso)) {
    trouble = "its vDSO cannot be read";
    return false;
  }
  page_ = find_page(pid_, memory);
  if (page_ != 0 && is_patched(vdso)) return true;
  return while_stopped(pid_, vdso, trouble, [&](const Stopped& stopped) {
    if (page_ == 0) {
      page_ = make_page(pid_, vdso, stopped, trouble);
      if (page_ == 0) return false;
      const std::string content = page_content(vdso);
      if (!memory.write(page_, content.data(), content.size())) {
        trouble = failure("writing into its memory");
        return false;
      }
    }
    if (write_jumps(memory, vdso, page_)) return true;
    trouble = failure("writing into its vDSO");
    return false;
  });
}

bool SkewedClock::set(const ClockParameters& parameters) {
  const Memory memory(pid_);
  constexpr std::size_t begin = offsetof(ClockParameters, realtime);
  constexpr std::size_t end = offsetof(ClockParameters, lies);
  return page_ != 0 && memory.is_open() &&
         memory.write(page_ + parameters_at + begin,
                      reinterpret_cast<const char*>(&parameters) + begin, end - begin);
}

bool SkewedClock::get(ClockParameters& parameters) {
  const Memory memory(pid_);
  return page_ != 0 && memory.is_open() &&
         memory.read(page_ + parameters_at, &parameters, sizeof parameters);
}

bool SkewedClock::restore(std::string& trouble) {
  const Memory memory(pid_);
  Vdso vdso;
  if (!memory.is_open() || !load_vdso(pid_, memory, vdso)) return true;
  page_ = find_page(pid_, memory);
  ClockParameters parameters{};
  if (page_ == 0 || !get(parameters)) return true;
  const ClockParameters truth{};
  (void)set(truth);
  if (!is_patched(vdso)) return true;
  return while_stopped(pid_, vdso, trouble, [&](const Stopped&) {
    for (std::size_t i = 0; i < 3; ++i) {
      if (vdso.functions[i] != 0 &&
          !memory.write(vdso.functions[i], parameters.original[i], jump_size)) {
        trouble = failure("writing into its vDSO");
        return false;
      }
    }
    return true;
  });
}

}  // namespace ordeal::node

#else

namespace ordeal::node {
bool SkewedClock::patch(std::string& trouble) {
  trouble = "clocks can be skewed on x86-64 only so far";
  return false;
}
bool SkewedClock::set(const ClockParameters&) { return false; }
bool SkewedClock::get(ClockParameters&) { return false; }
bool SkewedClock::restore(std::string&) { return true; }
}  // namespace ordeal::node

#endif
