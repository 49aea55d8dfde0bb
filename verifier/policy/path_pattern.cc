// SPDX-License-Identifier: Apache-2.0
#include "verifier/policy/path_pattern.h"

#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "proto/name.h"

namespace verifier {
namespace {

constexpr std::string_view kVm = "{vm}";

// Of a name, between slashes.
bool ValidPart(std::string_view part) {
  if (part.empty()) return false;
  for (const char c : part) {
    if (!proto::IsNameByte(static_cast<uint8_t>(c))) return false;
  }
  return true;
}

std::vector<std::string_view> Parts(std::string_view name) {
  return absl::StrSplit(name, '/');
}

}  // namespace

bool ValidName(std::string_view name) {
  if (name.empty() || name.size() > proto::kMaxNameSize) return false;
  for (const std::string_view part : Parts(name)) {
    if (!ValidPart(part)) return false;
  }
  return true;
}

bool ValidPattern(std::string_view pattern, VmPlaceholder placeholder) {
  if (pattern.empty() || pattern.size() > proto::kMaxNameSize) return false;
  for (const std::string_view part : Parts(pattern)) {
    const bool is_vm = part == kVm && placeholder == VmPlaceholder::kAllowed;
    if (part != "*" && !is_vm && !ValidPart(part)) return false;
  }
  return true;
}

bool Matches(std::string_view pattern, std::string_view name) {
  return ValidName(name) && Overlap(pattern, name);
}

bool Overlap(std::string_view a, std::string_view b) {
  const auto left = Parts(a);
  const auto right = Parts(b);
  if (left.size() != right.size()) return false;
  for (size_t i = 0; i < left.size(); ++i) {
    if (left[i] != right[i] && left[i] != "*" && right[i] != "*") return false;
  }
  return true;
}

int VmPart(std::string_view pattern) {
  int at = 0;
  for (const std::string_view part : Parts(pattern)) {
    if (part == kVm) return at;
    ++at;
  }
  return -1;
}

size_t CountParts(std::string_view name) { return Parts(name).size(); }

std::string SubstituteVm(std::string_view pattern, std::string_view vm) {
  return absl::StrReplaceAll(pattern, {{kVm, vm}});
}

}  // namespace verifier
