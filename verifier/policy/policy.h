// SPDX-License-Identifier: Apache-2.0
//
// Policy: what a guest owner writes, as a value. docs/policy.md is the
// reference of the file.
//
// Complete: every check has a value, and one that is off was written as "any".
// A policy adds to the verifier's fixed core and can take nothing from it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "verifier/ossl/ossl.h"

namespace verifier {

struct BootRule {
  enum class Kind {
    kDigests,  // One of `digests`.
    kNone,     // ACPI only: the guest hands no tables on.
    kAny,      // Needs unattested_boot.
  };
  Kind kind = Kind::kDigests;
  std::vector<ossl::Digest384> digests;
};

struct Policy {
  std::string name;
  std::vector<std::string> vms;      // Patterns.
  std::vector<std::string> secrets;  // Patterns, perhaps with {vm}.
  std::vector<ossl::Digest256> roots;
  std::vector<ossl::Digest384> measurements;
  bool unattested_boot = false;
  BootRule kernel;
  BootRule initrd;
  BootRule command_line;
  BootRule acpi;
  // Guest-policy bits (of the SNP launch policy) that may be set although the
  // fixed core does not know them.
  uint64_t guest_policy_bits = 0;

  // `file` names the text in messages. InvalidArgument, with the reason, file,
  // line, column and field: not a policy.
  static absl::StatusOr<Policy> Parse(std::string_view text,
                                      std::string_view file);

  bool SpeaksFor(std::string_view vm) const;
  // May this VM have that path by the secrets of this policy?
  bool Gives(std::string_view vm, std::string_view path) const;
  // Every path that it governs, for any VM, as patterns without {vm}.
  std::vector<std::string> GovernedPatterns() const;
  bool Governs(std::string_view path) const;
  // A path pattern that {vm} would give to two VMs, because their names have
  // different numbers of parts or {vm} stands at different places; empty if
  // there is none. Parse refuses such a policy.
  std::string AmbiguousPath() const;
  // Emulated policies name no AMD root; Parse refuses a mixture.
  bool emulated() const;
};

// A pattern that both govern; empty if there is none.
std::string SharedPath(const Policy& a, const Policy& b);

}  // namespace verifier
