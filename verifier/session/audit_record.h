// SPDX-License-Identifier: Apache-2.0
//
// What the owner's log keeps of one decision, and how it reads. Never in it:
// secrets, their hashes or their lengths.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/attest.h"
#include "verifier/evidence/appraisal_facts.h"
#include "verifier/finding.h"
#include "verifier/store/store.h"

namespace verifier {

struct AuditDetail {
  std::string peer;
  struct Asked {
    std::string path;    // Empty: no secret, only to boot.
    std::string policy;  // Empty: none governs it.
  };
  std::vector<Asked> asked;
  Findings findings;
  // Without a product a TCB is only a number.
  AppraisalFacts evidence;
  // Points into the evidence message; only read by ToJson.
  std::optional<proto::BootManifest> boot;
};

// Plain ASCII JSON, one line.
std::string ToJson(const AuditDetail& detail);

// For people: every reason with its advice, then what was seen, in the form in
// which a policy names it. Empty lines never; ends with a newline. Printable
// ASCII, whatever the row holds.
std::string ToText(const AuditEntry& entry);

// "2026-11-22T10:00:00Z"
std::string FormatTime(int64_t time_ms);

}  // namespace verifier
