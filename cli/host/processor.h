// SPDX-License-Identifier: Apache-2.0
//
// The processor of a host, as Linux lists it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/host/host.h"
#include "sev/product.h"

namespace cli {

struct Processor {
  std::string vendor, flags;  // another machine's words
  unsigned family = 0, model = 0, stepping = 0;

  bool IsAmd() const { return vendor == "AuthenticAMD"; }
  bool HasFlag(std::string_view flag) const;
  // Empty: none with SEV-SNP that is known here.
  std::optional<sev::Product> Product() const;
};

// The first of /proc/cpuinfo. Empty: none can be read.
std::optional<Processor> ProcessorOf(const Host& host);

// What is printed on the package: "EPYC 9004".
std::string_view SeriesOf(sev::Product product, unsigned model);

}  // namespace cli
