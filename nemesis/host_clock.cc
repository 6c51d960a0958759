#include "nemesis/host_clock.h"

#include <fmt/core.h>

#include "core/file.h"
#include "nemesis/keeper.h"
#include "nemesis/targets.h"
#include "nemesis/turns.h"

namespace ordeal::nemesis {

namespace {

using clusters::shell_quote;

constexpr std::string_view services = "systemd-timesyncd chrony chronyd ntp ntpd ntpsec openntpd";

Result<std::string> error_of(const FaultSpec& spec) {
  const std::string shape = text_of(spec, "shape").value_or("jump");
  const std::int64_t offset = integer_of(spec, "offset_ms").value_or(60'000);
  const std::int64_t period = integer_of(spec, "period_ms").value_or(100);
  const std::int64_t ppm = integer_of(spec, "ppm").value_or(50'000);
  constexpr std::int64_t year_ms = 31'536'000'000;
  if (offset == 0 || offset < -year_ms || offset > year_ms)
    return error("fault {}: \"offset_ms\" must be within a year, and not 0", spec.id);
  if (period < 1) return error("fault {}: \"period_ms\" must be at least 1", spec.id);
  if (ppm < -100'000 || ppm > 100'000)
    return error("fault {}: \"ppm\" must be -100000 to 100000", spec.id);
  if (shape == "jump") return fmt::format("--offset-ms {}", offset);
  if (shape == "strobe") return fmt::format("--offset-ms {} --strobe-ms {}", offset, period);
  if (shape == "drift") return fmt::format("--drift-ppm {}", ppm);
  return error("fault {}: the \"shape\" of a host-clock fault must be jump, strobe or drift",
               spec.id);
}

// Fails, with the reason, where setting the clock would set somebody else's.
std::string own_clock() {
  const std::string here =
      read_file("/proc/sys/kernel/random/boot_id").value_or(std::string("unknown"));
  return fmt::format(
      "[ \"$(cat /proc/sys/kernel/random/boot_id)\" != {} ] ||\n"
      "  {{ echo 'it has the clock of the machine that Ordeal runs on, which is never set' >&2; "
      "exit 1; }}\n"
      "[ \"$(cat /proc/2/comm 2>/dev/null)\" = kthreadd ] ||\n"
      "  {{ echo 'it is a container, which has no clock of its own' >&2; exit 1; }}\n",
      shell_quote(here.substr(0, here.find('\n'))));
}

std::string stop_services(const std::string& list) {
  return fmt::format(
      "for s in {}; do\n"
      "  systemctl is-active --quiet $s 2>/dev/null || continue\n"
      "  echo $s >>{} && systemctl stop $s || exit 1\n"
      "done\n"
      "if who=$(pgrep -x 'chronyd|ntpd|openntpd|systemd-timesyn'); then\n"
      "  echo \"process $who sets the clock and is no service that could be stopped\" >&2; exit 1\n"
      "fi\n",
      services, list);
}

std::string start_services(const std::string& list) {
  return fmt::format(
      "if [ -e {0} ]; then\n"
      "  for s in $(sort -u {0}); do systemctl start $s || exit 1; done\n"
      "  rm -f {0}\n"
      "fi\n",
      list);
}

class HostClock final : public Fault {
 public:
  std::string_view kind() const override { return "host-clock"; }
  std::string_view summary() const override {
    return "the clock of a whole machine is wrong, where it has one of its own";
  }
  Drawing drawing() const override { return {"#117733", "H"}; }
  Touches touches() const override { return Touches::server; }
  bool by_name_only() const override { return true; }

  std::string probe(const Arena&, std::size_t) const override { return own_clock(); }
  std::string sweep(const std::string& program) const override {
    const std::string directory = program.substr(0, program.rfind("/bin/"));
    return set_right(program, directory);
  }

  FaultSpec draw(Rng& rng, std::size_t nodes) const override {
    FaultSpec spec = draw_fault(kind(), rng, nodes);
    Rng own = Rng(spec.draw).fork("host-clock");
    static const std::vector<std::string> shapes = {"jump", "strobe", "drift"};
    const std::string shape = own.pick(shapes);
    spec.parameters["shape"] = shape;
    if (shape != "drift")
      spec.parameters["offset_ms"] = own.between(1, 300) * (own.chance(0.5) ? 1000 : -1000);
    if (shape == "strobe") spec.parameters["period_ms"] = own.between(5, 500);
    if (shape == "drift")
      spec.parameters["ppm"] = own.between(1, 10) * (own.chance(0.5) ? 10'000 : -10'000);
    return spec;
  }

  Result<Injection> plan(const FaultSpec& spec, const Arena& arena) const override {
    const Result<std::string> wrong = error_of(spec);
    if (!wrong) return pass_on(wrong.error());
    const Keeper keeper{arena, spec.id};
    return on_targets(spec, arena, ": " + *wrong, [&](NodeAction& action) {
      action.undo = keeper.end() + set_right(arena.program(), arena.directory);
      action.inject = own_clock() + stop_services(services_file(arena.directory)) +
                      keeper.start("host-clock " + *wrong);
      action.effect = keeper.told();
      action.healed =
          keeper.prove_gone() + fmt::format(
                                    "if [ -e {0}/host-clock ] || [ -e {1} ]; then\n"
                                    "  echo 'the clock is not set right yet' >&2; exit 1\n"
                                    "fi\n"
                                    "date '+its clock says %F %T.%N'\n",
                                    shell_quote(arena.directory), services_file(arena.directory));
      return Result<void>();
    });
  }

 private:
  static std::string services_file(const std::string& directory) {
    return shell_quote(directory + "/time-services");
  }
  static std::string set_right(const std::string& program, const std::string& directory) {
    return fmt::format("{} right-clock --directory {} || exit 1\n", shell_quote(program),
                       shell_quote(directory)) +
           start_services(services_file(directory));
  }
};

}  // namespace

std::unique_ptr<Fault> make_host_clock() { return std::make_unique<HostClock>(); }

}  // namespace ordeal::nemesis
