// Damage at rest to the files of a server that does not run, and its taking back. Before a byte is
// changed, what it was and what it will be is in a journal on the disk; to mend is to put the old
// bytes back wherever the new ones still stand. What the server has written since is never touched.

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nemesis/node/tasks.h"

namespace ordeal::node {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t block = 4096, most_chunk = std::size_t{64} << 10U;
constexpr std::uint64_t most_data = std::uint64_t{1} << 30U;
constexpr int draws_of_a_rollback = 8;

// Bytes of one file at one offset. Where `after` is shorter, the file ends behind it.
struct Place {
  std::string file;
  std::uint64_t offset = 0;
  std::string before, after;
};
struct Original {
  std::uint64_t sum = 0;
  timespec written{};
};
struct Journal {
  std::string data;
  std::map<std::string, Original> files;  // those that have a place
  std::vector<Place> places;
};

std::uint64_t mix(std::uint64_t z) {
  z += 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31U);
}

int trouble(const std::string& words) {
  std::fprintf(stderr, "%s\n", words.c_str());
  return 1;
}
int failed(const std::string& path) { return trouble(path + ": " + std::strerror(errno)); }

bool read_file(const std::string& path, std::string& content) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info {};
  if (fd < 0) return false;
  const bool known = ::fstat(fd, &info) == 0;
  content.resize(known ? static_cast<std::size_t>(info.st_size) : 0);
  std::size_t size = 0;
  for (ssize_t got = 1; got > 0 && size < content.size(); size += static_cast<std::size_t>(got)) {
    got = ::read(fd, content.data() + size, content.size() - size);
    if (got <= 0) break;
  }
  ::close(fd);
  return known && size == content.size();
}

// FNV-1a, of 8 bytes at a time: to tell whether two contents are the same.
std::uint64_t sum_of(const std::string& content) {
  std::uint64_t sum = 0xcbf29ce484222325ULL ^ content.size();
  for (std::size_t at = 0; at < content.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, content.data() + at, std::min<std::size_t>(8, content.size() - at));
    sum = (sum ^ word) * 0x100000001b3ULL;
    sum ^= sum >> 29U;
  }
  return sum;
}
std::string hex(std::uint64_t sum) {
  char text[20];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(sum));
  return text;
}

// The regular files below the data folder whose path has the wanted part in it, in order; an empty
// `why` on success. Where we keep what they were, there must be room for twice as much.
std::vector<std::string> files_of(const Arguments& arguments, std::string& why) {
  const std::string folder = arguments.text("data"), part = arguments.text("files");
  std::vector<std::string> files;
  std::error_code code;
  std::uint64_t size = 0;
  for (fs::recursive_directory_iterator at(folder, code), end; !code && at != end;
       at.increment(code)) {
    if (!at->is_regular_file(code) || at->is_symlink(code)) continue;
    const std::string path = at->path().lexically_relative(folder).string();
    if (path.find(part) == std::string::npos) continue;
    size += at->file_size(code);
    files.push_back(path);
  }
  if (code) why = folder + ": " + code.message();
  if (size > most_data)
    why = folder + " holds " + std::to_string(size >> 20U) +
          " MiB, and no more than 1024 are damaged, as all of it is read";
  const fs::space_info space = fs::space(arguments.text("directory"), code);
  if (why.empty() && (code || space.available < 2 * size))
    why = "there is no room in " + arguments.text("directory") + " to keep what is damaged";
  std::sort(files.begin(), files.end());
  return files;
}

std::string folder_of(const Arguments& arguments) {
  return arguments.text("directory") + "/damage/" + arguments.text("name");
}

