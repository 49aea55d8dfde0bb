// SPDX-License-Identifier: Apache-2.0
#include "verifier/policy/warnings.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace verifier {
namespace {

using Warnings = std::vector<std::string>;

template <size_t kSize>
bool HasZeros(const std::vector<std::array<uint8_t, kSize>>& list) {
  return std::find(list.begin(), list.end(), std::array<uint8_t, kSize>{}) !=
         list.end();
}

void WarnOfBoot(const Policy& policy, Warnings& out) {
  if (policy.unattested_boot) {
    out.push_back(
        "unattested_boot: whoever controls the host chooses the boot files "
        "that say \"any\", and what runs with the secret");
  }
  const struct {
    std::string_view field;
    const BootRule& rule;
  } rows[] = {{"kernel", policy.kernel},
              {"initrd", policy.initrd},
              {"command_line", policy.command_line},
              {"acpi", policy.acpi}};
  for (const auto& row : rows) {
    if (HasZeros(row.rule.digests)) {
      out.push_back(absl::StrCat(
          "boot.", row.field,
          ": a digest of zeros matches nothing; put the file's there"));
    }
  }
}

void WarnOfLaunch(const Policy& policy, Warnings& out) {
  if (HasZeros(policy.measurement.values)) {
    out.push_back(
        "launch.measurement: a digest of zeros matches nothing; put the "
        "image's there");
  }
  if (policy.measurement.any && policy.minimum_guest_svn.value == 0) {
    out.push_back(
        "launch.minimum_guest_svn: 0 takes every image that the ID key ever "
        "signed");
  }
  if (!policy.id_key_digest.any) return;
  const bool from_id_block = !policy.family_id.any || !policy.image_id.any ||
                             !policy.author_key_digest.any ||
                             !policy.minimum_guest_svn.any;
  if (from_id_block) {
    out.push_back(
        "launch.id_key_digest: \"any\" lets the host write its own ID block, "
        "so family_id, image_id, author_key_digest and minimum_guest_svn "
        "prove nothing");
  }
}

// By the guest's policy, or because the host has it off. KVM launches no guest
// with the former.
bool SmtIsForbidden(const Policy& policy) {
  for (size_t i = 0; i < policy.guest_policy.size(); ++i) {
    if (sev::kPolicyBits[i].bit == sev::kPolicySmt &&
        policy.guest_policy[i] == BitRule::kForbidden) {
      return true;
    }
  }
  for (size_t i = 0; i < policy.platform_info.size(); ++i) {
    if (sev::kPlatformInfoBits[i].bit == sev::kPlatformInfoSmtEnabled &&
        policy.platform_info[i] == BitRule::kForbidden) {
      return true;
    }
  }
  return false;
}

void WarnOfTcb(const ProductRule& rule, Warnings& out) {
  const struct {
    std::string_view field;
    const TcbFloor& floor;
  } rows[] = {{"reported", rule.reported},
              {"committed", rule.committed},
              {"launch", rule.launch}};
  for (const auto& row : rows) {
    const std::string field =
        absl::StrCat("minimum_tcb.", WordOf(rule.product), ".", row.field);
    if (row.floor.any) {
      out.push_back(
          absl::StrCat(field, ": \"any\" takes firmware with known holes"));
    } else if (row.floor.value == sev::Tcb{}) {
      out.push_back(absl::StrCat(field, ": zeros are the same as \"any\""));
    }
  }
}

}  // namespace

std::vector<std::string> WarningsOf(const Policy& policy) {
  Warnings out;
  if (policy.emulated()) {
    out.push_back(
        "roots: not AMD's: for EMULATED guests, which protect nothing");
  } else if (policy.RuleFor(sev::Product::kMilan) != nullptr) {
    out.push_back(
        "products: Milan's root key derivation is publicly claimed to be "
        "broken (arXiv 2605.12990); docs/limitations.md, \"Milan\"");
  }
  WarnOfLaunch(policy, out);
  if (!SmtIsForbidden(policy)) {
    out.push_back(
        "guest_policy.smt: another guest may run on the sibling thread of the "
        "guest's core (platform_info.smt_enabled can forbid it, too)");
  }
  if (policy.vlek.kind == VlekRule::Kind::kAny) {
    out.push_back(
        "signer.vlek: \"any\" trusts every cloud provider's key, of chips that "
        "stay unnamed");
  }
  if (!policy.crl_required) {
    out.push_back(
        "signer.crl: a host that withholds the revocation list hides what AMD "
        "revoked");
  }
  if (policy.tcb_above_current) {
    out.push_back(
        "tcb_above_current: \"any\" takes reports of firmware that says it is "
        "newer than what runs");
  }
  for (const ProductRule& rule : policy.products) WarnOfTcb(rule, out);
  WarnOfBoot(policy, out);
  return out;
}

}  // namespace verifier
