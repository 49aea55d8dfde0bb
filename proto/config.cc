// SPDX-License-Identifier: Apache-2.0
#include "proto/config.h"

#include <string.h>

#include "proto/arena.h"
#include "proto/config.pb-c.h"
#include "proto/pbc.h"
#include "proto/reasons.h"
#include "proto/wire_enum.h"

namespace proto {
namespace {

using base::Bytes;
using base::Code;
using base::Reason;
using base::Status;

constexpr uint32_t kVersion = 1;
// The largest configuration that passes CheckConfig() needs about 7 KiB.
constexpr size_t kArenaSize = 12 * 1024;

Status Invalid(Reason reason) { return Status(Code::kInvalidArgument, reason); }

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

// What each may be; 0, that a message without the field has, is among
// OnFailure's only.
constexpr Platform kPlatforms[] = {Platform::kSnp, Platform::kEmulated};
constexpr Acpi kAcpis[] = {Acpi::kNone, Acpi::kFromHost};
constexpr OnFailure kOnFailures[] = {OnFailure::kHalt,
                                     OnFailure::kBootWithoutSecrets};
constexpr ResourceKind kResourceKinds[] = {ResourceKind::kLuks2,
                                           ResourceKind::kFile};
constexpr Transport kTransports[] = {Transport::kPage};

template <typename Enum, size_t kCount>
Status TakeEnum(int32_t in, const Enum (&known)[kCount], Reason reason,
                Enum& out) {
  const auto value = EnumOf(in, known);
  if (!value) return Invalid(reason);
  out = *value;
  return {};
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
  BASE_TRY(TakeEnum(in.kind, kResourceKinds, kConfigResourceKind, out.kind));
  out.max_size = in.max_size;
  return TakeText(
      in.place,
      out.kind == ResourceKind::kLuks2 ? kConfigVolumeName : kConfigFilePath,
      out.place);
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
  if (in == nullptr) return Invalid(kConfigChannel);
  BASE_TRY(TakeEnum(in->transport, kTransports, kConfigChannel, out.transport));
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
  take(in->boot_ms, out.boot_deadline);
}

Status TakeEnums(const Forelock__Config__Config& in, Config& out) {
  BASE_TRY(TakeEnum(in.platform, kPlatforms, kConfigPlatform, out.platform));
  BASE_TRY(TakeEnum(in.acpi, kAcpis, kConfigAcpi, out.acpi));
  return TakeEnum(in.on_failure, kOnFailures, kConfigOnFailure, out.on_failure);
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

// --- Config to message.

using pbc::Data;

ProtobufCBinaryData Data(std::string_view text) {
  return pbc::Data(base::AsBytes(text));
}

// A configuration as the message that protobuf-c packs; points into `config`.
class ConfigMessage {
 public:
  explicit ConfigMessage(const Config& config) {
    forelock__config__config__init(&message_);
    message_.version = kVersion;
    message_.platform = NumberOf(config.platform);
    message_.acpi = NumberOf(config.acpi);
    message_.on_failure = NumberOf(config.on_failure);
    message_.vm = Data(config.vm.view());
    message_.verifier_endpoint = Data(config.verifier_endpoint.view());
    message_.tsc_khz = config.tsc_khz;
    FillPins(config);
    FillResources(config);
    FillChannel(config);
    FillExpectedBoot(config);
  }
  ConfigMessage(const ConfigMessage&) = delete;
  ConfigMessage& operator=(const ConfigMessage&) = delete;

  const Forelock__Config__Config* get() const { return &message_; }

 private:
  void FillPins(const Config& config) {
    for (size_t i = 0; i < config.verifier_pins.size(); ++i) {
      pins_[i] = Data(Bytes(config.verifier_pins[i]));
    }
    message_.n_verifier_pins = config.verifier_pins.size();
    message_.verifier_pins = pins_.data();
  }

  void FillResources(const Config& config) {
    for (size_t i = 0; i < config.resources.size(); ++i) {
      const Resource& in = config.resources[i];
      forelock__config__resource__init(&resources_[i]);
      resources_[i].name = Data(in.name.view());
      resources_[i].kind = NumberOf(in.kind);
      resources_[i].max_size = in.max_size;
      resources_[i].place = Data(in.place.view());
      resource_pointers_[i] = &resources_[i];
    }
    message_.n_resources = config.resources.size();
    message_.resources = resource_pointers_.data();
  }

  void FillChannel(const Config& config) {
    forelock__config__channel__init(&channel_);
    channel_.transport = NumberOf(config.transport);
    channel_.port = config.channel_port;
    message_.channel = &channel_;
    forelock__config__deadlines__init(&deadlines_);
    deadlines_.proxy_ms = static_cast<uint32_t>(config.proxy_deadline);
    deadlines_.verifier_ms = static_cast<uint32_t>(config.verifier_deadline);
    deadlines_.secure_processor_ms =
        static_cast<uint32_t>(config.secure_processor_deadline);
    // Above level 1 defaults are left out: an older SVSM does not know them.
    if (config.boot_deadline != base::Milliseconds{kDefaultBootMs}) {
      deadlines_.boot_ms = static_cast<uint32_t>(config.boot_deadline);
    }
    message_.deadlines = &deadlines_;
  }

  void FillExpectedBoot(const Config& config) {
    if (!config.expected_boot) return;
    const ExpectedBoot& in = *config.expected_boot;
    forelock__config__expected_boot__init(&boot_);
    boot_.kernel_sha384 = Data(Bytes(in.kernel));
    boot_.initrd_sha384 = Data(Bytes(in.initrd));
    boot_.command_line_sha384 = Data(Bytes(in.command_line));
    if (config.acpi == Acpi::kFromHost) {
      boot_.acpi_sha384 = Data(Bytes(in.acpi));
    }
    message_.expected_boot = &boot_;
  }

  Forelock__Config__Config message_;
  std::array<ProtobufCBinaryData, kMaxPins> pins_;
  std::array<Forelock__Config__Resource, kMaxResources> resources_;
  std::array<Forelock__Config__Resource*, kMaxResources> resource_pointers_{};
  Forelock__Config__Channel channel_;
  Forelock__Config__Deadlines deadlines_;
  Forelock__Config__ExpectedBoot boot_;
};

}  // namespace

Status DecodeConfig(Bytes bytes, Config& out) {
  UnpackArena<kArenaSize> arena;
  const auto* message = pbc::Unpack<Forelock__Config__Config>(
      forelock__config__config__descriptor, bytes, arena);
  if (message == nullptr) return Status(Code::kDataLoss, kConfigNotProtobuf);
  out = Config{};
  return TakeMessage(*message, out);
}

base::Result<size_t> EncodeConfig(const Config& config,
                                  base::MutableBytes out) {
  BASE_TRY(CheckConfig(config));
  const ConfigMessage message(config);
  const auto size = pbc::Pack(message.get()->base, out.size(), out);
  if (!size.ok()) return Status(Code::kResourceExhausted, kConfigTooLarge);
  return size;
}

}  // namespace proto
