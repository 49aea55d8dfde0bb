// SPDX-License-Identifier: Apache-2.0
#include "verifier/evidence/tcb_order.h"

#include <cstdint>
#include <string_view>

#include "absl/strings/str_format.h"
#include "sev/tcb.h"

namespace verifier {
namespace {

struct Part {
  std::string_view name;
  uint8_t sev::Tcb::* value;
};
constexpr Part kParts[] = {{"fmc", &sev::Tcb::fmc},
                           {"boot_loader", &sev::Tcb::boot_loader},
                           {"tee", &sev::Tcb::tee},
                           {"snp", &sev::Tcb::snp},
                           {"microcode", &sev::Tcb::microcode}};

}  // namespace

std::vector<std::string> PartsAboveCurrentTcb(
    const sev::UnverifiedReport& report, sev::Product product) {
  const sev::Tcb current = sev::DecodeTcb(report.current_tcb(), product);
  const struct {
    std::string_view name;
    sev::Tcb tcb;
  } others[] = {
      {"reported", sev::DecodeTcb(report.reported_tcb(), product)},
      {"committed", sev::DecodeTcb(report.committed_tcb(), product)},
  };
  std::vector<std::string> above;
  for (const auto& [name, tcb] : others) {
    for (const Part& part : kParts) {
      if (tcb.*part.value <= current.*part.value) continue;
      above.push_back(absl::StrFormat("%s %s %d, current %d", name, part.name,
                                      tcb.*part.value, current.*part.value));
    }
  }
  return above;
}

}  // namespace verifier
