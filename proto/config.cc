// SPDX-License-Identifier: Apache-2.0
#include "proto/config.h"

#include <string.h>

#include "proto/arena.h"
#include "proto/config.pb-c.h"
#include "proto/reasons.h"

namespace proto {
namespace {

using base::Bytes;
using base::Code;
using base::Reason;
using base::Status;

constexpr uint32_t kVersion = 1;
constexpr uint16_t kMinPort = 0x100;  // Below: the board's own devices.
// The largest configuration that passes CheckConfig() needs about 7 KiB.
constexpr size_t kArenaSize = 12 * 1024;

Status Invalid(Reason reason) { return Status(Code::kInvalidArgument, reason); }

bool IsLowerOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool IsDots(std::string_view component) {
  return component == "." || component == "..";
}

// No component of a '/'-separated path is empty, "." or "..".
bool ComponentsAreFine(std::string_view path) {
  size_t begin = 0;
  for (size_t i = 0; i <= path.size(); ++i) {
    if (i < path.size() && path[i] != '/') continue;
    const std::string_view component = path.substr(begin, i - begin);
    if (component.empty() || IsDots(component)) return false;
    begin = i + 1;
  }
  return true;
}

bool IsVolumeName(std::string_view text) {
  if (text.empty() || text.size() > kMaxVolumeSize || text[0] == '.') {
    return false;
  }
  for (const char c : text) {
    if (!IsLowerOrDigit(c) && !(c >= 'A' && c <= 'Z') && c != '.' && c != '_' &&
        c != '-') {
      return false;
    }
  }
  return true;
}

// The folder where the loader puts keys and headers of volumes.
constexpr std::string_view kVolumeFolder = "/etc/cryptsetup-keys.d/";

bool IsFilePath(std::string_view text) {
  if (text.size() < 2 || text.size() > kMaxPathSize || text[0] != '/') {
    return false;
  }
  for (const char c : text) {
    if (c <= ' ' || c > '~') return false;
  }
  return ComponentsAreFine(text.substr(1)) && !text.starts_with(kVolumeFolder);
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

// --- Message to Config.

std::string_view TextOf(const ProtobufCBinaryData& data) {
  // EDGE: char may alias the bytes that protobuf-c allocated as uint8_t.
  return {reinterpret_cast<const char*>(data.data), data.len};
}

template <size_t kCapacity>
Status TakeText(const ProtobufCBinaryData& in, Reason reason,
                FixedText<kCapacity>& out) {
  return out.Assign(TextOf(in)) ? Status() : Invalid(reason);
}

// An absent digest is left as zeros.
Status TakeDigest(const ProtobufCBinaryData& in, BootDigest& out) {
  if (in.len == 0) return {};
  if (in.len != out.size()) return Invalid(kConfigDigestSize);
  memcpy(out.data(), in.data, out.size());
  return {};
}

bool HasUnknownFields(const Forelock__Config__Config& message) {
  const auto unknown = [](const auto* part) {
    return part != nullptr && part->base.n_unknown_fields != 0;
  };
  for (size_t i = 0; i < message.n_resources; ++i) {
    if (unknown(message.resources[i])) return true;
  }
  return unknown(&message) || unknown(message.channel) ||
         unknown(message.deadlines) || unknown(message.expected_boot);
}

Status TakeResource(const Forelock__Config__Resource& in, Resource& out) {
  BASE_TRY(TakeText(in.name, kConfigResourceName, out.name));
  switch (in.kind) {
    case FORELOCK__CONFIG__RESOURCE_KIND__RESOURCE_LUKS2:
      out.kind = ResourceKind::kLuks2;
      out.max_size = in.max_size;
      return TakeText(in.place, kConfigVolumeName, out.place);
    case FORELOCK__CONFIG__RESOURCE_KIND__RESOURCE_FILE:
      out.kind = ResourceKind::kFile;
      out.max_size = in.max_size;
      return TakeText(in.place, kConfigFilePath, out.place);
    default:
      return Invalid(kConfigResourceKind);
  }
}

Status TakeLists(const Forelock__Config__Config& in, Config& out) {
  if (in.n_verifier_pins > kMaxPins) return Invalid(kConfigPinCount);
  for (size_t i = 0; i < in.n_verifier_pins; ++i) {
    Pin pin{};
    if (in.verifier_pins[i].len != pin.size()) return Invalid(kConfigPinSize);
    memcpy(pin.data(), in.verifier_pins[i].data, pin.size());
    out.verifier_pins.Add(pin);
  }
  if (in.n_resources > kMaxResources) return Invalid(kConfigResourceCount);
  for (size_t i = 0; i < in.n_resources; ++i) {
    Resource resource;
    BASE_TRY(TakeResource(*in.resources[i], resource));
    out.resources.Add(resource);
  }
  return {};
}

Status TakeChannel(const Forelock__Config__Channel* in, Config& out) {
  if (in == nullptr ||
      in->transport != FORELOCK__CONFIG__TRANSPORT__TRANSPORT_PAGE) {
    return Invalid(kConfigChannel);
  }
  out.transport = Transport::kPage;
  if (in->port > UINT16_MAX) return Invalid(kConfigPort);
  if (in->port != 0) out.channel_port = static_cast<uint16_t>(in->port);
  return {};
}

void TakeDeadlines(const Forelock__Config__Deadlines* in, Config& out) {
  if (in == nullptr) return;
  const auto take = [](uint32_t ms, base::Milliseconds& deadline) {
    if (ms != 0) deadline = base::Milliseconds{ms};
  };
  take(in->proxy_ms, out.proxy_deadline);
  take(in->verifier_ms, out.verifier_deadline);
  take(in->secure_processor_ms, out.secure_processor_deadline);
}

Status TakeEnums(const Forelock__Config__Config& in, Config& out) {
  switch (in.platform) {
    case FORELOCK__CONFIG__PLATFORM__PLATFORM_SNP:
      out.platform = Platform::kSnp;
      break;
    case FORELOCK__CONFIG__PLATFORM__PLATFORM_EMULATED:
      out.platform = Platform::kEmulated;
      break;
    default:
      return Invalid(kConfigPlatform);
  }
  switch (in.acpi) {
    case FORELOCK__CONFIG__ACPI__ACPI_NONE:
      out.acpi = Acpi::kNone;
      break;
    case FORELOCK__CONFIG__ACPI__ACPI_FROM_HOST:
      out.acpi = Acpi::kFromHost;
      break;
    default:
      return Invalid(kConfigAcpi);
  }
  switch (in.on_failure) {
    case FORELOCK__CONFIG__ON_FAILURE__ON_FAILURE_HALT:
      out.on_failure = OnFailure::kHalt;
      break;
    case FORELOCK__CONFIG__ON_FAILURE__ON_FAILURE_BOOT_WITHOUT_SECRETS:
      out.on_failure = OnFailure::kBootWithoutSecrets;
      break;
    default:
      return Invalid(kConfigOnFailure);
  }
  return {};
}

Status TakeMessage(const Forelock__Config__Config& in, Config& out) {
  if (in.version != kVersion) return Invalid(kConfigUnknownVersion);
  if (HasUnknownFields(in)) {
    return Status(Code::kDataLoss, kConfigUnknownField);
  }
  BASE_TRY(TakeEnums(in, out));
  BASE_TRY(TakeText(in.vm, kConfigVmName, out.vm));
  BASE_TRY(TakeText(in.verifier_endpoint, kConfigEndpointName,
                    out.verifier_endpoint));
  BASE_TRY(TakeLists(in, out));
  BASE_TRY(TakeChannel(in.channel, out));
  TakeDeadlines(in.deadlines, out);
  if (in.expected_boot != nullptr) {
    ExpectedBoot boot;
    BASE_TRY(TakeDigest(in.expected_boot->kernel_sha384, boot.kernel));
    BASE_TRY(TakeDigest(in.expected_boot->initrd_sha384, boot.initrd));
    BASE_TRY(
        TakeDigest(in.expected_boot->command_line_sha384, boot.command_line));
    BASE_TRY(TakeDigest(in.expected_boot->acpi_sha384, boot.acpi));
    out.expected_boot = boot;
  }
  if (in.tsc_khz != 0) out.tsc_khz = in.tsc_khz;
  return CheckConfig(out);
}

// --- Config to message. protobuf-c's structs want pointers to mutable data,
// but packing only reads.

ProtobufCBinaryData DataOf(Bytes bytes) {
  return {bytes.size(), const_cast<uint8_t*>(bytes.data())};
}

ProtobufCBinaryData DataOf(std::string_view text) {
  // EDGE: uint8_t may alias char; only read.
  return {text.size(),
          const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(text.data()))};
}

}  // namespace

bool IsName(std::string_view text) {
  if (text.empty() || text.size() > kMaxNameSize) return false;
  for (const char c : text) {
    if (!IsLowerOrDigit(c) && c != '.' && c != '_' && c != '/' && c != '-') {
      return false;
    }
  }
  return ComponentsAreFine(text);
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
  BASE_TRY(CheckBoot(config));
  if (config.tsc_khz < kMinTscKhz || config.tsc_khz > kMaxTscKhz) {
    return Invalid(kConfigTscFrequency);
  }
  return {};
}

Status DecodeConfig(Bytes bytes, Config& out) {
  UnpackArena<kArenaSize> arena;
  const Forelock__Config__Config* message = forelock__config__config__unpack(
      arena.allocator(), bytes.size(), bytes.data());
  if (message == nullptr) return Status(Code::kDataLoss, kConfigNotProtobuf);
  out = Config{};
  return TakeMessage(*message, out);
}

base::Result<size_t> EncodeConfig(const Config& config,
                                  base::MutableBytes out) {
  BASE_TRY(CheckConfig(config));
  Forelock__Config__Config message = FORELOCK__CONFIG__CONFIG__INIT;
  message.version = kVersion;
  // The numbers of both enums are the same.
  message.platform = static_cast<Forelock__Config__Platform>(config.platform);
  message.acpi = static_cast<Forelock__Config__Acpi>(config.acpi);
  message.on_failure =
      static_cast<Forelock__Config__OnFailure>(config.on_failure);
  message.vm = DataOf(config.vm.view());
  message.verifier_endpoint = DataOf(config.verifier_endpoint.view());
  message.tsc_khz = config.tsc_khz;

  std::array<ProtobufCBinaryData, kMaxPins> pins;
  for (size_t i = 0; i < config.verifier_pins.size(); ++i) {
    pins[i] = DataOf(Bytes(config.verifier_pins[i]));
  }
  message.n_verifier_pins = config.verifier_pins.size();
  message.verifier_pins = pins.data();

  std::array<Forelock__Config__Resource, kMaxResources> resources;
  std::array<Forelock__Config__Resource*, kMaxResources> pointers{};
  for (size_t i = 0; i < config.resources.size(); ++i) {
    const Resource& in = config.resources[i];
    forelock__config__resource__init(&resources[i]);
    resources[i].name = DataOf(in.name.view());
    resources[i].kind = static_cast<Forelock__Config__ResourceKind>(in.kind);
    resources[i].max_size = in.max_size;
    resources[i].place = DataOf(in.place.view());
    pointers[i] = &resources[i];
  }
  message.n_resources = config.resources.size();
  message.resources = pointers.data();

  Forelock__Config__Channel channel = FORELOCK__CONFIG__CHANNEL__INIT;
  channel.transport = FORELOCK__CONFIG__TRANSPORT__TRANSPORT_PAGE;
  channel.port = config.channel_port;
  message.channel = &channel;

  Forelock__Config__Deadlines deadlines = FORELOCK__CONFIG__DEADLINES__INIT;
  deadlines.proxy_ms = static_cast<uint32_t>(config.proxy_deadline);
  deadlines.verifier_ms = static_cast<uint32_t>(config.verifier_deadline);
  deadlines.secure_processor_ms =
      static_cast<uint32_t>(config.secure_processor_deadline);
  message.deadlines = &deadlines;

  Forelock__Config__ExpectedBoot boot = FORELOCK__CONFIG__EXPECTED_BOOT__INIT;
  if (config.expected_boot) {
    const ExpectedBoot& in = *config.expected_boot;
    boot.kernel_sha384 = DataOf(Bytes(in.kernel));
    boot.initrd_sha384 = DataOf(Bytes(in.initrd));
    boot.command_line_sha384 = DataOf(Bytes(in.command_line));
    if (config.acpi == Acpi::kFromHost) {
      boot.acpi_sha384 = DataOf(Bytes(in.acpi));
    }
    message.expected_boot = &boot;
  }

  const size_t size = forelock__config__config__get_packed_size(&message);
  if (size > out.size()) {
    return Status(Code::kResourceExhausted, kConfigTooLarge);
  }
  return forelock__config__config__pack(&message, out.data());
}

}  // namespace proto
