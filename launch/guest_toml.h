// SPDX-License-Identifier: Apache-2.0
//
// guest.toml: how a guest's owner writes a VM's configuration. Every key is
// described in docs/own-a-guest.md; unknown ones are errors.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "proto/config.h"

namespace launch {

inline constexpr size_t kMaxGuestTomlSize = 64 * 1024;

// `file_name` is for messages: "LA5 ...: guest.toml:3:1: unknown key 'vn'".
// Every rule of proto::CheckConfig() holds for the result.
absl::StatusOr<proto::Config> ParseGuestToml(std::string_view text,
                                             const std::string& file_name);

// The same configuration as text, defaults filled in: what `forelock image
// show` prints, and ParseGuestToml() reads.
std::string ToGuestToml(const proto::Config& config);

}  // namespace launch
