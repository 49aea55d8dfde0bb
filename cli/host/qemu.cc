// SPDX-License-Identifier: Apache-2.0
#include "cli/host/qemu.h"

#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "hosted/text.h"

namespace cli {
namespace {

// A line of `-object help`, without the blanks before it.
bool HasLine(std::string_view text, std::string_view wanted) {
  for (const std::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::StripAsciiWhitespace(line) == wanted) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<QemuFacts> AskQemu(const Host& host,
                                  const std::string& program) {
  const std::vector<std::string> version = {program, "--version"};
  const auto said = host.Run(version);
  if (!said.ok()) return said.status();
  const auto number = launch::ParseQemuVersion(said->text);
  if (said->exit_code != 0 || !number) {
    return absl::UnknownError(
        absl::StrCat(hosted::Printable(program), ": says no version of QEMU"));
  }
  const std::vector<std::string> objects = {program, "-object", "help"};
  const auto listed = host.Run(objects);
  if (!listed.ok()) return listed.status();
  return QemuFacts{.version = *number,
                   .has_snp = HasLine(listed->text, "sev-snp-guest"),
                   .has_igvm = HasLine(listed->text, "igvm-cfg")};
}

LaunchWay WayOf(const QemuFacts& qemu) {
  using launch::QemuLaunch;
  if (!qemu.has_snp) return LaunchWay::kNone;
  if (qemu.has_igvm && qemu.version >= launch::FirstFor(QemuLaunch::kSnpIgvm)) {
    return LaunchWay::kIgvm;
  }
  return qemu.version >= launch::FirstFor(QemuLaunch::kSnpRom)
             ? LaunchWay::kRom
             : LaunchWay::kNone;
}

}  // namespace cli
