// SPDX-License-Identifier: Apache-2.0
#include "cli/host/processor.h"

#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace cli {
namespace {

constexpr size_t kCpuInfo = 64 << 10;  // of many: the first ones

}  // namespace

bool Processor::HasFlag(std::string_view flag) const {
  return absl::StrContains(absl::StrCat(" ", flags, " "),
                           absl::StrCat(" ", flag, " "));
}

std::optional<sev::Product> Processor::Product() const {
  if (!IsAmd() || family > 0xFF || model > 0xFF) return std::nullopt;
  return sev::ProductOf({.family = static_cast<uint8_t>(family),
                         .model = static_cast<uint8_t>(model),
                         .stepping = 0});
}

std::optional<Processor> ProcessorOf(const Host& host) {
  const auto text = host.Read("/proc/cpuinfo", kCpuInfo);
  if (!text.ok()) return std::nullopt;
  std::map<std::string_view, std::string_view> values;
  for (const std::string_view line : absl::StrSplit(*text, '\n')) {
    if (line.empty()) break;
    const std::pair<std::string_view, std::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(':', 1));
    values.emplace(absl::StripAsciiWhitespace(parts.first),
                   absl::StripAsciiWhitespace(parts.second));
  }
  Processor processor = {.vendor = std::string(values["vendor_id"]),
                         .flags = std::string(values["flags"])};
  if (processor.vendor.empty() ||
      !absl::SimpleAtoi(values["cpu family"], &processor.family) ||
      !absl::SimpleAtoi(values["model"], &processor.model) ||
      !absl::SimpleAtoi(values["stepping"], &processor.stepping)) {
    return std::nullopt;
  }
  return processor;
}

std::string_view SeriesOf(sev::Product product, unsigned model) {
  switch (product) {
    case sev::Product::kMilan:
      return "EPYC 7003";
    case sev::Product::kGenoa:
      return model >> 4 == 0xA ? "EPYC 97x4 or 8004" : "EPYC 9004";
    case sev::Product::kTurin:
      return "EPYC 9005";
  }
  __builtin_trap();
}

}  // namespace cli