// Numbers and texts one after the other, each text behind its length.
void put(std::ostream& out, std::uint64_t number) {
  out.write(reinterpret_cast<const char*>(&number), sizeof number);
}
void put(std::ostream& out, const std::string& text) {
  put(out, text.size());
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
}
std::uint64_t take(std::istream& in) {
  std::uint64_t number = 0;
  in.read(reinterpret_cast<char*>(&number), sizeof number);
  return in ? number : 0;
}
std::string take_text(std::istream& in) {
  std::string text(std::min(take(in), most_data), '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  return text;
}

// Whole and synced, or not there at all.
bool write_journal(const std::string& folder, const Journal& journal) {
  const std::string fresh = folder + "/journal.new";
  {
    std::ofstream out(fresh, std::ios::binary);
    put(out, journal.data);
    put(out, journal.files.size());
    for (const auto& [path, original] : journal.files) {
      put(out, path);
      put(out, original.sum);
      put(out, static_cast<std::uint64_t>(original.written.tv_sec));
      put(out, static_cast<std::uint64_t>(original.written.tv_nsec));
    }
    put(out, journal.places.size());
    for (const Place& place : journal.places) {
      put(out, place.file);
      put(out, place.offset);
      put(out, place.before);
      put(out, place.after);
    }
    if (!out.flush()) return false;
  }
  const int fd = ::open(fresh.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  return synced && ::rename(fresh.c_str(), (folder + "/journal").c_str()) == 0;
}

bool read_journal(const std::string& folder, Journal& journal) {
  std::ifstream in(folder + "/journal", std::ios::binary);
  if (!in) return false;
  journal.data = take_text(in);
  for (std::uint64_t left = take(in); left > 0 && in; --left) {
    Original& original = journal.files[take_text(in)];
    original.sum = take(in);
    original.written.tv_sec = static_cast<time_t>(take(in));
    original.written.tv_nsec = static_cast<long>(take(in));
  }
  for (std::uint64_t left = take(in); left > 0 && in; --left) {
    Place place;
    place.file = take_text(in);
    place.offset = take(in);
    place.before = take_text(in);
    place.after = take_text(in);
    journal.places.push_back(std::move(place));
  }
  return static_cast<bool>(in);
}

// An open file of the data.
class File {
 public:
  explicit File(const std::string& path) : fd_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  [[nodiscard]] bool holds(std::uint64_t offset, const std::string& bytes, bool to_the_end) const {
    struct stat info {};
    if (::fstat(fd_, &info) != 0) return false;
    if (to_the_end && info.st_size != static_cast<off_t>(offset + bytes.size())) return false;
    std::string there(bytes.size(), '\0');
    const ssize_t got = ::pread(fd_, there.data(), there.size(), static_cast<off_t>(offset));
    return got == static_cast<ssize_t>(bytes.size()) && there == bytes;
  }
  [[nodiscard]] bool put(std::uint64_t offset, const std::string& bytes, bool to_the_end) const {
    const auto size = static_cast<ssize_t>(bytes.size());
    if (::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset)) != size) return false;
    return !to_the_end || ::ftruncate(fd_, static_cast<off_t>(offset + bytes.size())) == 0;
  }

 private:
  int fd_;
};

// The file of one place after the other, opened once for those that follow each other.
class Files {
 public:
  explicit Files(const std::string& data) : data_(data) {}
  const File& of(const Place& place) {
    if (file_ == nullptr || path_ != place.file)
      file_ = std::make_unique<File>(data_ + "/" + (path_ = place.file));
    return *file_;
  }

 private:
  std::string data_, path_;
  std::unique_ptr<File> file_;
};

bool is_cut(const Place& place) { return place.after.size() < place.before.size(); }

// What each shape does to one file's content.
struct Harm {
  std::string shape;
  std::uint64_t percent = 100, seed = 0;
  std::string then;  // rollback: the folder with copies of what the files were
};

void flip(const Harm& harm, const Place& file, std::vector<Place>& places) {
  for (std::uint64_t at = 0; at < file.before.size(); at += block) {
    const std::uint64_t draw = mix(harm.seed ^ mix(at + 1));
    if (draw % 100 >= harm.percent) continue;
    const std::size_t size = std::min<std::size_t>(block, file.before.size() - at);
    const std::uint64_t byte = at + (draw >> 8U) % size;
    const char before = file.before[byte];
    const char after = static_cast<char>(before ^ (1 << ((draw >> 40U) % 8)));
    places.push_back({file.file, byte, std::string(1, before), std::string(1, after)});
  }
}

