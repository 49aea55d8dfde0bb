// SPDX-License-Identifier: Apache-2.0
//
// The daemon's configuration file (docs/operate-host.md, README.md beside
// this file). TOML in ASCII; an unknown key is an error.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace host_proxy {

struct Endpoint {
  std::string host;  // a name or an address, IPv6 without brackets
  uint16_t port = 0;
};

struct VmConfig {
  std::string label;         // 1..128 of [a-z0-9._/-]; unique
  std::string socket;        // path of the unix socket QEMU connects to; unique
  std::string ram;           // path of the guest's RAM file; unique
  std::string certificates;  // folder, or empty
  std::map<std::string, Endpoint, std::less<>> endpoints;  // by name
};

struct Config {
  std::chrono::milliseconds connect_timeout{5000};
  std::vector<VmConfig> vms;  // 1..kMaxVms
};

inline constexpr size_t kMaxConfigSize = 1 << 20;
inline constexpr size_t kMaxVms = 1024;
inline constexpr size_t kMaxEndpoints = 16;  // of one VM

// `name` is what messages call the file.
//   InvalidArgument: "HP4 WHAT: NAME:LINE:COLUMN: what is wrong".
absl::StatusOr<Config> ParseConfig(std::string_view text,
                                   std::string_view name);

//   NotFound, PermissionDenied...: "HP1 WHAT: NAME: ...". Others as above.
absl::StatusOr<Config> LoadConfig(const std::string& path);

}  // namespace host_proxy
