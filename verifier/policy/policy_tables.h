// SPDX-License-Identifier: Apache-2.0
//
// Internal to Policy::Parse: its tables, over two files.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hosted/toml.h"
#include "verifier/policy/policy.h"

namespace verifier {

using hosted::TomlTable;

// A list of digests, each `prefix` and hex digits.
template <size_t kSize>
void ReadDigests(TomlTable& reader, std::string_view key,
                 const toml::node& node, std::string_view prefix,
                 std::vector<std::array<uint8_t, kSize>>& out) {
  reader.Strings(
      key, node, TomlTable::Empty::kRefused,
      [&](std::string_view text, const toml::node& at) {
        std::array<uint8_t, kSize> digest;
        if (!hosted::ReadHex(text, prefix, digest)) {
          const std::string with =
              prefix.empty() ? "" : absl::StrCat("\"", prefix, "\" and ");
          reader.Bad(at, key,
                     absl::StrCat("want ", with, 2 * kSize, " hex digits"));
          return;
        }
        out.push_back(digest);
      });
}

// Parts of the file, each in a table of its own.
void ReadLaunch(TomlTable& top, Policy& policy);
void ReadGuestPolicy(TomlTable& top, Policy& policy);
void ReadPlatformInfo(TomlTable& top, Policy& policy);
void ReadSigner(TomlTable& top, Policy& policy);
void ReadMinimumTcb(TomlTable& top, Policy& policy);
void ReadBoot(TomlTable& top, Policy& policy);

}  // namespace verifier
