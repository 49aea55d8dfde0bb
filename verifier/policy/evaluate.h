// SPDX-License-Identifier: Apache-2.0
//
// What a policy says about one request, given facts that the evidence proves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "verifier/evidence/appraisal_facts.h"
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
  std::optional<std::string> vm;
  AppraisalFacts evidence;
  bool allow_emulated = false;  // The server's flag.
  std::optional<BootFacts> boot;
};

enum class Judgement : uint8_t {
  kOff,  // The policy says "any".
  kPass,
  kFail,
  kUnknown,  // The fact is not there; as good as failed.
};

// One line of the policy, held against the facts.
struct Condition {
  std::string field;  // "launch.measurement", as in the file.
  Judgement judgement = Judgement::kUnknown;
  base::Reason reason{};  // What it is called if it does not hold.
  std::string seen;
  std::string allowed;
};

// Every condition of the policy. Whether it governs what is asked for is the
// caller's question.
std::vector<Condition> Judge(const Policy& policy, const Facts& facts);

// Those that do not hold or are not known to; empty: the policy is satisfied.
Findings Evaluate(const Policy& policy, const Facts& facts);

// "launch.measurement: seen ..., allowed ...".
std::string Describe(const Condition& condition);

}  // namespace verifier
