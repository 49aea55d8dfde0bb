// SPDX-License-Identifier: Apache-2.0
#include "cli/policy_input.h"

#include <utility>

#include "absl/strings/strip.h"
#include "cli/files.h"

namespace cli {
namespace {

// Larger than any kernel or initramfs.
constexpr size_t kMaxBootFile = size_t{1} << 30;

absl::StatusOr<std::optional<BootFile>> ReadBootFile(
    const hosted::Arguments& arguments, std::string_view option) {
  if (!arguments.Has(option)) return std::optional<BootFile>();
  const std::string path = arguments.Value(option);
  auto bytes = ReadInput(path, kMaxBootFile);
  if (!bytes.ok()) return bytes.status();
  const auto sha384 = verifier::ossl::Sha384::Of(*bytes);
  return BootFile{.path = path, .bytes = *std::move(bytes), .sha384 = sha384};
}

}  // namespace

absl::StatusOr<verifier::Policy> LoadPolicy(const std::string& path) {
  const auto text = ReadInput(path);
  if (!text.ok()) return text.status();
  // EDGE: char may alias the bytes.
  return verifier::Policy::Parse(
      {reinterpret_cast<const char*>(text->data()), text->size()}, path);
}

absl::StatusOr<BootInput> ParseBoot(const hosted::Arguments& arguments) {
  BootInput boot;
  const struct {
    std::string_view option;
    std::optional<BootFile>& file;
  } rows[] = {{kKernelOption.name, boot.kernel},
              {kInitrdOption.name, boot.initrd},
              {kCommandLineOption.name, boot.command_line}};
  for (const auto& row : rows) {
    auto file = ReadBootFile(arguments, row.option);
    if (!file.ok()) return file.status();
    row.file = *std::move(file);
  }
  const std::string acpi = arguments.Value(kAcpiOption.name);
  boot.acpi_none = acpi == "none";
  if (!arguments.Has(kAcpiOption.name) || boot.acpi_none) return boot;
  verifier::ossl::Digest384 digest;
  if (!verifier::ossl::FromHex(absl::StripPrefix(acpi, "sha384:"), digest)) {
    return hosted::UsageError(
        "--acpi wants sha384: and 96 hex digits, or none");
  }
  boot.acpi = digest;
  return boot;
}

}  // namespace cli