void truncate(const Harm& harm, const Place& file, std::vector<Place>& places) {
  if (file.before.empty()) return;
  const std::uint64_t gone = std::max<std::uint64_t>(file.before.size() * harm.percent / 100, 1);
  const std::uint64_t size = file.before.size() - gone;
  places.push_back({file.file, size, file.before.substr(size), {}});
}

// A chunk of the file takes the place of another one.
void copy(const Harm& harm, const Place& file, std::vector<Place>& places) {
  const std::uint64_t blocks = file.before.size() / block;
  if (blocks < 2) return;
  const std::uint64_t size =
      std::min<std::uint64_t>(1 + mix(harm.seed) % (most_chunk / block), blocks / 2) * block;
  const std::uint64_t steps = (file.before.size() - size) / block + 1;
  const std::uint64_t to = mix(harm.seed + 1) % steps;
  const std::uint64_t from = (to + 1 + mix(harm.seed + 2) % (steps - 1)) % steps;
  Place place{file.file, to * block, file.before.substr(to * block, size),
              file.before.substr(from * block, size)};
  if (place.before != place.after) places.push_back(std::move(place));
}

// Some of the blocks that have changed are again what they were.
void roll_back(const Harm& harm, const Place& file, std::vector<Place>& places) {
  std::string old;
  if (!read_file(harm.then + "/" + file.file, old)) return;
  std::vector<std::uint64_t> changed;
  for (std::uint64_t at = 0; at < std::min(old.size(), file.before.size()); at += block) {
    if (old.compare(at, block, file.before, at, std::min<std::size_t>(block, old.size() - at)) != 0)
      changed.push_back(at);
  }
  for (int i = 0; i < draws_of_a_rollback && !changed.empty(); ++i) {
    const auto drawn =
        changed.begin() + static_cast<std::ptrdiff_t>(
                              mix(harm.seed + static_cast<std::uint64_t>(i)) % changed.size());
    const std::size_t size = std::min({block, old.size() - *drawn, file.before.size() - *drawn});
    places.push_back(
        {file.file, *drawn, file.before.substr(*drawn, size), old.substr(*drawn, size)});
    changed.erase(drawn);
  }
}

// Chooses all places, without touching anything; an empty trouble on success.
Journal choose(const Arguments& arguments, const std::string& folder, std::string& why) {
  Journal journal;
  journal.data = arguments.text("data");
  Harm harm{arguments.text("shape"), static_cast<std::uint64_t>(arguments.integer("percent", 100)),
            0, folder + "/then"};
  for (const std::string& path : files_of(arguments, why)) {
    if (!why.empty()) break;
    Place file{path, 0, {}, {}};
    struct stat info {};
    const std::string full = journal.data + "/" + path;
    if (::stat(full.c_str(), &info) != 0 || !read_file(full, file.before)) {
      why = full + ": " + std::strerror(errno);
      break;
    }
    harm.seed = mix(static_cast<std::uint64_t>(arguments.integer("seed")) ^ sum_of(path));
    const std::size_t before = journal.places.size();
    if (harm.shape == "flips") flip(harm, file, journal.places);
    if (harm.shape == "truncate") truncate(harm, file, journal.places);
    if (harm.shape == "copy") copy(harm, file, journal.places);
    if (harm.shape == "rollback") roll_back(harm, file, journal.places);
    if (journal.places.size() > before) journal.files[path] = {sum_of(file.before), info.st_mtim};
  }
  if (why.empty() && journal.places.empty())
    why = "there is no file below " + journal.data + " that could be damaged so";
  return journal;
}

// In how many places the damage stands, and what became of the first file.
std::string tell(const Journal& journal) {
  std::size_t standing = 0;
  Files files(journal.data);
  for (const Place& place : journal.places) {
    const File& file = files.of(place);
    if (!file.is_open()) continue;
    // A server that goes on behind the cut has not brought back what was lost.
    if (is_cut(place) ? !file.holds(place.offset, place.before, false)
                      : file.holds(place.offset, place.after, false))
      ++standing;
  }
  if (standing == 0) return {};
  const auto& [path, original] = *journal.files.begin();
  std::string now;
  (void)read_file(journal.data + "/" + path, now);
  return std::to_string(standing) + " places in " + std::to_string(journal.files.size()) +
         " files are damaged; checksum of " + path + ": " + hex(original.sum) + " before, " +
         hex(sum_of(now)) + " now";
}

