// SPDX-License-Identifier: Apache-2.0
#include "cli/image_commands.h"

#include <stdio.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/files.h"
#include "cli/image_input.h"
#include "launch/elf.h"
#include "launch/guest_toml.h"
#include "launch/image.h"
#include "launch/launch_plan.h"

namespace cli {
namespace {

using Kind = hosted::Option::Kind;

// Those that the image has; the one of its platform must be there.
absl::Status PrintDigests(const ImageInput& image, std::string_view prefix) {
  for (const auto platform :
       {proto::Platform::kSnp, proto::Platform::kEmulated}) {
    const auto plan = image.Plan(platform);
    if (plan.ok()) {
      absl::PrintF("%slaunch digest (%s) %s\n", prefix, NameOf(platform),
                   DigestHex(launch::MeasurePlan(*plan)));
    } else if (platform == image.DefaultPlatform()) {
      return plan.status();
    }
  }
  return absl::OkStatus();
}

constexpr hosted::Option kConfigureOptions[] = {
    {"config", "FILE", Kind::kRequired, "the configuration, in TOML"},
    {"output", "OUT", Kind::kRequired, "where to write the configured image"},
    {"force", "", Kind::kSwitch, "replace the configuration IN already has"},
};

// PREFIX/share beside PREFIX/bin, where this program is (tools/install.py).
std::string InstalledImage() {
  std::error_code failed;
  const std::filesystem::path program =
      std::filesystem::read_symlink("/proc/self/exe", failed);
  return (program.parent_path().parent_path() /
          "share/forelock/forelock-svsm.elf")
      .string();
}

absl::StatusOr<std::string> ImageNamed(const hosted::Arguments& arguments) {
  if (!arguments.positionals().empty()) return arguments.positional(0);
  const std::string installed = InstalledImage();
  if (Exists(installed)) return installed;
  return hosted::UsageError(
      absl::StrCat("IN.elf is missing, and there is no ", installed));
}

absl::Status Configure(const hosted::Arguments& arguments) {
  const std::string toml_path = arguments.Value("config");
  const auto text = ReadInput(toml_path, launch::kMaxGuestTomlSize);
  if (!text.ok()) return text.status();
  const auto config = launch::ParseGuestToml(
      // EDGE: char may alias the bytes.
      {reinterpret_cast<const char*>(text->data()), text->size()}, toml_path);
  if (!config.ok()) return config.status();
  const auto input = ImageNamed(arguments);
  if (!input.ok()) return input.status();
  auto image = ReadInput(*input, launch::Elf::kMaxFileSize);
  if (!image.ok()) return image.status();
  const auto reconfigure = arguments.Has("force")
                               ? launch::Reconfigure::kAllow
                               : launch::Reconfigure::kRefuse;
  absl::Status status = launch::ConfigureImage(*image, *config, reconfigure);
  if (!status.ok()) return status;
  const std::string output = arguments.Value("output");
  status = WriteOutput(output, *image);
  if (!status.ok()) return status;
  const auto written = ImageInput::Load(output);
  if (!written.ok()) return written.status();
  absl::PrintF("%s: vm %s, platform %s\n", output, config->vm.view(),
               NameOf(config->platform));
  NoteIfNothingIsAsked(*config);
  WarnIfBootEndsFirst(*config);
  return PrintDigests(*written, "");
}

absl::Status Show(const hosted::Arguments& arguments) {
  const auto image = ImageInput::Load(arguments.positional(0));
  if (!image.ok()) return image.status();
  const auto config = image->Config();
  if (!config.ok()) return config.status();
  const absl::Status status = PrintDigests(*image, "# ");
  if (!status.ok()) return status;
  absl::PrintF("%s", launch::ToGuestToml(*config));
  return absl::OkStatus();
}

constexpr hosted::Command kCommands[] = {
    {"image configure", "[IN.elf]",
     "put a VM's configuration into a guest image",
     "Writes OUT: the image IN with the configuration in its measured .config\n"
     "section. Nothing is built; one VM, one configuration, one launch "
     "digest.\n"
     "IN is the image that was installed with this program, if none is named.",
     kConfigureOptions, &Configure},
    {"image show",
     "IMAGE",
     "print the configuration inside an image",
     "Prints the configuration as TOML, defaults filled in, and the launch "
     "digests of IMAGE: an ELF file, an IGVM file or a ROM for SNP.",
     {},
     &Show},
};

}  // namespace

std::span<const hosted::Command> ImageCommands() { return kCommands; }

}  // namespace cli
