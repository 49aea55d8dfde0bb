// SPDX-License-Identifier: Apache-2.0
#include "cli/image_commands.h"

#include <stdio.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "launch/elf.h"
#include "launch/guest_toml.h"
#include "launch/image.h"
#include "launch/measure.h"

namespace cli {
namespace {

using Kind = Option::Kind;

absl::StatusOr<std::string> DigestHex(base::Bytes image) {
  const auto digest = launch::MeasureEmulatedImage(image);
  if (!digest.ok()) return digest.status();
  // EDGE: char may alias the bytes.
  return absl::BytesToHexString(
      {reinterpret_cast<const char*>(digest->data()), digest->size()});
}

std::string_view NameOf(proto::Platform platform) {
  return platform == proto::Platform::kSnp ? "snp" : "emulated";
}

constexpr Option kConfigureOptions[] = {
    {"config", "FILE", Kind::kRequired, "the configuration, in TOML"},
    {"output", "OUT", Kind::kRequired, "where to write the configured image"},
    {"force", "", Kind::kSwitch, "replace the configuration IN already has"},
};

absl::Status Configure(const Arguments& arguments) {
  const std::string toml_path = arguments.Value("config");
  const auto text = launch::ReadFile(toml_path, launch::kMaxGuestTomlSize);
  if (!text.ok()) return text.status();
  const auto config = launch::ParseGuestToml(
      // EDGE: char may alias the bytes.
      {reinterpret_cast<const char*>(text->data()), text->size()}, toml_path);
  if (!config.ok()) return config.status();
  auto image =
      launch::ReadFile(arguments.positional(0), launch::Elf::kMaxFileSize);
  if (!image.ok()) return image.status();
  const auto reconfigure = arguments.Has("force")
                               ? launch::Reconfigure::kAllow
                               : launch::Reconfigure::kRefuse;
  absl::Status status = launch::ConfigureImage(*image, *config, reconfigure);
  if (!status.ok()) return status;
  const std::string output = arguments.Value("output");
  status = launch::WriteFile(output, *image);
  if (!status.ok()) return status;
  const auto digest = DigestHex(*image);
  if (!digest.ok()) return digest.status();
  absl::PrintF("%s: vm %s, platform %s\nlaunch digest (emulated) %s\n", output,
               config->vm.view(), NameOf(config->platform), *digest);
  return absl::OkStatus();
}

constexpr Option kMeasureOptions[] = {
    {"json", "", Kind::kSwitch, "one JSON object instead of the digest"},
};

absl::Status Measure(const Arguments& arguments) {
  const auto image =
      launch::ReadFile(arguments.positional(0), launch::Elf::kMaxFileSize);
  if (!image.ok()) return image.status();
  const auto digest = DigestHex(*image);
  if (!digest.ok()) return digest.status();
  if (arguments.Has("json")) {
    absl::PrintF("{\"platform\": \"emulated\", \"launch_digest\": \"%s\"}\n",
                 *digest);
  } else {
    absl::PrintF("%s\n", *digest);
  }
  return absl::OkStatus();
}

absl::Status Show(const Arguments& arguments) {
  const auto image =
      launch::ReadFile(arguments.positional(0), launch::Elf::kMaxFileSize);
  if (!image.ok()) return image.status();
  const auto digest = DigestHex(*image);
  if (!digest.ok()) return digest.status();
  const auto config = launch::ConfigOfImage(*image);
  if (!config.ok()) return config.status();
  absl::PrintF("# launch digest (emulated) %s\n%s", *digest,
               launch::ToGuestToml(*config));
  return absl::OkStatus();
}

constexpr Command kCommands[] = {
    {"image configure", "IN.elf", "put a VM's configuration into a guest image",
     "Writes OUT: the image IN with the configuration in its measured .config\n"
     "section. Nothing is built; one VM, one configuration, one launch digest.",
     kConfigureOptions, &Configure},
    {"image measure", "IMAGE", "print the launch digest of an image",
     "Prints the digest that the emulated secure processor reports for IMAGE:\n"
     "what a policy's `measurement` names.",
     kMeasureOptions, &Measure},
    {"image show",
     "IMAGE",
     "print the configuration inside an image",
     "Prints the configuration as TOML, defaults filled in.",
     {},
     &Show},
};

}  // namespace

std::span<const Command> ImageCommands() { return kCommands; }

}  // namespace cli
