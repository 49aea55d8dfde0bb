// SPDX-License-Identifier: Apache-2.0
#include "verifier/policy/policy.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "verifier/endorsements/amd_roots.h"
#include "verifier/policy/path_pattern.h"

namespace verifier {

bool Policy::SpeaksFor(std::string_view vm) const {
  return std::any_of(vms.begin(), vms.end(), [&](const std::string& pattern) {
    return Matches(pattern, vm);
  });
}

bool Policy::Gives(std::string_view vm, std::string_view path) const {
  if (!SpeaksFor(vm)) return false;
  return std::any_of(secrets.begin(), secrets.end(),
                     [&](const std::string& pattern) {
                       return Matches(SubstituteVm(pattern, vm), path);
                     });
}

std::vector<std::string> Policy::GovernedPatterns() const {
  std::vector<std::string> patterns;
  for (const std::string& secret : secrets) {
    for (const std::string& vm : vms) {
      std::string pattern = SubstituteVm(secret, vm);
      if (std::find(patterns.begin(), patterns.end(), pattern) ==
          patterns.end()) {
        patterns.push_back(std::move(pattern));
      }
    }
  }
  return patterns;
}

bool Policy::Governs(std::string_view path) const {
  const auto patterns = GovernedPatterns();
  return std::any_of(
      patterns.begin(), patterns.end(),
      [&](const std::string& pattern) { return Matches(pattern, path); });
}

// Two expansions in which the VM's name fills the same parts can only share a
// path of the same VM; all the others must not share any.
std::string Policy::AmbiguousPath() const {
  struct Expansion {
    std::string pattern;
    int at;
    size_t parts;
  };
  std::vector<Expansion> all;
  for (const std::string& secret : secrets) {
    const int at = VmPart(secret);
    if (at < 0) continue;  // Given to every VM, as written.
    for (const std::string& vm : vms) {
      all.push_back({SubstituteVm(secret, vm), at, CountParts(vm)});
    }
  }
  for (size_t i = 0; i < all.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const bool same_parts =
          all[i].at == all[j].at && all[i].parts == all[j].parts;
      if (!same_parts && Overlap(all[i].pattern, all[j].pattern)) {
        return absl::StrCat(all[j].pattern, " and ", all[i].pattern);
      }
    }
  }
  return "";
}

bool Policy::emulated() const {
  return std::none_of(roots.begin(), roots.end(), IsAmdRoot);
}

const ProductRule* Policy::RuleFor(sev::Product product) const {
  const auto found =
      std::ranges::find(products, product, &ProductRule::product);
  return found == products.end() ? nullptr : &*found;
}

std::string WordOf(sev::Product product) {
  return absl::AsciiStrToLower(sev::NameOf(product));
}

std::string SharedPath(const Policy& a, const Policy& b) {
  for (const std::string& left : a.GovernedPatterns()) {
    for (const std::string& right : b.GovernedPatterns()) {
      if (Overlap(left, right)) return left;
    }
  }
  return "";
}

}  // namespace verifier
