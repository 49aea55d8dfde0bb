// SPDX-License-Identifier: Apache-2.0
//
// What a policy says about one request, given facts that the evidence proves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "verifier/finding.h"
#include "verifier/ossl/ossl.h"
#include "verifier/policy/policy.h"

namespace verifier {

struct BootFileFact {
  uint64_t length = 0;  // In bytes.
  ossl::Digest384 sha384{};
};

struct BootFacts {
  std::optional<BootFileFact> kernel;
  std::optional<BootFileFact> initrd;
  std::optional<BootFileFact> command_line;
  size_t acpi_files = 0;
  // Over names, lengths and digests of the ACPI files in the order sent; of no
  // meaning if there are none.
  ossl::Digest384 acpi{};
};

struct Facts {
  std::string vm;
  ossl::Digest384 measurement{};
  std::optional<ossl::Digest256> root;  // Empty: the chain has none accepted.
  bool emulated = false;                // The root's class in the store.
  bool allow_emulated = false;          // The server's flag.
  BootFacts boot;
};

// Every condition that does not hold; empty: the policy is satisfied. Whether
// it governs what is asked for is the caller's question.
Findings Evaluate(const Policy& policy, const Facts& facts);

}  // namespace verifier
