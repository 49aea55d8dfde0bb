// SPDX-License-Identifier: Apache-2.0
//
// The way back: a configuration as guest.toml.
#include <array>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "hosted/text.h"
#include "launch/guest_toml.h"

namespace launch {
namespace {

// For a basic string. Places are printable ASCII (proto::CheckConfig()).
std::string Escaped(std::string_view text) {
  return absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}});
}

std::string ResourceToml(const proto::Resource& resource) {
  const bool luks2 = resource.kind == proto::ResourceKind::kLuks2;
  return absl::StrFormat(
      "\n[[resource]]\nname = \"%s\"\nkind = \"%s\"\n%s = \"%s\"\n"
      "max_size = %d\n",
      resource.name.view(), luks2 ? "luks2" : "file", luks2 ? "volume" : "path",
      Escaped(resource.place.view()), resource.max_size);
}

}  // namespace

std::string ToGuestToml(const proto::Config& config) {
  const bool from_host = config.acpi == proto::Acpi::kFromHost;
  std::string out = absl::StrFormat(
      "version = 1\nplatform = \"%s\"\nvm = \"%s\"\nverifier = \"%s\"\n"
      "verifier_pins = [",
      config.platform == proto::Platform::kSnp ? "snp" : "emulated",
      config.vm.view(), config.verifier_endpoint.view());
  for (size_t i = 0; i < config.verifier_pins.size(); ++i) {
    absl::StrAppend(&out, i == 0 ? "" : ", ",
                    "\"sha256:", hosted::Hex(config.verifier_pins[i]), "\"");
  }
  absl::StrAppendFormat(
      &out, "]\nacpi = \"%s\"\non_failure = \"%s\"\ntsc_khz = %d\n",
      from_host ? "from-host" : "none",
      config.on_failure == proto::OnFailure::kHalt ? "halt"
                                                   : "boot-without-secrets",
      config.tsc_khz);
  for (const proto::Resource& resource : config.resources) {
    absl::StrAppend(&out, ResourceToml(resource));
  }
  absl::StrAppendFormat(
      &out,
      "\n[channel]\ntransport = \"page\"\nport = 0x%x\n\n[deadlines]\n"
      "proxy_ms = %d\nverifier_ms = %d\nsecure_processor_ms = %d\n"
      "boot_ms = %d\n",
      config.channel_port, static_cast<uint64_t>(config.proxy_deadline),
      static_cast<uint64_t>(config.verifier_deadline),
      static_cast<uint64_t>(config.secure_processor_deadline),
      static_cast<uint64_t>(config.boot_deadline));
  if (config.expected_boot) {
    const proto::ExpectedBoot& boot = *config.expected_boot;
    absl::StrAppendFormat(&out,
                          "\n[expected_boot]\nkernel = \"sha384:%s\"\n"
                          "initrd = \"sha384:%s\"\n"
                          "command_line = \"sha384:%s\"\n",
                          hosted::Hex(boot.kernel), hosted::Hex(boot.initrd),
                          hosted::Hex(boot.command_line));
    if (from_host) {
      absl::StrAppendFormat(&out, "acpi = \"sha384:%s\"\n",
                            hosted::Hex(boot.acpi));
    }
  }
  return out;
}

}  // namespace launch
