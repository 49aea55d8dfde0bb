// SPDX-License-Identifier: Apache-2.0
//
// The rules of the configuration: what a decoded one may say.
#include "base/bytes.h"
#include "proto/config.h"
#include "proto/name.h"
#include "proto/reasons.h"

namespace proto {
namespace {

using base::Code;
using base::Reason;
using base::Status;

constexpr uint16_t kMinPort = 0x100;  // Below: the board's own devices.

Status Invalid(Reason reason) { return Status(Code::kInvalidArgument, reason); }

bool IsComponent(std::string_view text) {
  return !text.empty() && text != "." && text != "..";
}

// Whether `fits` says true of each component of a '/'-separated path.
bool AllComponents(std::string_view path, bool (*fits)(std::string_view)) {
  size_t begin = 0;
  for (size_t i = 0; i <= path.size(); ++i) {
    if (i < path.size() && path[i] != '/') continue;
    const std::string_view component = path.substr(begin, i - begin);
    if (!fits(component)) return false;
    begin = i + 1;
  }
  return true;
}

bool IsVolumeName(std::string_view text) {
  if (text.empty() || text.size() > kMaxVolumeSize || text[0] == '.') {
    return false;
  }
  for (const char c : text) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (c == '/' || !(upper || IsNameByte(static_cast<uint8_t>(c)))) {
      return false;
    }
  }
  return true;
}

// The folder where the loader puts keys and headers of volumes.
constexpr std::string_view kVolumeFolder = "/etc/forelock/keys.d/";

// Whether a stock initrd takes a file of this name for a disk's key by itself,
// in whatever folder: a symlink of the owner's initrd may lead there. It would
// open the volume by the header on the host's disk. systemd-cryptsetup searches
// cryptsetup-keys.d of /etc and /run, and credentials called cryptsetup.*
// (crypttab(5), systemd-cryptsetup@.service(8)); the `encrypt` hook of
// mkinitcpio takes /crypto_keyfile.bin.
bool IsFoundByStockTools(std::string_view component) {
  return component == "cryptsetup-keys.d" ||
         component == "crypto_keyfile.bin" ||
         component.starts_with("cryptsetup.");
}

bool IsOwnFile(std::string_view component) {
  return IsComponent(component) && !IsFoundByStockTools(component);
}

bool IsFilePath(std::string_view text) {
  if (text.size() < 2 || text.size() > kMaxPathSize || text[0] != '/') {
    return false;
  }
  int parts = 0;
  for (const char c : text) {
    if (c <= ' ' || c > '~') return false;
    if (c == '/' && ++parts > kMaxPathParts) return false;
  }
  // Neither in the volumes' folder nor in the place of it or of its parents.
  const bool above = text.size() < kVolumeFolder.size() &&
                     kVolumeFolder.starts_with(text) &&
                     kVolumeFolder[text.size()] == '/';
  return AllComponents(text.substr(1), IsOwnFile) && !above &&
         !text.starts_with(kVolumeFolder);
}

Status CheckResource(const Resource& resource) {
  if (!IsName(resource.name.view())) return Invalid(kConfigResourceName);
  if (resource.max_size == 0 || resource.max_size > kMaxSecretSize) {
    return Invalid(kConfigResourceSize);
  }
  switch (resource.kind) {
    case ResourceKind::kLuks2:
      if (!IsVolumeName(resource.place.view())) {
        return Invalid(kConfigVolumeName);
      }
      return {};
    case ResourceKind::kFile:
      if (!IsFilePath(resource.place.view())) return Invalid(kConfigFilePath);
      return {};
  }
  return Invalid(kConfigResourceKind);
}

// One path may not lie below another, nor equal it: the first would have to be
// a folder.
bool PlacesCollide(const Resource& a, const Resource& b) {
  if (a.kind != b.kind) return false;  // The volume folder is no file's.
  const std::string_view x = a.place.view();
  const std::string_view y = b.place.view();
  if (x == y) return true;
  if (a.kind == ResourceKind::kLuks2) return false;
  const std::string_view shorter = x.size() < y.size() ? x : y;
  const std::string_view longer = x.size() < y.size() ? y : x;
  return longer.starts_with(shorter) && longer[shorter.size()] == '/';
}

Status CheckResources(std::span<const Resource> resources) {
  for (size_t i = 0; i < resources.size(); ++i) {
    BASE_TRY(CheckResource(resources[i]));
    for (size_t k = 0; k < i; ++k) {
      if (resources[i].name == resources[k].name) {
        return Invalid(kConfigResourceDuplicate);
      }
      if (PlacesCollide(resources[i], resources[k])) {
        return Invalid(kConfigPlaceDuplicate);
      }
    }
  }
  return {};
}

Status CheckPins(std::span<const Pin> pins) {
  if (pins.empty()) return Invalid(kConfigPinCount);
  for (size_t i = 0; i < pins.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      if (pins[i] == pins[k]) return Invalid(kConfigPinDuplicate);
    }
  }
  return {};
}

