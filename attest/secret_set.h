// SPDX-License-Identifier: Apache-2.0
//
// The secrets of one boot: exactly those that were asked for, in that order.
// Inline storage (about 33 KiB), wiped on destruction.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret_buffer.h"
#include "proto/attest.h"

namespace attest {

inline constexpr size_t kMaxSecrets = proto::kMaxAttestResources;
// A LUKS2 header is copied to RAM before it is used. The largest that
// cryptsetup makes without being asked to is 16 MiB.
inline constexpr uint64_t kMaxLuks2Header = 64 * 1024 * 1024;
inline constexpr uint64_t kLuks2HeaderUnit = 512;  // a sector, in bytes

enum class SecretKind : uint8_t { kLuks2, kFile };

// One secret that the configuration asks for. `name` must outlive its users.
struct WantedSecret {
  base::Bytes name;
  SecretKind kind = SecretKind::kFile;
  size_t max_size = 0;  // bytes of key or file; at most proto::kMaxSecretSize
};

struct ReceivedSecret {
  SecretKind kind = SecretKind::kFile;
  base::SecretBuffer<proto::kMaxSecretSize> value;  // key or file
  // kLuks2: how much of the device's start is its header, and its digest. Not
  // secret, but authentic.
  uint64_t header_length = 0;
  std::array<uint8_t, proto::kHeaderSha256Size> header_sha256 = {};
};

class SecretSet {
 public:
  SecretSet() = default;
  SecretSet(const SecretSet&) = delete;
  SecretSet& operator=(const SecretSet&) = delete;

  // Takes the secrets of a granted verdict if they are exactly the wanted ones;
  // else takes none and gives one of the reasons kSecret... (attest/reasons.h).
  // The caller still owns, and must wipe, the originals.
  base::Status Accept(std::span<const WantedSecret> wanted,
                      const proto::AttestVerdict& verdict);

  // Secrets stand at the index of their WantedSecret.
  size_t size() const { return size_; }
  const ReceivedSecret& at(size_t index) const;

  void Wipe();

 private:
  base::Status AcceptAll(std::span<const WantedSecret> wanted,
                         const proto::AttestVerdict& verdict);

  std::array<ReceivedSecret, kMaxSecrets> secrets_;
  size_t size_ = 0;
};

}  // namespace attest
