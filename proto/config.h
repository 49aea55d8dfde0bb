// SPDX-License-Identifier: Apache-2.0
//
// Config: the measured configuration, decoded and checked (proto/config.proto).
//
// The only reader and the only writer of that message. What DecodeConfig()
// returns has passed every rule below, so that the guest checks nothing again
// and `forelock image configure` cannot write what the guest would refuse.
// Fixed storage; about 6 KiB.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "proto/limits.h"
#include "proto/name.h"
#include "proto/ports.h"

namespace proto {

inline constexpr size_t kMaxVolumeSize = 64;
inline constexpr size_t kMaxPathSize = 255;
// Names between the slashes. With kMaxResources this bounds how many entries,
// folders included, the loader's archive has (svsm/linux/cpio.h).
inline constexpr int kMaxPathParts = 8;
inline constexpr size_t kMaxPins = 4;
inline constexpr size_t kMaxResources = 8;
inline constexpr size_t kPinSize = 32;
inline constexpr size_t kBootDigestSize = 48;

inline constexpr uint32_t kDefaultProxyMs = 20'000;
inline constexpr uint32_t kDefaultVerifierMs = 60'000;
inline constexpr uint32_t kDefaultSecureProcessorMs = 20'000;
inline constexpr uint32_t kDefaultBootMs = 180'000;
inline constexpr uint32_t kMaxDeadlineMs = 600'000;
// Deadlines bear a factor of 4, and TSCs run at 1 to 5 GHz.
inline constexpr uint32_t kDefaultTscKhz = 2'500'000;
inline constexpr uint32_t kMinTscKhz = 100'000;
inline constexpr uint32_t kMaxTscKhz = 10'000'000;

// Text held inline, never longer than kCapacity.
template <size_t kCapacity>
class FixedText {
 public:
  constexpr FixedText() = default;
  // False, and empty: `text` is too long.
  constexpr bool Assign(std::string_view text) {
    size_ = 0;
    if (text.size() > kCapacity) return false;
    for (size_t i = 0; i < text.size(); ++i) text_[i] = text[i];
    size_ = text.size();
    return true;
  }
  constexpr std::string_view view() const {
    return std::string_view(text_.data(), size_);
  }
  constexpr bool empty() const { return size_ == 0; }
  friend constexpr bool operator==(const FixedText& a, const FixedText& b) {
    return a.view() == b.view();
  }

 private:
  std::array<char, kCapacity> text_{};
  size_t size_ = 0;
};

// At most kCapacity values, held inline.
template <typename T, size_t kCapacity>
class FixedList {
 public:
  // False: full.
  constexpr bool Add(const T& value) {
    if (size_ == kCapacity) return false;
    values_[size_++] = value;
    return true;
  }
  constexpr size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr const T& operator[](size_t i) const { return span()[i]; }
  constexpr std::span<const T> span() const {
    return std::span<const T>(values_).first(size_);
  }
  constexpr auto begin() const { return span().begin(); }
  constexpr auto end() const { return span().end(); }

 private:
  std::array<T, kCapacity> values_{};
  size_t size_ = 0;
};

enum class Platform : uint8_t { kSnp = 1, kEmulated = 2 };
enum class Acpi : uint8_t { kNone = 1, kFromHost = 2 };
enum class OnFailure : uint8_t { kHalt = 0, kBootWithoutSecrets = 1 };
enum class ResourceKind : uint8_t { kLuks2 = 1, kFile = 2 };
enum class Transport : uint8_t { kPage = 1 };

using Name = FixedText<kMaxNameSize>;
using Pin = std::array<uint8_t, kPinSize>;
using BootDigest = std::array<uint8_t, kBootDigestSize>;

struct Resource {
  Name name;  // The verifier's secret path.
  ResourceKind kind = ResourceKind::kLuks2;
  uint32_t max_size = kMaxSecretSize;  // Of the key, or of the file; bytes.
  // kLuks2: the volume's name. kFile: an absolute path in the initramfs.
  FixedText<kMaxPathSize> place;
};

struct ExpectedBoot {
  BootDigest kernel{};
  BootDigest initrd{};
  BootDigest command_line{};
  BootDigest acpi{};  // Zeros with Acpi::kNone.
};

// As decoded: defaults are filled in, so 0 never means "default" here.
struct Config {
  Platform platform = Platform::kSnp;
  Name vm;
  Name verifier_endpoint;
  FixedList<Pin, kMaxPins> verifier_pins;
  FixedList<Resource, kMaxResources> resources;
  Transport transport = Transport::kPage;
  uint16_t channel_port = kProxyPort;
  base::Milliseconds proxy_deadline{kDefaultProxyMs};
  base::Milliseconds verifier_deadline{kDefaultVerifierMs};
  base::Milliseconds secure_processor_deadline{kDefaultSecureProcessorMs};
  base::Milliseconds boot_deadline{kDefaultBootMs};
  Acpi acpi = Acpi::kNone;
  std::optional<ExpectedBoot> expected_boot;
  OnFailure on_failure = OnFailure::kHalt;
  uint32_t tsc_khz = kDefaultTscKhz;
};

// HasNameForm(), and no empty, "." or ".." component.
bool IsName(std::string_view text);

// Every rule that DecodeConfig() enforces on values; each has its own reason in
// proto/reasons.h. For `forelock image configure`.
//   kInvalidArgument: a rule is broken.
base::Status CheckConfig(const Config& config);

// `bytes` must be private memory. `out` is meaningful only on success.
//   kDataLoss: not a protobuf, or a field that is not known.
//   kInvalidArgument: a rule of CheckConfig() is broken, or another version.
base::Status DecodeConfig(base::Bytes bytes, Config& out);

// Writes the message and returns its size.
//   kInvalidArgument: as CheckConfig(). kResourceExhausted: `out` is too small.
base::Result<size_t> EncodeConfig(const Config& config, base::MutableBytes out);

}  // namespace proto