Status CheckDeadline(base::Milliseconds deadline) {
  if (deadline == base::Milliseconds{0} ||
      deadline > base::Milliseconds{kMaxDeadlineMs}) {
    return Invalid(kConfigDeadline);
  }
  return {};
}

Status CheckBoot(const Config& config) {
  if (config.acpi != Acpi::kNone && config.acpi != Acpi::kFromHost) {
    return Invalid(kConfigAcpi);
  }
  if (config.on_failure != OnFailure::kHalt &&
      config.on_failure != OnFailure::kBootWithoutSecrets) {
    return Invalid(kConfigOnFailure);
  }
  if (config.on_failure == OnFailure::kBootWithoutSecrets &&
      !config.expected_boot) {
    return Invalid(kConfigUnattestedBoot);
  }
  if (!config.expected_boot) return {};
  const ExpectedBoot& boot = *config.expected_boot;
  // No file has an all-zero SHA-384: such a digest was never filled in.
  if (base::AllZero(boot.kernel) || base::AllZero(boot.initrd) ||
      base::AllZero(boot.command_line)) {
    return Invalid(kConfigExpectedBootIncomplete);
  }
  const bool no_acpi_digest = base::AllZero(boot.acpi);
  if (config.acpi == Acpi::kFromHost && no_acpi_digest) {
    return Invalid(kConfigExpectedBootIncomplete);
  }
  if (config.acpi == Acpi::kNone && !no_acpi_digest) {
    return Invalid(kConfigExpectedAcpiWithoutAcpi);
  }
  return {};
}

}  // namespace

bool IsName(std::string_view text) {
  return HasNameForm(base::AsBytes(text)) && AllComponents(text, IsComponent);
}

Status CheckConfig(const Config& config) {
  if (config.platform != Platform::kSnp &&
      config.platform != Platform::kEmulated) {
    return Invalid(kConfigPlatform);
  }
  if (!IsName(config.vm.view())) return Invalid(kConfigVmName);
  if (!IsName(config.verifier_endpoint.view())) {
    return Invalid(kConfigEndpointName);
  }
  BASE_TRY(CheckPins(config.verifier_pins.span()));
  BASE_TRY(CheckResources(config.resources.span()));
  if (config.transport != Transport::kPage) return Invalid(kConfigChannel);
  if (config.channel_port < kMinPort) return Invalid(kConfigPort);
  BASE_TRY(CheckDeadline(config.proxy_deadline));
  BASE_TRY(CheckDeadline(config.verifier_deadline));
  BASE_TRY(CheckDeadline(config.secure_processor_deadline));
  BASE_TRY(CheckDeadline(config.boot_deadline));
  BASE_TRY(CheckBoot(config));
  if (config.tsc_khz < kMinTscKhz || config.tsc_khz > kMaxTscKhz) {
    return Invalid(kConfigTscFrequency);
  }
  return {};
}

}  // namespace proto