bool mend(const Journal& journal, std::string& words) {
  std::size_t left = 0, whole = 0;
  Files files(journal.data);
  for (auto place = journal.places.rbegin(); place != journal.places.rend(); ++place) {
    const File& file = files.of(*place);
    if (file.is_open() && file.holds(place->offset, place->after, is_cut(*place))) {
      if (!file.put(place->offset, place->before, is_cut(*place))) return failed(place->file) == 0;
    } else if (!file.is_open() || !file.holds(place->offset, place->before, false)) {
      ++left;
    }
  }
  for (const auto& [path, original] : journal.files) {
    std::string now;
    const std::string full = journal.data + "/" + path;
    if (!read_file(full, now) || sum_of(now) != original.sum) continue;
    ++whole;
    const timespec times[2] = {{0, UTIME_OMIT}, original.written};
    ::utimensat(AT_FDCWD, full.c_str(), times, 0);
  }
  words = "taken back in " + std::to_string(journal.places.size() - left) + " of " +
          std::to_string(journal.places.size()) + " places" +
          (left == 0 ? "" : ", the others the server has changed since") + "; " +
          std::to_string(whole) + " of " + std::to_string(journal.files.size()) +
          " files have the checksum of before";
  return true;
}

int mend_folder(const std::string& folder, const std::string& last_words) {
  Journal journal;
  std::string words = "nothing was damaged";
  if (read_journal(folder, journal) && !mend(journal, words)) return 1;
  std::error_code code;
  if (!last_words.empty()) {
    fs::create_directories(fs::path(last_words).parent_path(), code);
    std::ofstream(last_words) << words << "\n";
  }
  fs::remove_all(folder, code);
  fs::remove(fs::path(folder).parent_path(), code);  // when it was the last one
  return 0;
}

}  // namespace

int run_remember(const Arguments& arguments) {
  const std::string folder = folder_of(arguments), data = arguments.text("data");
  std::string why;
  for (const std::string& path : files_of(arguments, why)) {
    if (!why.empty()) break;
    std::error_code code;
    const fs::path to = fs::path(folder) / "then" / path;
    fs::create_directories(to.parent_path(), code);
    fs::copy_file(fs::path(data) / path, to, fs::copy_options::overwrite_existing, code);
    // A file that is gone meanwhile is no trouble.
    if (code && code != std::errc::no_such_file_or_directory) why = path + ": " + code.message();
  }
  return why.empty() ? 0 : trouble(why);
}

int run_damage(const Arguments& arguments) {
  const std::string folder = folder_of(arguments);
  // Injected twice: what was damaged before is taken back first.
  Journal earlier;
  std::string words, why;
  if (read_journal(folder, earlier) && !mend(earlier, words)) return 1;
  const Journal journal = choose(arguments, folder, why);
  if (!why.empty()) return trouble(why);
  std::error_code code;
  fs::remove_all(folder + "/then", code);
  fs::create_directories(folder, code);
  if (!write_journal(folder, journal)) return failed(folder + "/journal");
  Files files(journal.data);
  for (const Place& place : journal.places) {
    const File& file = files.of(place);
    if (!file.is_open() || !file.put(place.offset, place.after, is_cut(place)))
      return failed(place.file);
  }
  return 0;
}

int tell_of_damage(const Arguments& arguments) {
  Journal journal;
  const std::string words =
      read_journal(folder_of(arguments), journal) ? tell(journal) : std::string();
  if (words.empty()) return trouble("no damage stands");
  std::printf("%s\n", words.c_str());
  return 0;
}

int mend_damage(const Arguments& arguments) {
  if (arguments.has("name")) {
    return mend_folder(folder_of(arguments),
                       arguments.text("directory") + "/keep/" + arguments.text("name") + ".last");
  }
  std::error_code code;
  std::vector<std::string> folders;
  for (const auto& each : fs::directory_iterator(arguments.text("directory") + "/damage", code))
    folders.push_back(each.path().string());
  int status = 0;
  for (const std::string& folder : folders) status |= mend_folder(folder, {});
  return status;
}

}  // namespace ordeal::node
