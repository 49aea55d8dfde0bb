// SPDX-License-Identifier: Apache-2.0
//
// What the commands of `forelock policy` read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "hosted/arguments.h"
#include "verifier/ossl/ossl.h"
#include "verifier/policy/policy.h"

namespace cli {

// VP1 to VP6 and VP20 to VP24: file, line, column and field.
absl::StatusOr<verifier::Policy> LoadPolicy(const std::string& path);

// Of the boot files; ParseBoot() reads what is given.
inline constexpr hosted::Option kKernelOption = {
    "kernel", "FILE", hosted::Option::Kind::kOptional,
    "the kernel that is booted"};
inline constexpr hosted::Option kInitrdOption = {
    "initrd", "FILE", hosted::Option::Kind::kOptional, "the initramfs"};
inline constexpr hosted::Option kCommandLineOption = {
    "command-line", "FILE", hosted::Option::Kind::kOptional,
    "a file of the kernel's command line: its bytes, no line's end"};
inline constexpr hosted::Option kAcpiOption = {
    "acpi", "DIGEST|none", hosted::Option::Kind::kOptional,
    "of the ACPI files, as the guest prints it: sha384:..."};

struct BootFile {
  std::string path;
  std::vector<uint8_t> bytes;
  verifier::ossl::Digest384 sha384{};
};
struct BootInput {
  std::optional<BootFile> kernel, initrd, command_line;
  bool acpi_none = false;
  std::optional<verifier::ossl::Digest384> acpi;
};
absl::StatusOr<BootInput> ParseBoot(const hosted::Arguments& arguments);

}  // namespace cli
