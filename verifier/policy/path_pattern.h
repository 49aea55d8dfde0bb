// SPDX-License-Identifier: Apache-2.0
//
// Names (VMs, secret paths) and the patterns that a policy writes for them.
//
// A name has the form of proto/name.h, and no part between slashes is empty. In
// a pattern a part may be `*`: exactly one part, never several, so that
// `{vm}/*` of two VMs never meet although one's name begins the other's. In
// `secrets`, `{vm}` stands for the name of the VM that asks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace verifier {

bool ValidName(std::string_view name);

// A name in which a part may be `*`; with `allow_vm`, also `{vm}`.
enum class VmPlaceholder { kRefused, kAllowed };
bool ValidPattern(std::string_view pattern, VmPlaceholder placeholder);

// `pattern` has no {vm}.
bool Matches(std::string_view pattern, std::string_view name);

// Is there a name that both match? Both without {vm}.
bool Overlap(std::string_view a, std::string_view b);

// Where {vm} first stands in `pattern`, in parts from 0; -1: nowhere.
int VmPart(std::string_view pattern);
// How many parts a name or pattern has.
size_t CountParts(std::string_view name);

// `pattern` with {vm} replaced; `vm` may be a name or a pattern.
std::string SubstituteVm(std::string_view pattern, std::string_view vm);

}  // namespace verifier
